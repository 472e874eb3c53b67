public import Archive
public import MailFetch
public import MailModel
import MailTransport

/// Looks at an account's servers without fetching anything.
public struct AccountInspection: Sendable {
    private let archive: Archive
    private let settings: PollSettings

    public init(archive: Archive, settings: PollSettings) {
        self.archive = archive
        self.settings = settings
    }

    /// Signs in to both servers of the account.
    /// - Throws: what keeps the attempt from being made, such as a missing password.
    public func check(_ account: Account) async throws(MailFailure) -> AccountCheck.Report {
        let loop = try NetworkLoop()
        let signIn = AccountSignIn(archive: archive, loop: loop, settings: settings)
        let imap = try await signIn.connection(to: try account.imapEndpoint, for: account)
        var smtp: ConnectionSettings?
        if let endpoint = account.settings.smtp {
            smtp = try await signIn.connection(to: endpoint, for: account)
        }
        return await AccountCheck.run(
            imap: imap, smtp: smtp, preset: account.provider, loop: loop, trace: settings.trace)
    }

    /// One folder of a mailbox.
    public struct FolderEntry: Sendable, Encodable {
        public var name: String
        public var role: String?
        /// Nil for a folder that holds no messages of its own.
        public var messages: UInt32?
        public var unseen: UInt32?
        public var isPolled: Bool

        private enum CodingKeys: String, CodingKey {
            case name, role, messages, unseen
            case isPolled = "polled"
        }
    }

    /// Every folder that the server lists, with its counts.
    public func folders(of account: Account) async throws(MailFailure) -> [FolderEntry] {
        let loop = try NetworkLoop()
        let signIn = AccountSignIn(archive: archive, loop: loop, settings: settings)
        let session = try await signIn.openMailbox(account)
        let listed = try await session.folders()
        let choice = FolderChoice(
            sentFolder: account.settings.sentFolder, furtherFolders: account.settings.furtherFolders)
        let polled = Set(choice.folders(among: listed).chosen.map(\.folder.wireName))
        var entries: [FolderEntry] = []
        for folder in listed {
            let counts: FolderCounts?
            do throws(MailFailure) {
                counts = folder.isSelectable ? try await session.status(of: folder) : nil
            } catch  where error.code == .commandRefused || error.code == .folderMissing {
                counts = nil
            }
            entries.append(
                FolderEntry(
                    name: folder.name.rawValue, role: folder.role?.rawValue, messages: counts?.messages,
                    unseen: counts?.unseen, isPolled: polled.contains(folder.wireName)))
        }
        await session.logout()
        return entries
    }
}
