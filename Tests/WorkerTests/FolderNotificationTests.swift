import Archive
import MailTestKit
import Testing

@testable import Worker

/// What a watch does where the server offers to tell of folders beside INBOX (NOTIFY, RFC 5465).
@Suite(.timeLimit(.minutes(2)))
struct FolderNotificationTests {
    typealias Scripts = PollScripts

    /// INBOX of three messages and Sent of one, polled for the first time.
    private static let firstSync = IMAPScript(
        [.opening(capabilities: "IMAP4rev1")] + Scripts.folders("INBOX", "Sent")
            + Scripts.examine("INBOX", exists: 3, next: 4) + Scripts.search("1 2 3")
            + Scripts.metadata("1:3", [1, 2, 3]) + Scripts.bodies("1:3", [1, 2, 3])
            + sent(1) + Scripts.search("1") + Scripts.metadata("1", [1])
            + Scripts.bodies("1", [1], numbers: [11]))

    private static let asked =
        "NOTIFY SET (selected-delayed (MessageNew MessageExpunge))"
        + " (mailboxes (\"Sent\") (MessageNew MessageExpunge))"
    private static let agreed: PollScripts.Steps = [.expect(asked), Scripts.done]
    private static let idle: PollScripts.Steps = [.expect("IDLE"), .send("+ idling")]
    private static let inbox = Scripts.examine("INBOX", exists: 3, next: 4)

    private static func sent(_ count: Int) -> PollScripts.Steps {
        Scripts.examine("Sent", validity: 8, exists: count, next: count + 1)
    }

    private static func told(_ count: Int) -> IMAPScript.Step {
        .send("* STATUS Sent (MESSAGES \(count) UIDNEXT \(count + 1) UIDVALIDITY 8 HIGHESTMODSEQ 9)")
    }

    private static func lookedAgain(_ count: Int) -> PollScripts.Steps {
        [.expect("STATUS \"Sent\""), told(count), Scripts.done]
    }

    /// A session that offers NOTIFY, up to the list of folders.
    private static func session(_ parts: PollScripts.Steps...) -> IMAPScript {
        IMAPScript(
            [.opening(capabilities: "IMAP4rev1 IDLE NOTIFY")] + Scripts.folders("INBOX", "Sent")
                + parts.flatMap { $0 })
    }

    private func watch(
        _ scripts: IMAPScript..., body: (PollFixture, Notes) async throws -> Void
    ) async throws {
        try await PollFixture.watching([Self.firstSync] + scripts, body)
    }

    @Test func aServerThatRefusesIsWatchedAtINBOX() async throws {
        try await watch(
            Self.session(
                [.expect(Self.asked), .send("$T NO [BADEVENT (MessageNew)] Unsupported")], Self.inbox,
                Self.idle, [.stall])
        ) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all.isEmpty)
        }
    }

    @Test func aServerThatGivesUpTellingIsWatchedAtINBOXByANewSession() async throws {
        try await watch(
            Self.session(
                Self.agreed, Self.sent(1), Self.inbox, Self.lookedAgain(1), Self.idle,
                [.send("* OK [NOTIFICATIONOVERFLOW] too much"), .expectDone, Scripts.done]),
            Self.session(Self.inbox, Self.idle, [.stall])
        ) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all.isEmpty)
        }
    }

    @Test func aServerThatBreaksOffForItIsNotAskedAgain() async throws {
        try await watch(
            Self.session([.expect("NOTIFY"), .send("* BYE no"), .close]),
            Self.session(Self.inbox, Self.idle, [.stall])
        ) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all == ["lost server-closed"])
        }
    }

    @Test func aFolderThatIsGoneDoesNotEndTheWatchOfINBOX() async throws {
        try await watch(
            Self.session(
                Self.agreed, Self.sent(1), Self.inbox, Self.lookedAgain(1), Self.idle,
                [Self.told(0), .expectDone, Scripts.done],
                [.expect("EXAMINE \"Sent\""), .send("$T NO [NONEXISTENT] gone")], Self.inbox,
                [.expect("STATUS \"Sent\""), .send("$T NO [NONEXISTENT] gone")], Self.idle, [.stall])
        ) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all.isEmpty)
        }
    }

    @Test func newMailInAFurtherFolderIsFiledWhenTheServerTellsOfIt() async throws {
        try await watch(
            Self.session(
                Self.agreed, Self.sent(1), Self.inbox, Self.lookedAgain(1), Self.idle,
                [Self.told(2), .expectDone, Scripts.done], Self.sent(2), Scripts.metadata("2:*", [2]),
                Scripts.bodies("2", [2], numbers: [12]), Self.inbox, Self.lookedAgain(2), Self.idle, [.stall])
        ) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all == ["fetched 1"])
            #expect(try fixture.worker.recorded(8, "Sent") == "1:2")
            guard case .granted = try fixture.worker.reopened().claim(fixture.worker.account) else {
                Issue.record("the watch holds the lease")
                return
            }
        }
    }

    @Test func mailThatCameBeforeTheServerAgreedIsFiledAtOnce() async throws {
        try await watch(
            Self.session(
                Self.agreed, Self.sent(2), Scripts.metadata("2:*", [2]),
                Scripts.bodies("2", [2], numbers: [12]), Self.inbox, Self.lookedAgain(2), Self.idle, [.stall])
        ) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            let recorded = try fixture.worker.recorded(8, "Sent")
            #expect(recorded == "1:2" && notes.all == ["fetched 1"])
        }
    }

    @Test func mailThatCameInTheMomentOfClosingIsFiledBeforeTheSessionIdles() async throws {
        try await watch(
            Self.session(
                Self.agreed, Self.sent(1), Self.inbox, Self.lookedAgain(2), Self.sent(2),
                Scripts.metadata("2:*", [2]), Scripts.bodies("2", [2], numbers: [12]), Self.inbox,
                Self.lookedAgain(2), Self.idle, [.stall])
        ) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            let recorded = try fixture.worker.recorded(8, "Sent")
            #expect(recorded == "1:2" && notes.all == ["fetched 1"])
        }
    }

    @Test func mailInINBOXDoesNotWaitForTheFurtherFolders() async throws {
        let inbox = Scripts.examine("INBOX", exists: 4, next: 5)
        try await watch(
            Self.session(
                Self.agreed, Self.sent(1), Self.inbox, Self.lookedAgain(1), Self.idle,
                [Self.told(2), .send("* 4 EXISTS"), .expectDone, Scripts.done], inbox,
                Scripts.metadata("4:*", [4]), Scripts.bodies("4", [4]), Self.sent(2),
                Scripts.metadata("2:*", [2]), Scripts.bodies("2", [2], numbers: [12]), inbox,
                Self.lookedAgain(2), Self.idle, [.stall])
        ) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all == ["fetched 2"])
        }
    }
}
