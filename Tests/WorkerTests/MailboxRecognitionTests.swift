import Archive
import MailModel
import MailTestKit
import Testing

@testable import Worker

/// An account whose login or server becomes another one.
@Suite(.timeLimit(.minutes(2))) struct MailboxRecognitionTests {
    typealias Scripts = PollScripts

    /// What a second poll may ask, when it must not look further.
    private static func asked(validity: Int?) -> IMAPScript {
        guard let validity else { return Scripts.script([.expect("STATUS \"INBOX\""), .send("$T NO no")]) }
        return Scripts.script(
            [
                .expect("STATUS \"INBOX\""),
                .send("* STATUS \"INBOX\" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY \(validity))"), Scripts.done,
            ])
    }

    private static func firstSync(validity: Int) -> IMAPScript {
        Scripts.inbox(
            validity: validity, exists: 3, next: 4, Scripts.search("1 2 3"),
            Scripts.metadata("1:3", [1, 2, 3]), Scripts.bodies("1:3", [1, 2, 3]))
    }

    private static let unchanged = Scripts.inbox(exists: 3, next: 4)

    private func change(_ fixture: PollFixture, _ body: (inout AccountSettings) -> Void) throws {
        let account = try fixture.worker.polled()
        var settings = account.settings
        body(&settings)
        try fixture.worker.archive.editAccount(account.id, settings)
    }

    private func expectStopped(
        _ fixture: PollFixture, _ report: AccountReport, recorded: String = "1:3"
    ) throws {
        #expect(report.failures.map(\.code) == [.mailboxChanged])
        #expect(report.failures.first?.remedy?.contains("account confirm anna") == true)
        let status = try fixture.status()
        #expect(status.state == .stopped && status.nextPoll == nil)
        #expect(try fixture.worker.archive.dueAccounts(at: UnixTime(.max)).isEmpty)
        #expect(try fixture.worker.recorded() == recorded)
        fixture.expectOnlyReading()
    }

    @Test func anotherLoginIsNotReadUntilSomebodyConfirmsIt() async throws {
        // What the first server told of their arrival nobody knows.
        let compared = Scripts.inbox(
            exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1:3", [1, 2, 3]),
            Scripts.bodies("1:3", [1, 2, 3]))
        let fixture = try PollFixture([Scripts.firstSync, Scripts.script([]), compared])
        #expect(try await fixture.poll().failures.isEmpty)
        try change(fixture) { $0.login = "boris" }
        try expectStopped(fixture, try await fixture.poll())
        #expect(!fixture.server.received.suffix(1).joined().contains("LIST"))
        try fixture.worker.archive.confirmMailbox(of: fixture.worker.account)
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try fixture.status().state == .ok)
        #expect(try fixture.worker.archive.mailboxIdentity(of: fixture.worker.account)?.login == "boris")
    }

    @Test(arguments: [[1, 2, 3, 4, 5], [1, 2, 3, 14, 15]])
    func `a confirmed mailbox is compared with what was read`(numbers: [Int]) async throws {
        typealias Set = SetBackServerTests
        let all = Array(1...5)
        var compared = [
            Scripts.search("1 2 3 4 5"), Set.sizes("1:5", all, numbers: numbers, day: Set.monday),
        ]
        if numbers != all {
            compared.append(Set.bodies("4:5", [4, 5], numbers: [14, 15], day: Set.monday))
        }
        let fixture = try PollFixture([
            Set.five(), Scripts.script([]), Set.inbox(5, next: 6, compared.flatMap { $0 }),
            Set.inbox(5, next: 6),
        ])
        #expect(try await fixture.poll().counts.fetched == 5)
        try change(fixture) { $0.login = "boris" }
        try expectStopped(fixture, try await fixture.poll(), recorded: "1:5")
        try fixture.worker.archive.confirmMailbox(of: fixture.worker.account)
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty, "\(report.failures) \(fixture.server.violations)")
        #expect(report.counts.fetched == (numbers == all ? 0 : 2))
        #expect(try fixture.worker.recorded() == "1:5")
        // Once is enough.
        #expect(try await fixture.poll().failures.isEmpty)
    }

    @Test func whatIsSetBackIsReadOn() async throws {
        let fixture = try PollFixture([Scripts.firstSync, Scripts.script([]), Self.unchanged])
        try await fixture.poll()
        try change(fixture) { $0.login = "boris" }
        try expectStopped(fixture, try await fixture.poll())
        try change(fixture) { $0.login = "anna" }
        #expect(try await fixture.poll().failures.isEmpty)
    }

    @Test func `another port of the same host is another server`() async throws {
        let fixture = try PollFixture([Self.firstSync(validity: 7)])
        let other = try ScriptedIMAPServer(playing: [Self.asked(validity: 7)])
        defer { other.stop() }
        try await fixture.poll()
        let port = try #require(try fixture.worker.polled().settings.imap?.port)
        #expect(try fixture.worker.archive.mailboxIdentity(of: fixture.worker.account)?.port == port)
        try change(fixture) { $0.imap?.port = other.port }
        try expectStopped(fixture, try await fixture.poll())
    }

    @Test(
        arguments: [(993, 143, true), (993, 7_151, false), (nil, 7_151, true), (7_151, 7_151, true)]
            as [(UInt16?, UInt16, Bool)])
    func `the two doors of one server are the same place`(before: UInt16?, now: UInt16, isSame: Bool) {
        let known = MailboxIdentity(login: "anna", host: "127.0.0.1", port: before, serverName: nil)
        let seen = MailboxIdentity(login: "anna", host: "127.0.0.1", port: now, serverName: nil)
        #expect((known.change(to: seen) == nil) == isSame)
    }

    @Test(arguments: [7, 8, nil] as [Int?])
    func anotherHostIsAskedAboutUnlessItsInboxIsRecognised(_ validity: Int?) async throws {
        // A number that every mailbox of such a server has is no evidence, even when it is the same.
        let fixture = try PollFixture([Scripts.firstSync, Self.asked(validity: validity)])
        try await fixture.poll()
        try change(fixture) { $0.imap?.host = "localhost" }
        try expectStopped(fixture, try await fixture.poll())
    }

    /// A server that tells its name when it is asked for its folders, and not before: else this hangs.
    private static func named(_ name: String, _ steps: Scripts.Steps) -> IMAPScript {
        let capabilities: Scripts.Steps = [
            .expect("CAPABILITY"), .send("* CAPABILITY IMAP4rev1 ID"), Scripts.done,
        ]
        let signIn: Scripts.Steps = [.expect("LOGIN"), Scripts.done]
        let introduction: Scripts.Steps = [
            .expect("ID"), .expect("LIST"), .send("* ID (\"name\" \"\(name)\")"), .send("$4 OK done"),
            .send("* LIST () \"/\" \"INBOX\""), .send("$5 OK done"),
        ]
        return IMAPScript(
            [.send("* OK hi")] + capabilities + signIn + capabilities + introduction + steps)
    }

    /// What follows the opening and the list of folders.
    private static func behindList(_ script: IMAPScript) -> Scripts.Steps {
        Array(script.steps.dropFirst(1 + Scripts.folders("INBOX").count))
    }

    @Test func anotherServerBehindTheSameHostIsNotRead() async throws {
        // What says nothing in between makes nobody forget the name.
        let fixture = try PollFixture([
            Self.named("Dovecot", Self.behindList(Scripts.firstSync)), Self.unchanged,
            Self.named("Cyrus IMAP", Array(Self.asked(validity: 7).steps.dropFirst())),
        ])
        for _ in 0..<2 { #expect(try await fixture.poll().failures.isEmpty) }
        #expect(
            try fixture.worker.archive.mailboxIdentity(of: fixture.worker.account)?.serverName == "Dovecot")
        try expectStopped(fixture, try await fixture.poll())
    }

    @Test func aServerThatTellsTheSameNameIsReadOn() async throws {
        let fixture = try PollFixture([
            Self.named("Dovecot", Self.behindList(Scripts.firstSync)),
            Self.named("DOVECOT", Self.behindList(Self.unchanged)),
        ])
        for _ in 0..<2 { #expect(try await fixture.poll().failures.isEmpty) }
        fixture.expectOnlyReading()
    }

    @Test func aServerThatOnlyMovedIsReadOn() async throws {
        let validity = 1_714_990_007
        let moved = IMAPScript(
            Self.asked(validity: validity).steps + Scripts.folders("INBOX")
                + Scripts.examine("INBOX", validity: validity, exists: 3, next: 4))
        let fixture = try PollFixture([Self.firstSync(validity: validity), moved])
        try await fixture.poll()
        try change(fixture) { $0.imap?.host = "localhost" }
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try fixture.worker.archive.mailboxIdentity(of: fixture.worker.account)?.host == "localhost")
    }

    @Test func aLoginInOtherLettersIsTheSame() async throws {
        let fixture = try PollFixture([Scripts.firstSync, Self.unchanged])
        try await fixture.poll()
        try change(fixture) { $0.login = "Anna" }
        #expect(try await fixture.poll().failures.isEmpty)
        fixture.expectOnlyReading()
    }

    @Test(
        arguments: [
            ("Dovecot", "Dovecot", true), ("Dovecot", "DOVECOT", true), ("Dovecot", nil, true),
            (nil, "Cyrus", true), ("Dovecot", "Cyrus IMAP", false),
        ] as [(String?, String?, Bool)]) func aServersNameCountsWhereItHasOne(
            _ before: String?, _ now: String?, _ isSame: Bool
        )
    {
        let known = MailboxIdentity(login: "anna", host: "imap.firma.example", serverName: before)
        let seen = MailboxIdentity(login: "anna", host: "IMAP.firma.example.", serverName: now)
        #expect((known.change(to: seen) == nil) == isSame)
        #expect(known.change(to: seen, knownValidity: UIDValidity(1_714_990_007)) == nil)
    }

    @Test func noNumberProvesAnotherLogin() {
        let known = MailboxIdentity(login: "anna", host: "imap.firma.example", serverName: nil)
        let seen = MailboxIdentity(login: "boris", host: "imap.firma.example", serverName: nil)
        #expect(known.change(to: seen, knownValidity: UIDValidity(1_714_990_007)) == .login)
    }
}
