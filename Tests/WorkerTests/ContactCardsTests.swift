import Foundation
import MailModel
import Matcher
import Testing

@testable import Archive
@testable import Worker

struct ContactCardsTests {
    private func cards(_ text: String) -> ContactCards { ContactCards(data: Data(text.utf8)) }

    @Test func aCardWithAnAddressThatIsNoneIsNamedAndTheOthersAreRead() {
        let found = cards(
            """
            BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna\r\nEMAIL:not an address\r\nEND:VCARD\r
            BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Berta\r\nORG:Firma;Sales\r\nEMAIL;TYPE=work:b@x.example\r\nEND:VCARD\r
            BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:org\r\nFN:Firma\r\nTEL;VALUE=uri:tel:+74951234567\r\nEND:VCARD\r
            BEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD\r

            """)
        #expect(found.rows.map(\.number) == [2, 3])
        #expect(found.rows.map(\.contact.name) == ["Berta", "Firma"])
        #expect(found.rows.map(\.contact.kind) == [nil, .organisation])
        #expect(found.rows.map(\.contact.organisation) == ["Firma", nil])
        #expect(found.rows.last?.contact.phones == ["+74951234567"])
        #expect(found.refused.map { $0.detail?.prefix { $0 != ":" } } == ["card 1", "card 4"])
    }

    @Test(arguments: [
        ("4.0", "EMAIL:c@x.example\r\nEMAIL;PREF=2:b@x.example\r\nEMAIL;PREF=1:a@x.example"),
        ("3.0", "EMAIL;TYPE=home:b@x.example\r\nEMAIL:c@x.example\r\nEMAIL;TYPE=work,pref:a@x.example"),
        ("2.1", "EMAIL;INTERNET:b@x.example\r\nEMAIL;INTERNET;PREF:a@x.example"),
    ])
    func thePreferredAddressIsThePrimaryOne(version: String, emails: String) throws {
        let card = "BEGIN:VCARD\r\nVERSION:\(version)\r\nFN:Anna\r\n\(emails)\r\nEND:VCARD\r\n"
        let row = try #require(cards(card).rows.first).contact
        #expect(row.emails.map(\.addrSpec).first == "a@x.example")
        #expect(row.emails.count == emails.split(separator: "EMAIL").count)
    }

    @Test func aCardThatIsCutOffOrHasTooMuchIsNamed() {
        let many = (0..<102).map { "EMAIL:a\($0)@x.example\r\n" }.joined()
        let found = cards(
            "BEGIN:VCARD\r\nFN:Many\r\n\(many)END:VCARD\r\nBEGIN:VCARD\r\nFN:Good\r\nEND:VCARD\r\n"
                + "BEGIN:VCARD\r\nFN:Cut\r\nEMAIL:cut@x.exa")
        #expect(found.rows.map(\.contact.name) == ["Good"])
        #expect(found.refused.map { $0.detail?.prefix { $0 != ":" } } == ["card 1", "card 3"])
        #expect(found.refused.first?.detail?.contains("2 addresses or numbers more") == true)
        #expect(found.refused.last?.detail?.contains("END:VCARD") == true)
    }

    private var contact: Contact {
        var details = ContactDetails()
        details.tags = ["a, b", "vip"]
        details.phones = ["+7 495 123-45-67"]
        return Contact(
            id: ContactID(rawValue: 7), kind: .lead,
            name: "Анна; \"Ромашка\", " + String(repeating: "Ё", count: 60),
            externalID: "x,1", emails: [EmailAddress("a@x.example")!, EmailAddress("b@x.example")!],
            organisation: ContactID(rawValue: 8), organisationName: "ООО \\ Ко", owner: nil,
            ownerName: "anna",
            doNotEmail: true, notifyOwner: false, isPrivate: false, details: details, userNames: [])
    }

    @Test(arguments: [ContactCards.Version.three, .four])
    func whatIsWrittenIsReadBack(version: ContactCards.Version) throws {
        let text = ContactCards.text(of: [contact], version)
        #expect(ContactCards.isCards(Data(text.utf8)))
        #expect(text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 75 })
        let row = try #require(cards(text).rows.first?.contact)
        #expect(row.name == contact.name)
        #expect(row.kind == .lead)
        #expect(row.externalID == contact.externalID)
        #expect(row.organisation == contact.organisationName)
        #expect(row.emails == contact.emails)
        #expect(row.phones == contact.details.phones)
        #expect(row.tags == contact.details.tags)
    }

    @Test(arguments: [
        "=HYPERLINK(\"http://x.example\",\"Anna\")", "+SUM(A1)", "-2+cmd|' /C calc'!A0", "@x", "'=x", "''@x",
        "'Anna'",
        "-", "'", "=",
    ])
    func whatWouldBeAFormulaIsTextAndReadBack(name: String) throws {
        var contact = contact
        contact.name = name
        contact.externalID = "=1"
        contact.organisationName = "-Ромашка-"
        contact.details.tags = ["@vip"]
        let text = ContactCSV.text(of: [contact])
        for cell in text.split(whereSeparator: { $0.isNewline || $0 == "," }) {
            let isNumber = cell.allSatisfy("+-0123456789 \"".contains)
            #expect(isNumber || !"=+-@".contains(cell.first { $0 != "\"" } ?? " "), "\(cell)")
        }
        // A number stays as people write it.
        #expect(text.contains("\"+7 495 123-45-67\""))
        let row = try #require(try ContactCSV(data: Data(text.utf8)).rows.first?.contact)
        #expect(row.name == name && row.externalID == "=1" && row.organisation == "-Ромашка-")
        #expect(row.tags == ["@vip"] && row.phones == contact.details.phones)
    }

    @Test func aTableThatIsWrittenIsReadBack() throws {
        var contact = contact
        contact.details.tags = ["\"x\"; y", "b,c", "north", "vip"]
        let text = ContactCSV.text(of: [contact])
        #expect(!ContactCards.isCards(Data(text.utf8)))
        let row = try #require(try ContactCSV(data: Data(text.utf8)).rows.first?.contact)
        #expect(row.name == contact.name)
        #expect(row.kind == .lead)
        #expect(row.doNotEmail == true)
        #expect(row.owner == "anna")
        #expect(row.emails == contact.emails)
        #expect(row.tags == contact.details.tags)
        #expect(row.phones == contact.details.phones)
    }
}
