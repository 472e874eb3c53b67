import Archive
import MailModel
import Matcher
import Testing

/// Quarantined messages that a later parser reads.
@Suite struct RereadTests {
    private let fixture: ArchiveFixture

    init() throws { fixture = try ArchiveFixture() }

    /// An arrival as it was before it could be read, and what is read of it later.
    private func quarantine(
        _ uid: UInt32, from: String = "maria@client.example", text: String = "Hello", transport: String = ""
    ) throws -> (id: ArchivedMessageID, content: Content) {
        var arrival = fixture.arrival(uid, from: from, text: text, transport: transport)
        let content = try #require(arrival.content)
        arrival.content = nil
        guard case .quarantined(let id) = try fixture.archive.ingest([arrival])[0] else {
            throw MailFailure(.archiveRefused, kind: .permanent, "not quarantined")
        }
        return (id, content)
    }

    @Test func `what still cannot be read is not tried twice by one version`() throws {
        let (id, _) = try quarantine(1)
        #expect(try fixture.archive.quarantined(unreadBefore: 1) == [])
        #expect(try fixture.archive.quarantined(unreadBefore: 2) == [id])
        #expect(try fixture.archive.reread(id, as: nil, parserVersion: 2) == .quarantined(id))
        #expect(try fixture.archive.quarantined(unreadBefore: 2) == [])
        #expect(try fixture.archive.quarantined(unreadBefore: 3) == [id])
        #expect(try fixture.archive.reviewItems().map(\.reason) == ["could not be read"])
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func `what the archive refuses stays in quarantine`() throws {
        var (id, content) = try quarantine(1)
        content.attachments = [
            Attachment(
                filename: nil, contentType: "text/plain", size: -1, sha256: content.contentDigest,
                isInline: false, contentID: nil)
        ]
        #expect(try fixture.archive.reread(id, as: content, parserVersion: 2) == .quarantined(id))
        #expect(try fixture.archive.quarantined(unreadBefore: 2) == [])
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func `a message that a person has put somewhere is left there`() throws {
        let (id, content) = try quarantine(1)
        let contact = try fixture.contact("Maria", "maria@client.example")
        let item = try #require(try fixture.archive.reviewItems().first).id
        _ = try fixture.archive.link(.items([item]), to: [contact], by: "anna")
        #expect(try fixture.archive.quarantined(unreadBefore: 2) == [])
        #expect(try fixture.archive.reread(id, as: content, parserVersion: 2) == .alreadyKnown)
        #expect(try fixture.archive.historyCount(of: contact) == 1)
    }

    @Test func `from a contact it goes into the history, and its question is answered`() throws {
        var (id, content) = try quarantine(1)
        content.signature = "79161234567"
        let contact = try fixture.contact("Maria", "maria@client.example")
        let outcome = try fixture.archive.reread(id, as: content, parserVersion: 2)
        #expect(outcome == .linked(id, contacts: [contact]))
        #expect(try fixture.archive.historyCount(of: contact) == 1)
        #expect(try fixture.archive.openReviewCount() == 0)
        #expect(try fixture.archive.ledgerCounts() == [.archived: 1])
        #expect(try fixture.archive.message(id).subject == "Hello")
        #expect(try fixture.dump()["messages"]?.contains { $0.contains("79161234567") } == false)
        #expect(try fixture.archive.reread(id, as: content, parserVersion: 2) == .alreadyKnown)
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func `from a stranger it waits under its address`() throws {
        let (id, content) = try quarantine(1, from: "new@stranger.example")
        #expect(try fixture.archive.reread(id, as: content, parserVersion: 2) == .review(id))
        let items = try fixture.archive.reviewItems()
        #expect(items.map(\.address) == ["new@stranger.example"])
        #expect(items.map(\.message) == [id])
        #expect(try fixture.archive.ledgerCounts() == [.review: 1])
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func `under a rule it is ignored`() throws {
        _ = try fixture.archive.ingest([fixture.arrival(9, from: "news@shop.example", text: "News")])
        let waiting = try #require(try fixture.archive.reviewItems().first).id
        try fixture.archive.ignore(.items([waiting]), .address, by: "anna")
        let (id, content) = try quarantine(1, from: "news@shop.example")
        guard case .ignored(id, let rule) = try fixture.archive.reread(id, as: content, parserVersion: 2)
        else {
            Issue.record("not ignored")
            return
        }
        #expect(rule != nil)
        #expect(try fixture.archive.message(id).ignoredBy == "news@shop.example")
        #expect(try fixture.archive.openReviewCount() == 0)
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func `a copy of a message that is here becomes one, and nothing is doubled`() throws {
        let contact = try fixture.contact("Maria", "maria@client.example")
        let (id, content) = try quarantine(1, transport: "Received: from here\r\n")
        guard case .linked(let known, _) = try fixture.archive.ingest([fixture.arrival(2)])[0] else {
            Issue.record("not linked")
            return
        }
        #expect(try fixture.archive.reread(id, as: content, parserVersion: 2) == .duplicate(of: known))
        #expect(try fixture.archive.historyCount(of: contact) == 1)
        #expect(try fixture.archive.message(known).copies.count == 2)
        #expect(try fixture.archive.ledgerCounts() == [.archived: 1, .duplicate: 1])
        #expect(try fixture.archive.openReviewCount() == 0)
        #expect(throws: MailFailure.self) { try fixture.archive.message(id) }
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func `a copy of a message that was erased is erased too`() throws {
        let contact = try fixture.contact("Maria", "maria@client.example")
        let (id, content) = try quarantine(1, transport: "Received: from here\r\n")
        _ = try fixture.archive.ingest([fixture.arrival(2)])
        let erased = try fixture.archive.erase(contact).erased[0]
        #expect(try fixture.archive.original(of: id).count > 0)

        #expect(try fixture.archive.reread(id, as: content, parserVersion: 2) == .duplicate(of: erased))
        let failure = #expect(throws: MailFailure.self) { try fixture.archive.original(of: erased) }
        #expect(failure?.code == .originalErased)
        #expect(try fixture.archive.message(erased).participants == [])
        #expect(try fixture.archive.ledgerCounts() == [.private: 1, .duplicate: 1])
        #expect(try fixture.archive.openReviewCount() == 0)
        let report = try fixture.archive.verify()
        #expect(report.findings == [])
        #expect(report.erasedOriginals == 2)
        #expect(report.originals == 0)
    }
}
