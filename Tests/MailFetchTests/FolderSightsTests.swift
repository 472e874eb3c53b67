import MailModel
import Testing

@testable import MailFetch

/// Which of the things that a server tells by itself are news (NOTIFY, RFC 5465).
struct FolderSightsTests {
    private let sent = Array("Sent".utf8)
    private let inbox = Array("INBOX".utf8)

    private func sights() -> FolderSights {
        var sights = FolderSights()
        sights.subscribe(to: [sent])
        sights.opened(sent, messages: 5, uidNext: 9, uidValidity: 3)
        sights.close()
        sights.opened(inbox, messages: 1, uidNext: 2, uidValidity: 7)
        return sights
    }

    private func news(_ responses: Response..., of sights: FolderSights) -> [String] {
        var sights = sights
        for response in responses { sights.note(response) }
        return sights.takeNews().folders.map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    private func status(_ name: String, _ items: [String: UInt64]) -> Response {
        .mailboxStatus(Array(name.utf8), items)
    }

    @Test func whatWasSeenAlreadyIsNone() {
        let seen = status("Sent", ["MESSAGES": 5, "UIDNEXT": 9, "UIDVALIDITY": 3, "UNSEEN": 2])
        #expect(news(seen, of: sights()).isEmpty)
        #expect(news(status("Sent", ["HIGHESTMODSEQ": 99]), of: sights()).isEmpty)
        #expect(news(status("Sent", [:]), of: sights()).isEmpty)
        #expect(news(.exists(1), of: sights()).isEmpty, "INBOX has one message")
        #expect(news(.recent(4), .vanished([1...4], earlier: true), of: sights()).isEmpty)
    }

    @Test func folderThatNobodyAskedAboutIsNone() {
        #expect(news(status("Trash", ["MESSAGES": 6, "UIDNEXT": 10]), of: sights()).isEmpty)
        #expect(
            news(status("sent", ["MESSAGES": 6, "UIDNEXT": 10]), of: sights()).isEmpty, "names have case")
        #expect(news(status("INBOX", ["MESSAGES": 6, "UIDNEXT": 10]), of: sights()).isEmpty)
    }

    @Test(arguments: ["MESSAGES", "UIDNEXT", "UIDVALIDITY"])
    func anyOfTheCountsAloneTells(_ item: String) {
        #expect(news(status("Sent", [item: 100]), of: sights()) == ["Sent"])
    }

    @Test func whatWasToldOnceIsNewsOnce() {
        var sights = sights()
        let told = status("Sent", ["MESSAGES": 6, "UIDNEXT": 10])
        sights.note(told)
        #expect(!sights.takeNews().isEmpty)
        sights.note(told)
        #expect(sights.takeNews().isEmpty)
        // One gone, one come.
        sights.note(status("Sent", ["MESSAGES": 6, "UIDNEXT": 11]))
        #expect(!sights.takeNews().isEmpty)
    }

    @Test func whatIsToldBeforeTheFolderIsOpenedIsSeenByOpeningIt() {
        var sights = sights()
        sights.note(status("Sent", ["MESSAGES": 6, "UIDNEXT": 10]))
        sights.opened(sent, messages: 6, uidNext: 10, uidValidity: 3)
        #expect(sights.takeNews().isEmpty)
    }

    @Test func aNumberOfMessagesIsNewsOnce() {
        var sights = sights()
        sights.note(.exists(2))
        #expect(!sights.takeNews().isEmpty)
        sights.note(.exists(2))
        #expect(sights.takeNews().isEmpty)
        // One gone and one come leave the number as it was.
        sights.note(.expunge(1))
        #expect(!sights.takeNews().isEmpty)
        sights.note(.exists(2))
        #expect(!sights.takeNews().isEmpty)
    }

    @Test func theOpenFolderTellsWithItsOwnResponses() {
        #expect(news(.exists(2), of: sights()) == ["INBOX"])
        #expect(news(.expunge(1), of: sights()) == ["INBOX"])
        #expect(news(.vanished([1...1], earlier: false), .exists(2), of: sights()) == ["INBOX"])
        var opening = sights()
        opening.close()
        #expect(news(.exists(2), of: opening).isEmpty, "the counts of an opening are no news")
    }

    @Test func aServerWithoutUIDNEXTTellsItOnceForAll() {
        var sights = FolderSights()
        sights.subscribe(to: [sent])
        sights.opened(sent, messages: 5, uidNext: nil, uidValidity: 3)
        sights.close()
        let told = status("Sent", ["MESSAGES": 5, "UIDNEXT": 9])
        sights.note(told)
        #expect(!sights.takeNews().isEmpty)
        sights.note(told)
        #expect(sights.takeNews().isEmpty)
    }

    @Test func overflowCountsOnlyForWhoHasSubscribed() {
        let overflow = Response.status(StatusReply(kind: .ok, code: "NOTIFICATIONOVERFLOW"))
        var mine = sights()
        mine.note(overflow)
        #expect(mine.takeNews().hasGivenUp)
        var other = FolderSights()
        other.note(overflow)
        #expect(other.takeNews().isEmpty)
    }
}
