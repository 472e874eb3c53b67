import Foundation
import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

@Suite struct UndoTests {
    private let maria = EmailAddress("maria@client.example")!

    private func waiting(_ fixture: ArchiveFixture, _ count: UInt32 = 3) throws -> [ReviewItem] {
        _ = try fixture.archive.ingest((1...count).map { fixture.arrival($0, text: "Text \($0)") })
        return try fixture.archive.reviewItems()
    }

    private func blocked(_ fixture: ArchiveFixture, _ id: UndoID) throws -> MailFailure {
        let before = try fixture.dump()
        let failure = try #require(
            #expect(throws: MailFailure.self) { try fixture.archive.undo(id, by: "anna") })
        #expect(try fixture.dump() == before)
        return failure
    }

    @Test func `an action that was taken back, or never was, is not taken back`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        let id = try #require(
            try fixture.act { try fixture.archive.ignore(.items([items[0].id]), by: "anna") })
        try fixture.archive.undo(id, by: "otto")
        #expect(try blocked(fixture, id).code == .undoBlocked)
        #expect(try blocked(fixture, UndoID(rawValue: 99)).code == .unknownUndo)
        #expect(throws: MailFailure.self) { try fixture.archive.lastUndo(of: "anna") }
        let entry = try #require(try fixture.archive.undoLog().first)
        #expect(entry.person == "anna" && entry.undoneBy == "otto" && entry.action == "queue link")
    }

    @Test func `a later action on the same rows blocks it, and is named`() throws {
        let fixture = try ArchiveFixture()
        let contact = try fixture.contact("Maria")
        let items = try waiting(fixture)
        let link = try #require(
            try fixture.act("queue link") {
                try fixture.archive.link(.items([items[0].id]), to: [contact], by: "anna")
            })
        let unlink = try #require(
            try fixture.act("message unlink", as: "otto") {
                try fixture.archive.unlink(items[0].message, from: contact, by: "otto")
            })
        let failure = try blocked(fixture, link)
        #expect(failure.code == .undoBlocked)
        #expect(failure.detail?.contains("message unlink by otto (undo \(unlink))") == true)
        #expect(failure.remedy?.contains("mailworker undo \(unlink)") == true)
        try fixture.archive.undo(unlink, by: "otto")
        try fixture.archive.undo(link, by: "anna")
        #expect(try fixture.archive.openReviewCount() == 3)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a row that goes along by a reference blocks it`() throws {
        let fixture = try ArchiveFixture()
        let user = try fixture.archive.addUser(name: "otto", email: nil)
        var contact = ContactID(rawValue: 0)
        let id = try #require(
            try fixture.act { contact = try fixture.contact("Maria", "maria@client.example") })
        try fixture.archive.pool.write {
            try $0.execute(
                sql: "INSERT INTO contact_users(contact, user) VALUES (?, ?)",
                arguments: [contact.rawValue, user.rawValue])
        }
        #expect(try blocked(fixture, id).detail?.contains("contact \(contact)") == true)
    }

    @Test func `a message that has entered another history since blocks it`() throws {
        let fixture = try ArchiveFixture()
        let contact = try fixture.contact("Maria")
        let items = try waiting(fixture, 1)
        let link = try #require(
            try fixture.act { try fixture.archive.link(.items([items[0].id]), to: [contact], by: "anna") })
        let later = try #require(
            try fixture.act("contact add") { try fixture.contact("Boris", "maria@client.example") })
        #expect(try blocked(fixture, link).code == .undoBlocked)
        try fixture.archive.undo(later, by: "anna")
        try fixture.archive.undo(link, by: "anna")
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `mail that a rule has taken since blocks taking the rule back`() throws {
        let fixture = try ArchiveFixture()
        _ = try waiting(fixture, 1)
        let rule = try #require(
            try fixture.act { try fixture.archive.ignore(.address(maria), .address, by: "anna") })
        _ = try fixture.archive.ingest([fixture.arrival(9, text: "Later")])
        #expect(try blocked(fixture, rule).code == .undoBlocked)
    }

    @Test func `what came later and has nothing to do with it stays`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        let boris = try fixture.contact("Boris")
        let ignored = try #require(
            try fixture.act { try fixture.archive.ignore(.items([items[0].id]), by: "anna") })
        try fixture.act { try fixture.archive.link(.items([items[1].id]), to: [boris], by: "anna") }
        _ = try fixture.archive.ingest([fixture.arrival(9, text: "Later")])
        try fixture.archive.undo(ignored, by: "anna")
        #expect(try fixture.archive.historyCount(of: boris) == 1)
        #expect(try fixture.archive.openReviewCount() == 3)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `an address that only the action named goes with it`() throws {
        let fixture = try ArchiveFixture()
        let before = try fixture.dump()
        let id = try #require(
            try fixture.act { try fixture.contact("Maria", "maria@client.example", "m@else.example") })
        _ = try fixture.archive.ingest([fixture.arrival(1, from: "m@else.example")])
        let message = try #require(
            try fixture.archive.history(of: fixture.archive.findContact("Maria").id).first)
        #expect(message.subject == "Hello")
        try fixture.archive.undo(id, by: "anna")
        let addresses = try #require(try fixture.dump()["addresses"])
        #expect(addresses.contains { $0.contains("m@else.example") }, "mail names it")
        #expect(!addresses.contains { $0.contains("maria@client.example") })
        #expect(try fixture.archive.reviewItems().map(\.message) == [message.message])
        let other = try ArchiveFixture()
        let again = try #require(
            try other.act { try other.contact("Maria", "maria@client.example", "m@else.example") })
        try other.archive.undo(again, by: "anna")
        #expect(try other.dump()["addresses"] == before["addresses"])
    }

    @Test(arguments: [true, false])
    func `an address that mail names stays, whichever was the first to name it`(isFirst: Bool) throws {
        let fixture = try ArchiveFixture()
        let mail = fixture.arrival(
            1, from: "stranger@third.example", to: [isFirst ? "m@else.example" : "anna@firma.example"])
        _ = try fixture.archive.ingest([mail])
        let id = try #require(
            try fixture.act { try fixture.contact("Maria", "maria@client.example", "m@else.example") })
        if !isFirst {
            // Mail to a contact would be in the contact's history, and in the way.
            try fixture.archive.pool.write {
                try $0.execute(
                    sql: """
                        UPDATE participants SET address =
                            (SELECT id FROM addresses WHERE canonical = 'm@else.example')
                        WHERE role = 'to'
                        """)
            }
        }
        try fixture.archive.undo(id, by: "anna")
        let left = try fixture.archive.pool.read {
            try String.fetchSet($0, sql: "SELECT canonical FROM addresses")
        }
        #expect(left == ["anna@firma.example", "stranger@third.example", "m@else.example"])
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `an action for which there is no way back takes no earlier one back`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        let act = { (action: String, body: () throws -> Void) in
            let act = Act(person: "anna", systemUser: "anna", origin: "-", action: action)
            try Act.$current.withValue(act, operation: body)
        }
        try act("queue ignore") { _ = try fixture.archive.ignore(.items([items[0].id]), by: "anna") }
        let id = try fixture.archive.lastUndo(of: "anna").id
        try act("queue private") { _ = try fixture.archive.makePrivate(.items([items[1].id])) }
        let failure = #expect(throws: MailFailure.self) { try fixture.archive.lastUndo(of: "anna") }
        #expect(failure?.code == .undoBlocked && failure?.remedy?.contains("undo \(id)") == true)
        try fixture.archive.undo(id, by: "anna")
    }

    @Test func `what is too old is not taken back, though nobody has done anything since`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        let old = try #require(
            try fixture.act { try fixture.archive.ignore(.items([items[0].id]), by: "anna") })
        fixture.clock.advance(30 * 86_400)
        #expect(try fixture.archive.lastUndo(of: "anna").id == old)
        fixture.clock.advance(1)
        #expect(try blocked(fixture, old).code == .unknownUndo)
        #expect(throws: MailFailure.self) { try fixture.archive.lastUndo(of: "anna") }
        #expect(try fixture.archive.undoLog().isEmpty)
    }

    @Test func `old actions are forgotten, and no others`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        func kept() throws -> [Int64] {
            try fixture.archive.pool.read { try Int64.fetchAll($0, sql: "SELECT id FROM undo ORDER BY id") }
        }
        try fixture.act { try fixture.archive.ignore(.items([items[0].id]), by: "anna") }
        fixture.clock.advance(1)
        let newer = try #require(
            try fixture.act { try fixture.archive.ignore(.items([items[1].id]), by: "anna") })
        fixture.clock.advance(30 * 86_400)
        #expect(try kept().count == 2)
        try fixture.archive.forgetOldActions()
        #expect(try kept() == [newer.rawValue])
        fixture.clock.advance(1)
        try fixture.archive.forgetOldActions()
        #expect(try kept() == [])
    }

    @Test func `erasing somebody takes out every entry that tells of them, and no other`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        let boris = try fixture.contact("Boris")
        var erased = ContactID(rawValue: 0)
        try fixture.act("contact add") {
            erased = try fixture.contact("Secret Maria", "other@client.example")
        }
        try fixture.act("contact edit") {
            try fixture.archive.changeContact(erased) {
                $0 = ContactDraft(name: "Maria Secretova", emails: [maria])
            }
        }
        let kept = try #require(
            try fixture.act("contact edit") {
                try fixture.archive.changeContact(boris) { $0 = ContactDraft(name: "Boris B.") }
            })
        #expect(try fixture.archive.undoLog().count == 3)
        try fixture.archive.erase(erased)
        #expect(try fixture.archive.undoLog().map(\.id) == [kept])
        try fixture.archive.undo(kept, by: "anna")
        #expect(items.count == 3)
        #expect(try fixture.archive.verify().findings == [])
        #expect(try !fixture.holds("Secret"))
    }

    @Test func `a message that is made private is in no entry any more`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        try fixture.act { try fixture.archive.ignore(.items([items[0].id]), by: "anna") }
        let kept = try #require(
            try fixture.act { try fixture.archive.ignore(.items([items[1].id]), by: "anna") })
        try fixture.archive.makePrivate(items[0].message)
        #expect(try fixture.archive.undoLog().map(\.id) == [kept])
    }

    @Test func `old entries go, and the oldest when there is too much`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        try fixture.act { try fixture.archive.ignore(.items([items[0].id]), by: "anna") }
        fixture.clock.advance(31 * 86_400)
        let second = try fixture.act { try fixture.archive.ignore(.items([items[1].id]), by: "anna") }
        #expect(try fixture.archive.undoLog().map(\.id) == [second])

        let clock = fixture.clock
        var options = ArchiveOptions(clock: { clock.now })
        options.undoBytes = try fixture.archive.pool.read {
            try Int64.fetchOne($0, sql: "SELECT max(size) FROM undo") ?? 0
        }
        let bounded = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        let third = try fixture.act { try bounded.ignore(.items([items[2].id]), by: "anna") }
        #expect(try bounded.undoLog().map(\.id) == [third])
        options.undoBytes = 10
        let tiny = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        #expect(try fixture.act { try tiny.undo(try #require(third), by: "anna") } == nil)
        #expect(try fixture.act { try tiny.ignore(.items([items[2].id]), by: "anna") } == nil)
        #expect(try tiny.openReviewCount() == 0)
    }

    @Test func `what is too large to be taken back is done, and says so`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        let clock = fixture.clock
        var options = ArchiveOptions(clock: { clock.now })
        options.undoActionBytes = 10
        let bounded = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        let act = Act(person: "anna", systemUser: "root", origin: "-", action: "queue ignore")
        try Act.$current.withValue(act) { try bounded.ignore(.items([items[0].id]), by: "anna") }
        #expect(act.undo == nil && act.isTooLargeToUndo)
        #expect(try bounded.undoLog().isEmpty)
        #expect(try bounded.openReviewCount() == 2)
        let small = Act(person: "anna", systemUser: "root", origin: "-", action: "queue ignore")
        try Act.$current.withValue(small) {
            try fixture.archive.ignore(.items([items[1].id]), by: "anna")
        }
        #expect(small.undo != nil && !small.isTooLargeToUndo)
    }

    @Test func `a filed report is linked, taken out and both taken back, and waits for nobody`() throws {
        let fixture = try ArchiveFixture()
        let boris = try fixture.contact("Boris")
        _ = try DeliveryReportTests.sent(fixture)
        guard
            case .linked(let report, contacts: _) = try DeliveryReportTests.arrives(
                fixture, 1, DeliveryReportTests.report(envelope: "mw-envelope-1"))
        else { return #expect(Bool(false), "the report waits") }
        let before = try fixture.dump()
        let link = try #require(
            try fixture.act("message link") {
                try fixture.archive.link(report, to: [boris], by: "anna")
            })
        let unlink = try #require(
            try fixture.act("message unlink") {
                try fixture.archive.unlink(report, from: boris, by: "anna")
            })
        #expect(try fixture.archive.openReviewCount() == 0)
        #expect(try fixture.archive.verify().findings == [])
        #expect(
            try fixture.archive.undoLog().first?.subject?.contains("message \(report)") == true)
        try fixture.archive.undo(unlink, by: "anna")
        #expect(try fixture.archive.historyCount(of: boris) == 1)
        try fixture.archive.undo(link, by: "anna")
        #expect(try fixture.dump() == before)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a user takes back their own import`() throws {
        let fixture = try ArchiveFixture()
        let anna = fixture.archive.seen(by: try fixture.archive.viewer(named: "anna"))
        let before = try fixture.dump()
        var row = ContactImportRow(name: "Maria", emails: [maria])
        row.organisation = "Client Ltd"
        let id = try #require(
            try fixture.act("contact import") { _ = try anna.importContacts([row]) })
        try anna.undo(id, by: "anna")
        #expect(try fixture.dump() == before)
    }

    @Test func `a user takes back their own actions, all of the right those of others`() throws {
        let fixture = try ArchiveFixture()
        let items = try waiting(fixture)
        let anna = fixture.archive.seen(by: try fixture.archive.viewer(named: "anna"))
        let otto = try fixture.archive.addUser(name: "otto", email: nil)
        let byAdministrator = try #require(
            try fixture.act { try fixture.archive.ignore(.items([items[0].id]), by: "root") })
        let byAnna = try #require(try fixture.act { try anna.ignore(.items([items[1].id]), by: "anna") })
        #expect(try anna.undoLog().map(\.id) == [byAnna])
        #expect(throws: MailFailure.self) { try anna.undo(byAdministrator, by: "anna") }
        let other = fixture.archive.seen(by: .user(otto))
        #expect(try other.undoLog().isEmpty)
        #expect(throws: MailFailure.self) { try other.undo(byAnna, by: "otto") }
        // The mailbox is somebody else's by now: nothing in it is decided about.
        var settings = try fixture.archive.account(fixture.account).settings
        settings.user = otto
        try fixture.archive.editAccount(fixture.account, settings)
        let failure = #expect(throws: MailFailure.self) { try anna.undo(byAnna, by: "anna") }
        #expect(failure?.code == .rightMissing)
        #expect(try fixture.archive.undo(byAnna, by: "root").undoneBy == "root")
    }
}
