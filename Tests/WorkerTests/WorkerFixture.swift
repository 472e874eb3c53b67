import Archive
import Foundation
import MIMEParse
import MailModel
import Matcher
import Synchronization
import Testing
import Worker

/// An archive in a directory of its own, with one user, one contact, one account and a
/// clock that tests turn.
final class WorkerFixture: Sendable {
    static let own = "anna@firma.example"
    static let client = "maria@client.example"

    let directory: TemporaryDirectory
    let clock = TurnedClock()
    let key = SecretKey()
    let archive: Archive
    let user: UserID
    let account: AccountID
    let contact: ContactID
    let inbox: FolderID

    /// - Parameter port: where the account's server listens.
    init(port: UInt16 = 1, change: (inout AccountSettings) -> Void = { _ in }) throws {
        directory = try TemporaryDirectory()
        let clock = clock
        archive = try Archive.create(
            directory: directory.path + "/data", key: key, options: ArchiveOptions(clock: { clock.now }))
        user = try archive.addUser(name: "anna", email: EmailAddress(Self.own))
        var settings = AccountSettings(name: "anna", email: EmailAddress(Self.own), login: "anna")
        settings.user = user
        settings.imap = ServerEndpoint(host: "127.0.0.1", port: port, security: .none)
        settings.timeoutSeconds = 20
        change(&settings)
        account = try archive.addAccount(settings, secret: Secret("geheim"))
        contact = try archive.addContact(
            ContactDraft(name: "Maria", emails: [EmailAddress(Self.client)!])
        ).id
        inbox = try archive.folder(account: account, name: .inbox, role: .inbox)
    }

    /// Another process's view of the same archive.
    func reopened() throws -> Archive {
        let clock = clock
        return try Archive.open(
            directory: directory.path + "/data", key: key, options: ArchiveOptions(clock: { clock.now }))
    }

    func polled() throws -> Account { try archive.account(account) }

    /// What the ledger holds of INBOX under one UIDVALIDITY.
    func recorded(_ validity: UInt32 = 7, _ folder: String = "INBOX") throws -> String {
        let id = try archive.folder(account: account, name: FolderName(folder))
        return try archive.knownUIDs(id, UIDValidity(validity)).sequenceSet
    }

    func present(_ validity: UInt32 = 7) throws -> String {
        try archive.recordedUIDs(inbox, UIDValidity(validity)).present.sequenceSet
    }

    /// A mail of the outbox goes out: its server takes it for every recipient.
    func sent(_ item: OutboxID) throws {
        let claim = try #require(
            try archive.claimOutbox(account) { facts, _ in facts.due.map(\.id) }.first { $0.id == item })
        var ending = OutboxEnding(item: item, attempt: claim.attempt, nextTry: clock.now)
        for recipient in claim.recipients { ending.outcomes[recipient.position] = .sent }
        _ = try archive.noteOutbox([.ended(ending)])
    }

    func historyCount() throws -> Int { try archive.historyCount(of: contact) }

    static func mail(_ number: Int, from: String = client, padding: Int = 0) -> [UInt8] {
        Array(
            """
            From: \(from)\r
            To: \(own)\r
            Subject: Message \(number)\r
            Message-ID: <m\(number).\(from)>\r
            Date: Mon, 06 May 2024 10:00:00 +0000\r
            \r
            Text \(number)\r\n
            """.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: padding)
    }

    func received(_ number: Int, from: String = client, padding: Int = 0) -> ReceivedMessage {
        ReceivedMessage(
            folder: inbox, uidValidity: UIDValidity(7), uid: UID(UInt32(number)), internalDate: nil,
            bytes: MessageBytes(Self.mail(number, from: from, padding: padding)))
    }
}

/// A clock that stands still until a test turns it, and that can hold whoever asks for
/// the time: the archive asks at the beginning of every commit.
final class TurnedClock: Sendable {
    private struct State {
        var time = UnixTime(1_714_990_000)
        var isClosed = false
        var waiting = 0
    }

    private let state = Mutex(State())
    private let opened = DispatchSemaphore(value: 0)

    var now: UnixTime {
        let isClosed = state.withLock { state in
            if state.isClosed { state.waiting += 1 }
            return state.isClosed
        }
        if isClosed { opened.wait() }
        return state.withLock(\.time)
    }

    func advance(_ seconds: Int64) {
        state.withLock { $0.time = $0.time.advanced(bySeconds: seconds) }
    }

    /// Whoever asks from now on waits.
    func close() { state.withLock { $0.isClosed = true } }

    var isHoldingSomebody: Bool { state.withLock { $0.waiting > 0 } }

    func open() {
        let waiting = state.withLock { state in
            defer { state.waiting = 0 }
            state.isClosed = false
            return state.waiting
        }
        for _ in 0..<waiting { opened.signal() }
    }
}

/// Waits for a fact that nobody announces and that is about to come.
func until(_ isFact: () async -> Bool) async {
    while !Task.isCancelled, await !isFact() { await Task.yield() }
}
