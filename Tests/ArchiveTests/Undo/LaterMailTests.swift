import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

/// Mail comes between an action and its taking back.
@Suite struct LaterMailTests {
    private let vera = EmailAddress("vera@new.example")!

    private func mail(_ fixture: ArchiveFixture, _ uid: UInt32, from: String = "vera@new.example") throws {
        fixture.clock.advance(1)
        _ = try fixture.archive.ingest([fixture.arrival(uid, from: from, text: "Mail \(uid)")])
    }

    enum Making: String, CaseIterable {
        case add, fromQueue, importing
    }

    @Test(arguments: Making.allCases)
    func `a contact goes though mail has entered its history since, which waits again`(making: Making) throws
    {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        try mail(fixture, 1)
        let id = try #require(
            try fixture.act {
                switch making {
                case .add: try archive.addContact(ContactDraft(name: "Vera", emails: [vera]))
                case .fromQueue: _ = try archive.createContact(from: .address(vera), by: "anna")
                case .importing:
                    _ = try archive.importContacts([
                        ContactImportRow(name: "Vera", emails: [vera]),
                        ContactImportRow(name: "Olga", emails: [EmailAddress("olga@new.example")!]),
                    ])
                }
            })
        try mail(fixture, 2)
        try mail(fixture, 3)
        let contact = try #require(try archive.contacts(withAddress: vera).first).id
        let taken = try #require(try archive.history(of: contact).first).message
        try archive.unlink(taken, from: contact, by: "anna")
        try archive.undo(id, by: "anna")
        #expect(try archive.contacts().isEmpty)
        #expect(try archive.openReviewCount() == 3)
        #expect(try archive.verify().findings == [])
    }

    @Test func `what a person linked to it since is in the way, and is named`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        var contact = ContactID(rawValue: 0)
        let id = try #require(
            try fixture.act {
                contact = try archive.addContact(ContactDraft(name: "Vera", emails: [vera])).id
            })
        try mail(fixture, 1, from: "other@far.example")
        let item = try #require(try archive.reviewItems().first)
        let link = try #require(
            try fixture.act("queue link") { try archive.link(.items([item.id]), to: [contact], by: "anna") })
        let failure = #expect(throws: MailFailure.self) { try archive.undo(id, by: "anna") }
        #expect(failure?.detail?.contains("queue link by anna (undo \(link))") == true)
        try archive.undo(link, by: "anna")
        try archive.undo(id, by: "anna")
        #expect(try archive.contacts().isEmpty)
    }

    enum Giving: String, CaseIterable {
        case link, edit
    }

    @Test(arguments: Giving.allCases)
    func `mail that a given address brought since leaves with the address`(giving: Giving) throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let target = try fixture.contact("Target", "t@t.example")
        try mail(fixture, 1)
        let id = try #require(
            try fixture.act {
                switch giving {
                case .link:
                    try archive.link(.address(vera), to: [target], addingAddress: true, by: "anna")
                case .edit: try archive.changeContact(target) { $0.emails.append(vera) }
                }
            })
        try mail(fixture, 2)
        fixture.clock.advance(1)
        _ = try archive.ingest([
            fixture.arrival(3, from: vera.addrSpec, to: ["t@t.example"], text: "To both addresses")
        ])
        try archive.undo(id, by: "anna")
        let entries = try archive.history(of: target)
        #expect(entries.map(\.subject) == ["To both addresses"])
        #expect(entries.map(\.reason) == ["t@t.example in To"])
        #expect(Set(try archive.reviewItems().map(\.subject)) == ["Mail 1", "Mail 2"])
        #expect(try archive.verify().findings == [])
    }

    @Test func `mail that missed a taken address since follows when that is given back`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let contact = try fixture.contact("Vera", vera.addrSpec)
        try mail(fixture, 1)
        fixture.clock.advance(1)
        let id = try #require(try fixture.act { try archive.changeContact(contact) { $0.emails = [] } })
        try mail(fixture, 2)
        #expect(try archive.openReviewCount() == 2)
        try archive.undo(id, by: "anna")
        #expect(try archive.historyCount(of: contact) == 2)
        #expect(try archive.openReviewCount() == 0)
        #expect(try archive.verify().findings == [])
    }

    @Test func `a link by an address that the contact has no more says so, and calls nothing an answer`()
        throws
    {
        let fixture = try ArchiveFixture()
        let contact = try fixture.contact("Vera", vera.addrSpec)
        try mail(fixture, 1)
        // As earlier versions left it.
        try fixture.archive.write { db in try db.execute(sql: "DELETE FROM contact_addresses") }
        #expect(
            try fixture.archive.history(of: contact).map(\.reason) == [
                "vera@new.example in From, an address that the contact has no more"
            ])
    }
}
