import Archive
import MailModel
import Matcher
import Testing

@Suite struct AbsenceTests {
    private func reasons(
        _ fixture: ArchiveFixture, _ arrival: Arrival, _ contact: ContactID
    ) throws -> (isLinked: Bool, text: String) {
        _ = try fixture.archive.ingest([arrival])
        let id = try #require(
            arrival.content?.messageID.flatMap { try fixture.archive.messages(withID: $0).first })
        let absence = try fixture.archive.absence(of: id, from: contact)
        return (absence.isLinked, absence.reasons.joined(separator: "\n"))
    }

    @Test func `a name, a domain, a look-alike and a quoted address are said to link nobody`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria Client", "maria@client-firm.example")
        let named = fixture.arrival(1, from: "x@evil.example", text: "One") { content in
            content.participants[0] = Participant(
                role: .from,
                mailbox: Mailbox(displayName: "Client, Maria", address: EmailAddress("x@evil.example")!))
        }
        #expect(try reasons(fixture, named, maria).text.contains("names link nobody"))
        let colleague = fixture.arrival(2, from: "ivan@client-firm.example", text: "Two")
        #expect(try reasons(fixture, colleague, maria).text.contains("a domain only suggests"))
        let alike = fixture.arrival(3, from: "maria@c1ient-firm.example", text: "Three")
        #expect(try reasons(fixture, alike, maria).text.contains("looks like maria@client-firm.example"))
        let bounce = fixture.arrival(4, from: "maria@client-firm.example", text: "Four") { content in
            content.isDeliveryReport = true
            content.category = .report
        }
        let found = try reasons(fixture, bounce, maria)
        #expect(!found.isLinked)
        #expect(found.text.contains("delivery report"))
    }

    @Test func `what a person took out, a thread, and a link are said`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let first = fixture.arrival(1, text: "First")
        let linked = try reasons(fixture, first, maria)
        #expect(linked.isLinked)
        #expect(linked.text == "maria@client.example in From")
        let answer = fixture.arrival(2, from: "x@other.example", text: "Answer") { content in
            content.inReplyTo = [MessageID(rawValue: "First@client.example")]
        }
        #expect(try reasons(fixture, answer, maria).text.contains("a reference only suggests"))
        let message = try #require(try fixture.archive.history(of: maria).first).message
        try fixture.archive.unlink(message, from: maria, by: "anna")
        let absence = try fixture.archive.absence(of: message, from: maria)
        #expect(!absence.isLinked)
        #expect(absence.reasons.first?.contains("anna took it out at 2023-11-14T22:30:00Z;") == true)
    }
}
