import Archive
import Crypto
import Foundation
import MailModel
import Matcher
import Synchronization

/// An archive in a directory of its own, with one user, one account and a clock that
/// tests turn.
final class ArchiveFixture: Sendable {
    let directory: String
    let key: SecretKey
    let archive: Archive
    let account: AccountID
    let inbox: FolderID
    let sent: FolderID
    let clock: TestClock

    static let own = EmailAddress("anna@firma.example")!

    init(matching: MatchPolicy = MatchPolicy()) throws {
        directory = NSTemporaryDirectory() + "archive-\(UUID().uuidString)"
        key = SecretKey()
        let clock = TestClock()
        self.clock = clock
        var options = ArchiveOptions(clock: { clock.now })
        options.matching = matching
        archive = try Archive.create(directory: directory, key: key, options: options)
        let user = try archive.addUser(name: "anna", email: Self.own)
        account = try archive.addAccount(Self.settings("anna", user), secret: Secret("geheim"))
        inbox = try archive.folder(account: account, name: .inbox, role: .inbox)
        sent = try archive.folder(account: account, name: FolderName("Sent"), role: .sent)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// A second process's view of the same archive.
    func reopened(key: SecretKey? = nil, matching: MatchPolicy = MatchPolicy()) throws -> Archive {
        let clock = clock
        var options = ArchiveOptions(clock: { clock.now })
        options.matching = matching
        return try Archive.open(directory: directory, key: key ?? self.key, options: options)
    }

    static func settings(_ name: String, _ user: UserID?, email: EmailAddress = own) -> AccountSettings {
        var settings = AccountSettings(name: name, email: email, login: name)
        settings.user = user
        settings.imap = ServerEndpoint(host: "imap.example", port: 993, security: .tls)
        return settings
    }

    func arrival(
        _ uid: UInt32?, from: String? = "maria@client.example", to: [String] = ["anna@firma.example"],
        bcc: [String] = [], messageID: String? = nil, text: String = "Hello", transport: String = "",
        folder: FolderID? = nil, change: (inout Content) -> Void = { _ in }
    ) -> Arrival {
        let id = messageID ?? "\(text)@client.example"
        let body = "From: \(from ?? "")\r\nMessage-ID: <\(id)>\r\n\r\n\(text)\r\n"
        var content = Content(contentDigest: digest(body))
        content.messageID = MessageID(rawValue: id)
        content.subject = text
        content.date = UnixTime(1_700_000_000)
        if let from { content.participants.append(participant(.from, from)) }
        content.participants += to.map { participant(.to, $0) }
        content.participants += bcc.map { participant(.bcc, $0) }
        change(&content)
        let bytes = Array((transport + body).utf8)
        return Arrival(
            folder: folder ?? inbox, uidValidity: UIDValidity(7), uid: uid.map { UID($0) },
            internalDate: UnixTime(1_700_000_100), original: MessageBytes(bytes),
            originalDigest: digest(bytes), content: content, parserVersion: 1)
    }

    func participant(_ role: ParticipantRole, _ address: String) -> Participant {
        Participant(role: role, mailbox: Mailbox(address: EmailAddress(address)!))
    }

    @discardableResult
    func contact(_ name: String, _ emails: String...) throws -> ContactID {
        try archive.addContact(ContactDraft(name: name, emails: emails.compactMap { EmailAddress($0) })).id
    }

    func packBytes() throws -> Data {
        let directory = directory + "/originals"
        return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().reduce(into: Data()) {
            $0 += try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\($1)"))
        }
    }

    /// Whether the text lies anywhere in the files: in the database, its log or a pack.
    func holds(_ text: String) throws -> Bool {
        let files = ["mailworker.db", "mailworker.db-wal"].compactMap {
            try? Data(contentsOf: URL(fileURLWithPath: "\(directory)/\($0)"))
        }
        return try (files + [packBytes()]).contains { $0.range(of: Data(text.utf8)) != nil }
    }

    func digest(_ text: String) -> Digest256 { digest(Array(text.utf8)) }
    func digest(_ bytes: [UInt8]) -> Digest256 { Digest256(bytes: SHA256.hash(data: bytes))! }
}

final class TestClock: Sendable {
    private let time = Mutex(UnixTime(1_700_001_000))
    var now: UnixTime { time.withLock { $0 } }
    func advance(_ seconds: Int64) { time.withLock { $0 = $0.advanced(bySeconds: seconds) } }
}
