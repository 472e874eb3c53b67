import MailModel
import Testing

@testable import Worker

struct MboxReaderTests {
    private func messages(_ text: String) -> [String] {
        let mailbox = MessageBytes(Array(text.utf8))
        return MboxReader.messages(in: mailbox).map { range in
            MboxReader.message(range, of: mailbox).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test(arguments: ["", "\n", "\n\n\n", "\r\n", "Subject: no From_ line\n\nText\n", "From", "\u{0}"])
    func whatHoldsNoFromLineHoldsNoMessage(text: String) {
        #expect(messages(text).isEmpty)
    }

    @Test func aFromLineAloneIsAnEmptyMessage() {
        #expect(messages("From ") == [""])
        #expect(messages("From a Mon May  6 10:00:00 2024") == [""])
        #expect(messages("From a\n\nFrom b\n") == ["", ""])
    }

    @Test func proseThatBeginsWithFromStaysInItsMessage() {
        let text = "From a\nSubject: x\n\nHello.\nFrom now on we write\nFrom here.\n"
        #expect(messages(text) == ["Subject: x\n\nHello.\nFrom now on we write\nFrom here.\n"])
    }

    @Test func aHeaderThatBeginsLikeItIsNoSeparator() {
        #expect(messages("From a\nSubject: x\nFrom: b@x.example\n\nT\n").count == 1)
        #expect(messages("From a\nSubject: x\n\nT\n\nFrom: b\n").count == 1)
    }

    @Test func quotedFromLinesLoseOneMark() {
        let text = "From a\n\n>From b\n>>From c\n> From d\n>Fro\n>>>\n x >From e\n"
        #expect(messages(text) == ["\nFrom b\n>From c\n> From d\n>Fro\n>>>\n x >From e\n"])
    }

    @Test func theEmptyLineBeforeASeparatorIsNoPartOfTheMessage() {
        #expect(messages("From a\nA: 1\n\nT\n\nFrom b\nB: 2\n\nU\n\n") == ["A: 1\n\nT\n", "B: 2\n\nU\n"])
        #expect(messages("From a\nA: 1\n\nT\n\n\n\nFrom b\n") == ["A: 1\n\nT\n\n\n", ""])
    }

    @Test func aMissingFinalNewlineLosesNothing() {
        #expect(messages("From a\nA: 1\n\nT") == ["A: 1\n\nT"])
        #expect(messages("From a\nA: 1\n\n>From") == ["A: 1\n\n>From"])
    }

    @Test func linesMayEndWithCRLF() {
        let text = "From a\r\nA: 1\r\n\r\n>From b\r\n\r\nFrom c\r\nB: 2\r\n\r\nU\r\n"
        #expect(messages(text) == ["A: 1\r\n\r\nFrom b\r\n", "B: 2\r\n\r\nU\r\n"])
    }

    @Test func emptyLinesBeforeTheFirstSeparatorAreNoMessage() {
        #expect(messages("\n\nFrom a\nA: 1\n") == ["A: 1\n"])
    }

    @Test func aLargeMailboxIsReadInLinearTime() {
        var text = ""
        for number in 0..<20_000 { text += "From a\nN: \(number)\n\n>>From x\n\n" }
        let found = messages(text)
        #expect(found.count == 20_000)
        #expect(found.last == "N: 19999\n\n>From x\n")
    }
}
