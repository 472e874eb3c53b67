import MIMEParse
import MailModel
import Matcher
import Testing

@testable import Worker

/// Whom an answer goes to.
@Suite struct ReplyRecipientsTests {
    private static let own: Set = [
        CanonicalAddress(EmailAddress("anna@firma.example")!),
        CanonicalAddress(EmailAddress("anna.k@ya.ru")!),
    ]

    private static func answer(_ fields: String..., toAll: Bool = true) -> ReplyRecipients {
        let bytes = Array((fields.joined(separator: "\r\n") + "\r\n\r\nText\r\n").utf8)
        let message = bytes.withUnsafeBytes { MIMEParser().parse($0) }
        return ReplyRecipients(to: message, toAll: toAll, own: own)
    }

    private static func words(_ mailboxes: [Mailbox]) -> String {
        mailboxes.map(\.address.addrSpec).joined(separator: " ")
    }

    private static let letter = [
        "From: Maria <maria@client.example>",
        "To: anna@firma.example, Ivan <ivan@client.example>, IVAN@client.example",
        "Cc: boris@firma.example, Maria@Client.example, anna-k@yandex.ru", "Bcc: hidden@firma.example",
    ]

    @Test func anAnswerToOneGoesToTheAuthorOnly() {
        let one = Self.answer(Self.letter.joined(separator: "\r\n"), toAll: false)
        #expect(Self.words(one.to) == "maria@client.example" && one.cc.isEmpty)
    }

    @Test func anAnswerToAllLeavesOutOneselfAndNamesEachMailboxOnce() {
        let all = Self.answer(Self.letter.joined(separator: "\r\n"))
        #expect(Self.words(all.to) == "maria@client.example")
        // The second of her own addresses is written in another of its forms.
        #expect(Self.words(all.cc) == "ivan@client.example boris@firma.example")
        #expect(all.cc.first?.displayName == "Ivan")
    }

    @Test func replyToStandsForTheAuthor() {
        let all = Self.answer(
            "From: maria@client.example", "Reply-To: office@client.example", "To: anna@firma.example",
            "Cc: maria@client.example")
        #expect(Self.words(all.to) == "office@client.example" && Self.words(all.cc) == "maria@client.example")
    }

    @Test func onesOwnMailIsAnsweredToItsRecipientsWithoutTheBlindOnes() {
        let all = Self.answer(
            "From: anna@firma.example", "To: maria@client.example, anna@firma.example",
            "Cc: ivan@client.example",
            "Bcc: hidden@firma.example")
        #expect(Self.words(all.to) == "maria@client.example" && Self.words(all.cc) == "ivan@client.example")
    }

    @Test func aMailToOneselfAloneIsAnsweredToOneself() {
        let all = Self.answer("From: anna@firma.example", "To: anna@firma.example")
        #expect(Self.words(all.to) == "anna@firma.example" && all.cc.isEmpty)
    }

    @Test func anAuthorWhoNamesEverybodyIsBelieved() {
        let fields = [
            "From: maria@client.example", "To: talk@lists.example", "Cc: ivan@client.example",
            "Mail-Followup-To: talk@lists.example, anna@firma.example",
        ].joined(separator: "\r\n")
        let all = Self.answer(fields)
        #expect(Self.words(all.to) == "talk@lists.example" && all.cc.isEmpty)
        // It is about answers to everybody.
        #expect(Self.words(Self.answer(fields, toAll: false).to) == "maria@client.example")
    }

    @Test func anAuthorWhoNamesOnlyTheAnswererIsAnsweredAsWithoutIt() {
        let all = Self.answer(
            "From: maria@client.example", "To: anna@firma.example", "Mail-Followup-To: anna@firma.example")
        #expect(Self.words(all.to) == "maria@client.example")
    }

    @Test func aListThatPutsItselfIntoReplyToDoesNotHideTheAuthor() {
        let all = Self.answer(
            "From: maria@client.example", "Reply-To: Talk <talk@lists.example>", "To: talk@lists.example",
            "Cc: ivan@client.example", "List-Id: <talk.lists.example>",
            "List-Post: <mailto:Talk@lists.example?subject=x>")
        #expect(Self.words(all.to) == "maria@client.example")
        #expect(Self.words(all.cc) == "talk@lists.example ivan@client.example")
    }

    @Test func whoeverIsNamedComesFirstAndWhoeverIsHiddenStaysHidden() {
        let all = Self.answer(Self.letter.joined(separator: "\r\n"))
        func mailbox(_ text: String) -> Mailbox { Mailbox(address: EmailAddress(text)!) }
        let beside = all.beside(
            to: [mailbox("ivan@client.example")], cc: [mailbox("chef@firma.example")],
            bcc: [mailbox("boris@firma.example")])
        #expect(Self.words(beside.to) == "ivan@client.example")
        #expect(Self.words(beside.cc) == "chef@firma.example maria@client.example")
    }
}
