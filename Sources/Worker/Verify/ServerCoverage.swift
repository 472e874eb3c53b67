public import Archive
import MailFetch
public import MailModel
import MailTransport

/// The ledger against what the servers list now. Reads only; fetches no message.
public struct ServerCoverage: Sendable {
    /// What the ledger has of one folder.
    public struct Folder: Sendable, Hashable, Encodable {
        public var account: String
        public var folder: String
        public var uidValidity: UInt32
        /// Messages that the server counts; more than it lists where its listing is short.
        public var counted: Int
        /// UIDs that the server lists.
        public var listed: Int
        /// Those of them that the ledger has as present.
        public var recorded: Int
        /// The other UIDs, as an IMAP sequence-set; nil when there are none.
        public var missing: String?

        /// Of all that the server counts, in percent, rounded down: 100 means every one.
        public var percent: Int { counted == 0 ? 100 : recorded * 100 / counted }

        /// Every message that the server counts is listed, and has its row.
        public var isComplete: Bool { missing == nil && listed == counted }

        private enum CodingKeys: String, CodingKey {
            case account, folder
            case uidValidity = "uid_validity"
            case counted, listed, recorded, missing
        }
    }

    /// One account's folders, and what kept any from being compared.
    public struct Report: Sendable, Encodable {
        public var account: String
        public var folders: [Folder] = []
        public var failures: [MailFailure] = []

        /// Every polled folder was compared, and every message has its row.
        public var isComplete: Bool { failures.isEmpty && folders.allSatisfy(\.isComplete) }

        private struct Obstacle: Encodable {
            var code: String
            var text: String
        }

        private enum CodingKeys: String, CodingKey {
            case account = "name"
            case isComplete = "complete"
            case folders
            case failures = "errors"
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(account, forKey: .account)
            try container.encode(isComplete, forKey: .isComplete)
            try container.encode(folders, forKey: .folders)
            let obstacles = failures.map { Obstacle(code: $0.code.rawValue, text: $0.revealed) }
            try container.encode(obstacles, forKey: .failures)
        }
    }

    private let archive: Archive
    private let settings: PollSettings
    private let loop: NetworkLoop

    public init(archive: Archive, settings: PollSettings) throws(MailFailure) {
        self.archive = archive
        self.settings = settings
        loop = try NetworkLoop()
    }

    public func compare(_ account: Account) async -> Report {
        var report = Report(account: account.settings.name)
        do throws(MailFailure) {
            let signIn = AccountSignIn(archive: archive, loop: loop, settings: settings)
            let session = try await signIn.openMailbox(account)
            let choice = FolderChoice(
                sentFolder: account.settings.sentFolder, furtherFolders: account.settings.furtherFolders)
            let (chosen, failures) = choice.folders(among: try await session.folders())
            report.failures += failures
            let known = Dictionary(try archive.folders(of: account.id).map { ($0.name, $0.id) }) { first, _ in
                first
            }
            for one in chosen {
                do throws(MailFailure) {
                    report.folders.append(
                        try await compare(one.folder, of: account, known: known, session: session))
                } catch  where FolderPoll.concernsOneFolder.contains(error.code) {
                    report.failures.append(error)
                }
            }
            await session.logout()
        } catch {
            report.failures.append(account.provider.explaining(error))
        }
        return report
    }

    private func compare(
        _ one: ListedFolder, of account: Account, known: [FolderName: FolderID], session: IMAPSession
    ) async throws(MailFailure) -> Folder {
        let state = try await session.examine(one)
        let listing = state.exists == 0 ? FolderListing() : try await session.listing()
        var recorded = UIDSet()
        if let folder = known[one.name] {
            // What counts as vanished and is listed may be another message: the next poll looks.
            recorded = try archive.recordedUIDs(folder, state.uidValidity).present
        }
        let missing = listing.uids.subtracting(recorded)
        let listed = listing.uids.count
        return Folder(
            account: account.settings.name, folder: one.name.rawValue,
            uidValidity: state.uidValidity.rawValue, counted: listed + listing.lacking, listed: listed,
            recorded: listed - missing.count, missing: missing.isEmpty ? nil : missing.sequenceSet)
    }
}
