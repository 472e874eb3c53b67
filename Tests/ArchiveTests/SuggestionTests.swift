import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

/// Whom the queue suggests, and in which order.
struct SuggestionTests {
    private func suggested(
        _ fixture: ArchiveFixture, from: String, name: String? = nil, signature: String? = nil,
        to: [String]? = nil
    ) throws -> [ContactID] {
        let sender = to == nil ? from : "anna@firma.example"
        let arrival = fixture.arrival(
            9, from: sender, to: to ?? ["anna@firma.example"], text: "Waits",
            folder: to.map { _ in fixture.sent }
        ) {
            $0.participants[0].mailbox.displayName = name
            $0.signature = signature
        }
        _ = try fixture.archive.ingest([arrival])
        return try #require(try fixture.archive.reviewItems().first).suggestions.map(\.contact)
    }

    private func contact(
        _ fixture: ArchiveFixture, _ name: String, phone: String? = nil, organisation: ContactID? = nil,
        kind: Contact.Kind = .person, email: String? = nil
    ) throws -> ContactID {
        var draft = ContactDraft(
            kind: kind, name: name, emails: email.flatMap { EmailAddress($0) }.map { [$0] } ?? [])
        draft.organisation = organisation
        draft.details.phones = phone.map { [$0] } ?? []
        return try fixture.archive.addContact(draft).id
    }

    @Test func `a name of one word suggests nobody`() throws {
        let fixture = try ArchiveFixture()
        _ = try contact(fixture, "Иван")
        #expect(try suggested(fixture, from: "ivan@gmail.com", name: "Иван") == [])
    }

    @Test(arguments: [
        ("Пётр\nООО «Ромашка»", true), ("Менеджер, ООО Ромашка | Москва", true), ("Ромашка", false),
        ("Мы любим ООО Ромашка", false),
    ])
    func `an organisation that the signature names is suggested`(signature: String, isFound: Bool) throws {
        let fixture = try ArchiveFixture()
        let company = try contact(fixture, "ООО Ромашка", kind: .organisation)
        #expect(
            try suggested(fixture, from: "petr@mail.ru", signature: signature) == (isFound ? [company] : []))
    }

    @Test func `a group has the suggestion of its next message where its newest has none`() throws {
        let fixture = try ArchiveFixture()
        let maria = try contact(fixture, "Maria", phone: "+7 916 123-45-67")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, from: "m77@gmail.com", text: "Old") {
                $0.signature = "79161234567"
                $0.date = UnixTime(1_690_000_000)
            },
            fixture.arrival(2, from: "m77@gmail.com", text: "New"),
        ])
        let group = try #require(try fixture.archive.reviewGroups().first)
        #expect(group.count == 2 && group.newest.subject == "New")
        #expect(group.newest.suggestions.map(\.contact) == [maria])
    }

    @Test func `the number in our own signature suggests nobody`() throws {
        let fixture = try ArchiveFixture()
        _ = try contact(fixture, "Maria", phone: "+7 916 123-45-67")
        let found = try suggested(fixture, from: "", signature: "79161234567", to: ["new@gmail.com"])
        #expect(found == [])
    }

    @Test func `a number of two contacts suggests both, people first`() throws {
        let fixture = try ArchiveFixture()
        let firm = try contact(fixture, "Vektor", phone: "8 (916) 123-45-67", kind: .organisation)
        let maria = try contact(fixture, "Maria", phone: "+7 916 123-45-67")
        #expect(
            try suggested(fixture, from: "m77@gmail.com", signature: "79161234567\nmob.") == [maria, firm])
    }

    @Test func `a number is worth more than a name, which can be anybody's`() throws {
        let fixture = try ArchiveFixture()
        let namesake = try contact(fixture, "Maria Ivanova")
        let owner = try contact(fixture, "Olga Petrova", phone: "+7 916 123-45-67")
        let found = try suggested(
            fixture, from: "m@gmail.com", name: "Maria Ivanova", signature: "79161234567")
        #expect(found == [owner, namesake])
    }

    @Test func `a signature is kept as long as the message waits, and comes back with its question`() throws {
        let fixture = try ArchiveFixture()
        let maria = try contact(fixture, "Maria", phone: "+7 916 123-45-67")
        #expect(try suggested(fixture, from: "m77@gmail.com", signature: "79161234567") == [maria])
        func kept() throws -> [String] {
            try fixture.archive.pool.read {
                try String.fetchAll($0, sql: "SELECT signature FROM messages WHERE signature IS NOT NULL")
            }
        }
        #expect(try kept() == ["79161234567"])
        let item = try #require(try fixture.archive.reviewItems().first).id
        let link = try #require(
            try fixture.act { try fixture.archive.link(.items([item]), to: [maria], by: "anna") })
        #expect(try kept() == [])
        try fixture.archive.undo(link, by: "anna")
        #expect(try kept() == ["79161234567"])
        #expect(try fixture.archive.reviewItems().first?.suggestions.map(\.contact) == [maria])
    }

    @Test func `of two namesakes the one whose organisation the signature names comes first`() throws {
        let fixture = try ArchiveFixture()
        let firm = try contact(fixture, "ООО Вектор", kind: .organisation)
        let other = try contact(fixture, "Иван Петров")
        let colleague = try contact(fixture, "Иван Петров", organisation: firm)
        let found = try suggested(
            fixture, from: "p@gmail.com", name: "Иван Петров", signature: "Иван Петров\nменеджер, «Вектор»")
        #expect(found == [colleague, other])
    }

    @Test(arguments: ["Петров Иван", "Ivan Petrov", "PETROV, Ivan"])
    func `a name in another spelling stands behind the domain`(_ name: String) throws {
        let fixture = try ArchiveFixture()
        let ivan = try contact(fixture, "Иван Петров")
        let firm = try contact(fixture, "Vektor", kind: .organisation, email: "info@vektor.example")
        #expect(try suggested(fixture, from: "new@vektor.example", name: name) == [firm, ivan])
    }

    @Test func `a tag suggests who has the address without it, before the domain's organisation`() throws {
        let fixture = try ArchiveFixture()
        let firm = try contact(fixture, "Vektor", kind: .organisation, email: "info@vektor.example")
        let ivan = try contact(fixture, "Иван Петров", email: "ivan@vektor.example")
        #expect(try suggested(fixture, from: "ivan+crm@vektor.example") == [ivan, firm])
        #expect(try fixture.archive.historyCount(of: ivan) == 0)
    }
}
