import Archive
import MIMEParse
import MailModel
import MailTestKit
import MailTransport
import Testing

@testable import Worker

/// What was sent is in the Sent folder once, however many workers look after it.
@Suite(.timeLimit(.minutes(2))) struct SentCopyingTests {
    typealias Scripts = PollScripts

    /// A mail that went out, whose copy is due in a scripted mailbox.
    private struct Office {
        let fixture: WorkerFixture
        let server: ScriptedIMAPServer
        let item: OutboxID

        /// - Parameter sentCopy: nil: the server's habit is to be found out.
        init(_ scripts: IMAPScript..., sentCopy: SentCopy? = .append) async throws {
            server = try ScriptedIMAPServer(playing: scripts)
            fixture = try WorkerFixture(port: server.port) {
                $0.smtp = ServerEndpoint(host: "127.0.0.1", port: 1, security: .none)
                $0.sentCopy = sentCopy
            }
            item = try await Self.sent(fixture)
        }

        /// A mail that went out.
        static func sent(_ fixture: WorkerFixture) async throws -> OutboxID {
            var request = MailRequest(account: "anna", to: [WorkerFixture.client])
            request.text = "Text"
            let item = try await MailSubmission(
                archive: fixture.archive, parsing: InProcessParsing(parser: MIMEParser()), settings: .init()
            ).submit(request, by: "anna", isImmediate: true).receipt.item
            try fixture.sent(item)
            return item
        }

        func copy(of item: OutboxID) throws -> String { try fixture.archive.outboxItem(item).copy }

        func copies(with archive: Archive, failing: Bool = false) async throws {
            let clock = fixture.clock
            var polls = PollSettings(allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
            polls.now = { clock.now }
            let loop = try NetworkLoop()
            let copying = SentCopying(
                archive: archive,
                signIn: AccountSignIn(archive: archive, loop: loop, settings: polls),
                watch: { event in if !failing { Issue.record("\(event)") } })
            await copying.run(try archive.account(fixture.account))
        }

        var appended: Int {
            server.events.count { if case .receivedLiteral = $0 { true } else { false } }
        }
        var connections: Int { server.events.count { $0 == .accepted } }
    }

    private static let folders: Scripts.Steps = [
        .expect("LIST"), .send("* LIST () \"/\" \"INBOX\""), .send("* LIST (\\Sent) \"/\" \"Sent\""),
        Scripts.done,
    ]

    private static let append: [IMAPScript.Step] = [.expect("APPEND \"Sent\""), .takeLiteral, Scripts.done]

    /// - Parameter found: UIDs that the search finds.
    private static func look(
        finding found: String, before answer: Scripts.Steps = [], then steps: Scripts.Steps = []
    ) -> IMAPScript {
        Scripts.script(
            folders, Scripts.examine("Sent", exists: 3, next: 4),
            [.expect("UID SEARCH HEADER \"Message-ID\"")] + answer,
            [.send("* SEARCH \(found)"), Scripts.done],
            steps)
    }

    private static func appending(before answer: Scripts.Steps = []) -> IMAPScript {
        look(finding: "", before: answer, then: append)
    }

    @Test func twoWorkersThatLookAtTheSameTimeAppendOneCopy() async throws {
        // The first one's answer takes long: nothing is there yet for either of them.
        let office = try await Office(Self.appending(before: [.stall]), Self.appending())
        defer { office.server.stop() }
        async let first: Void = office.copies(with: office.fixture.archive)
        await office.server.wait { $0 == .stalled }
        try await office.copies(with: try office.fixture.reopened())
        office.server.release()
        try await first
        #expect(office.appended == 1)
        #expect(office.server.violations.isEmpty)
        #expect(try office.fixture.archive.accountsWithDueCopies(at: UnixTime(.max)).isEmpty)
    }

    /// A process that died while it looked after the copy, some of which the server may have.
    private static func afterADeath(_ script: IMAPScript) async throws -> Office {
        let office = try await Office(script)
        try {
            let dying = try office.fixture.reopened()
            #expect(try dying.claimCopies(of: office.fixture.account).map(\.item) == [office.item])
        }()
        // At once the server could still be taking it in.
        try await office.copies(with: office.fixture.archive)
        #expect(office.connections == 0)
        office.fixture.clock.advance(10)
        try await office.copies(with: office.fixture.archive)
        #expect(office.server.violations.isEmpty)
        #expect(try office.fixture.archive.accountsWithDueCopies(at: UnixTime(.max)).isEmpty)
        return office
    }

    @Test func whatAKilledWorkerHadAppendedIsFoundByTheNext() async throws {
        let office = try await Self.afterADeath(Self.look(finding: "4"))
        defer { office.server.stop() }
        #expect(office.connections == 1 && office.appended == 0)
    }

    @Test func whatAKilledWorkerHadNotAppendedIsAppendedByTheNext() async throws {
        let office = try await Self.afterADeath(Self.appending())
        defer { office.server.stop() }
        #expect(office.connections == 1 && office.appended == 1)
    }

    @Test func aCopyThatTheServerPutsThereAMomentLaterIsNotDoubled() async throws {
        let office = try await Office(Self.look(finding: ""), Self.look(finding: "4"), sentCopy: nil)
        defer { office.server.stop() }
        try await office.copies(with: office.fixture.archive)
        #expect(try office.copy(of: office.item) == "due")
        // Not before its time.
        try await office.copies(with: office.fixture.archive)
        #expect(office.connections == 1)
        office.fixture.clock.advance(10)
        try await office.copies(with: office.fixture.archive)
        #expect(try office.copy(of: office.item) == "done")
        #expect(office.appended == 0 && office.server.violations.isEmpty)
        // What was found may have been put there by a process that died: nothing is learned from it.
        #expect(try office.fixture.archive.sentHabit(of: office.fixture.account) == nil)
    }

    @Test func whereTheServerFilesNothingOnlyTheFirstCopyWaits() async throws {
        let office = try await Office(
            Self.look(finding: ""), Self.appending(), Self.appending(), sentCopy: nil)
        defer { office.server.stop() }
        try await office.copies(with: office.fixture.archive)
        #expect(office.appended == 0)
        office.fixture.clock.advance(10)
        try await office.copies(with: office.fixture.archive)
        #expect(office.appended == 1)
        let second = try await Office.sent(office.fixture)
        try await office.copies(with: office.fixture.archive)
        #expect(office.appended == 2 && office.server.violations.isEmpty)
        #expect(try office.copy(of: second) == "done")
    }

    @Test(arguments: ["4", "4 5"]) func aServerThatIsSlowIsFoundOutByItsSecondCopy(found: String) async throws
    {
        let isSlow = found == "4 5"
        let check: Scripts.Steps = [
            .expect("UID SEARCH HEADER \"Message-ID\""), .send("* SEARCH \(found)"), Scripts.done,
        ]
        let office = try await Office(
            Self.look(finding: ""), Self.appending(),
            Scripts.script(
                Self.folders, Scripts.examine("Sent", exists: 3, next: 4), check,
                Scripts.examine("Sent", exists: 3, next: 4),
                [
                    .expect("UID SEARCH HEADER \"Message-ID\""), .send("* SEARCH"),
                    Scripts.done,
                ], isSlow ? [] : Self.append), sentCopy: nil)
        defer { office.server.stop() }
        try await office.copies(with: office.fixture.archive)
        office.fixture.clock.advance(10)
        try await office.copies(with: office.fixture.archive)
        office.fixture.clock.advance(180)
        let second = try await Office.sent(office.fixture)
        try await office.copies(with: office.fixture.archive)
        #expect(try office.copy(of: second) == (isSlow ? "unneeded" : "done"))
        #expect(office.appended == (isSlow ? 1 : 2) && office.server.violations.isEmpty)
        // From now on nobody even looks.
        let third = try await Office.sent(office.fixture)
        if isSlow {
            try await office.copies(with: office.fixture.archive)
            #expect(try office.copy(of: third) == "unneeded" && office.connections == 3)
        }
        #expect(
            try office.fixture.archive.sentHabit(of: office.fixture.account) == SentHabit(filesItself: isSlow)
        )
    }

    @Test func aServerThatIsSaidToFileIsNotAsked() async throws {
        let office = try await Office(Self.appending(), sentCopy: .server)
        defer { office.server.stop() }
        try await office.copies(with: office.fixture.archive)
        #expect(try office.copy(of: office.item) == "unneeded" && office.connections == 0)
    }

    @Test func aCopyThatTheServerDoesNotTakeKeepsNoOtherOut() async throws {
        let refused: Scripts.Steps = [
            .expect("APPEND \"Sent\""), .send("$T NO [TOOBIG] message too large"),
        ]
        let next: Scripts.Steps = [
            .expect("UID SEARCH HEADER \"Message-ID\""), .send("* SEARCH"), Scripts.done,
        ]
        let office = try await Office(
            Self.look(
                finding: "",
                then: refused + Scripts.examine("Sent", exists: 3, next: 4) + next + Self.append))
        defer { office.server.stop() }
        let second = try await Office.sent(office.fixture)
        try await office.copies(with: office.fixture.archive, failing: true)
        #expect(try office.copy(of: office.item) == "due")
        #expect(try office.copy(of: second) == "done")
        #expect(office.appended == 1 && office.server.violations.isEmpty)
    }

    @Test func aWorkerThatIsRefusedLeavesTheCopyToWhoeverComesNext() async throws {
        let office = try await Office(
            Self.look(finding: "", then: [.expect("APPEND \"Sent\""), .send("$T NO [OVERQUOTA] full")]),
            Self.appending())
        defer { office.server.stop() }
        try await office.copies(with: office.fixture.archive, failing: true)
        let other = try office.fixture.reopened()
        #expect(try other.claimCopies(of: office.fixture.account).isEmpty)
        office.fixture.clock.advance(60)
        try await office.copies(with: other)
        #expect(office.appended == 1)
    }

    @Test func `a refused password is one of the account's tries, and none of the copies'`() async throws {
        let office = try await Office(Scripts.refusingLogin("[AUTHENTICATIONFAILED] no"))
        defer { office.server.stop() }
        let archive = office.fixture.archive
        try await office.copies(with: archive, failing: true)
        var status = try office.fixture.polled().status
        #expect(
            status.refusedSignIns == 1 && status.failure?.code == .loginRefused && status.state == .failing)
        #expect(try archive.claimCopies(of: office.fixture.account).isEmpty)
        office.fixture.clock.advance(86_400)
        // Whatever is sent meanwhile: none of it tries the password again.
        _ = try await Office.sent(office.fixture)
        #expect(try archive.accountsWithDueCopies(at: office.fixture.clock.now).isEmpty)
        try await office.copies(with: archive)
        #expect(office.connections == 1)
        // The polls find out that it is right again.
        try archive.noteAttempt(
            office.fixture.account, startedAt: office.fixture.clock.now, failure: nil, nextPoll: nil)
        #expect(try archive.accountsWithDueCopies(at: office.fixture.clock.now) == [office.fixture.account])
        #expect(try archive.claimCopies(of: office.fixture.account).map(\.tries) == [0, 0])
        status = try office.fixture.polled().status
        #expect(status.refusedSignIns == 0)
    }

    @Test func `copies of an account that waits for a person wait too`() async throws {
        let office = try await Office(IMAPScript([.stall]))
        defer { office.server.stop() }
        let archive = office.fixture.archive
        try archive.noteAttempt(
            office.fixture.account, startedAt: office.fixture.clock.now,
            failure: MailFailure(.loginRefused, kind: .credential, "No"), nextPoll: nil)
        #expect(try archive.accountsWithDueCopies(at: UnixTime(.max)).isEmpty)
        try await office.copies(with: archive)
        #expect(office.connections == 0)
    }
}
