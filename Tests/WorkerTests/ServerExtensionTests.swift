import Archive
import MailModel
import MailTestKit
import Testing
import Worker

/// What a poll makes of what only some servers can do.
@Suite(.timeLimit(.minutes(2)))
struct ServerExtensionTests {
    typealias Scripts = PollScripts
    private static let resyncing = IMAPScript.Step.opening(
        capabilities: "IMAP4rev1 ENABLE CONDSTORE QRESYNC")

    private static func first(_ opening: IMAPScript.Step = resyncing) -> IMAPScript {
        IMAPScript(
            [opening] + Scripts.folders("INBOX") + [
                .expect("EXAMINE \"INBOX\" (CONDSTORE)"), .send("* 3 EXISTS"),
                .send("* OK [UIDVALIDITY 7] valid"), .send("* OK [UIDNEXT 4] next"),
                .send("* OK [HIGHESTMODSEQ 100] highest"), .send("$T OK done"),
            ] + Scripts.search("1 2 3") + Scripts.metadata("1:3", [1, 2, 3])
                + Scripts.bodies("1:3", [1, 2, 3]))
    }

    private static func later(_ parts: PollScripts.Steps...) -> IMAPScript {
        IMAPScript([resyncing] + Scripts.folders("INBOX") + parts.flatMap { $0 })
    }

    // MARK: QRESYNC

    @Test func aServerThatTellsTooMuchVanishedIsPutRightByItsCounts() async throws {
        let fixture = try PollFixture([
            Self.first(),
            Self.later(
                Scripts.reexamine(since: 100, to: 101, exists: 3, uidNext: 4, vanished: "1:4294967295"),
                // They are fetched to see whether they are the messages that were there.
                Scripts.search("1 2 3"), Scripts.metadata("1:3", [1, 2, 3]), Scripts.bodies("1:3", [1, 2, 3])),
        ])
        try await fixture.poll()
        let second = try await fixture.poll()
        #expect(second.failures.isEmpty)
        #expect(second.counts.alreadyKnown == 3 && second.counts.duplicates == 0)
        #expect(try fixture.worker.present() == "1:3")
        #expect(try fixture.worker.historyCount() == 3)
        fixture.expectOnlyReading()
    }

    @Test func aMarkOfAServerThatForgotQRESYNCIsNotMoved() async throws {
        let plain = IMAPScript.Step.opening(capabilities: "IMAP4rev1 CONDSTORE")
        let fixture = try PollFixture([
            Self.first(),
            // Without QRESYNC nothing is told, and one message has gone while another came.
            IMAPScript(
                [plain] + Scripts.folders("INBOX") + [
                    .expect("EXAMINE \"INBOX\" (CONDSTORE)"), .send("* 3 EXISTS"),
                    .send("* OK [UIDVALIDITY 7] valid"), .send("* OK [UIDNEXT 5] next"),
                    .send("* OK [HIGHESTMODSEQ 110] highest"), .send("$T OK done"),
                ] + Scripts.metadata("4:*", [4]) + Scripts.bodies("4", [4])),
            // What was missed is told now, since the mark stayed where it was.
            Self.later(Scripts.reexamine(since: 100, to: 120, exists: 3, uidNext: 5, vanished: "2")),
        ])
        for _ in 0..<3 { #expect(try await fixture.poll().failures.isEmpty) }
        #expect(try fixture.worker.recorded() == "1:4")
        #expect(try fixture.worker.present() == "1,3:4")
        fixture.expectOnlyReading()
    }

    @Test func deletionsAreToldInsteadOfListingAllUIDs() async throws {
        let fixture = try PollFixture([
            Self.first(),
            Self.later(
                Scripts.reexamine(since: 100, to: 120, exists: 3, uidNext: 6, vanished: "1:2"),
                Scripts.metadata("4:*", [4, 5]), Scripts.bodies("4:5", [4, 5])),
            Self.later(Scripts.reexamine(since: 120, to: 120, exists: 3, uidNext: 6, vanished: "1:2")),
        ])
        try await fixture.poll()
        let second = try await fixture.poll()
        #expect(second.failures.isEmpty)
        #expect(second.vanished == 2)
        #expect(second.counts.linked == 2)
        #expect(try fixture.worker.present() == "3:5")
        // Told once more they are no news.
        #expect(try await fixture.poll().vanished == 0)
        #expect(fixture.server.received.count { $0.contains("UID SEARCH") } == 1)
        fixture.expectOnlyReading()
    }

    // MARK: Gmail

    private static func labelled(_ uids: [(uid: Int, id: Int)]) -> PollScripts.Steps {
        [.expect("UID FETCH \(UIDSet(uids.map { UID(UInt32($0.uid)) }).sequenceSet) (UID RFC822.SIZE")]
            + uids.map {
                .send(
                    "* 1 FETCH (UID \($0.uid) RFC822.SIZE 9 X-GM-MSGID \($0.id) X-GM-THRID 5"
                        + " X-GM-LABELS (\\Inbox \"Work\"))")
            } + [Scripts.done]
    }

    @Test func aMessageUnderTwoLabelsIsFetchedOnce() async throws {
        let fixture = try PollFixture([
            IMAPScript(
                [.opening(capabilities: "IMAP4rev1 X-GM-EXT-1")] + Scripts.folders("INBOX", "Work")
                    + Scripts.examine("INBOX", exists: 2, next: 3) + Scripts.search("1 2")
                    + Self.labelled([(1, 901), (2, 902)]) + Scripts.bodies("1:2", [1, 2])
                    + Scripts.examine("Work", exists: 2, next: 9) + Scripts.search("7 8")
                    + Self.labelled([(7, 902), (8, 903)]) + Scripts.bodies("8", [8], numbers: [3])),
            IMAPScript(
                [.opening(capabilities: "IMAP4rev1 X-GM-EXT-1")] + Scripts.folders("INBOX", "Work")
                    + Scripts.examine("INBOX", exists: 2, next: 3)
                    + Scripts.examine("Work", exists: 2, next: 9)),
        ]) { $0.furtherFolders = [FolderName("Work")] }
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty)
        #expect(report.counts.fetched == 3)
        #expect(report.counts.duplicates == 1)
        #expect(try fixture.worker.historyCount() == 3)
        #expect(try fixture.worker.recorded(7, "Work") == "7:8")
        let history = try fixture.worker.archive.history(of: fixture.worker.contact)
        let message = try #require(history.first { $0.subject == "Message 2" }?.message)
        let copies = try fixture.worker.archive.message(message).copies
        #expect(copies.map(\.labels) == Array(repeating: ["\\Inbox", "Work"], count: 2))
        #expect(try await fixture.poll().failures.isEmpty)
        fixture.expectOnlyReading()
    }

    @Test func theNumberOfAnotherAccountsMessageSaysNothing() async throws {
        let fixture = try PollFixture([
            IMAPScript(
                [.opening(capabilities: "IMAP4rev1 X-GM-EXT-1")] + Scripts.folders("INBOX")
                    + Scripts.examine("INBOX", exists: 1, next: 2) + Scripts.search("1")
                    + Self.labelled([(1, 901)]) + Scripts.bodies("1", [1]))
        ])
        let archive = fixture.worker.archive
        var other = try fixture.worker.polled().settings
        other.name = "boris"
        let folder = try archive.folder(account: try archive.addAccount(other, secret: nil), name: .inbox)
        let copy = GmailCopy(uid: UID(1), messageID: 901, threadID: 5, labels: [])
        try await fixture.poll()
        #expect(try archive.recordGmail([copy], in: folder, UIDValidity(7)).isEmpty)
        #expect(try archive.recordGmail([copy], in: fixture.worker.inbox, UIDValidity(9)).count == 1)
    }
}
