import Foundation
import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

/// What owners are told.
@Suite struct EventTests {
    private let fixture: ArchiveFixture
    private let otto: UserID
    private let maria: ContactID

    init() throws {
        fixture = try ArchiveFixture()
        otto = try fixture.archive.addUser(name: "otto", email: EmailAddress("otto@firma.example"))
        var draft = ContactDraft(name: "Maria", emails: [EmailAddress("maria@client.example")!])
        draft.owner = otto
        draft.notifyOwner = true
        maria = try fixture.archive.addContact(draft).id
    }

    /// Fresh mail of Maria's.
    private func mail(
        _ uid: UInt32, _ text: String, from: String = "maria@client.example",
        to: [String] = ["anna@firma.example"],
        age: Int64 = 60, folder: FolderID? = nil, change: (inout Content) -> Void = { _ in }
    ) -> Arrival {
        let received = fixture.clock.now.advanced(bySeconds: -age)
        var arrival = fixture.arrival(uid, from: from, to: to, text: text, folder: folder) {
            $0.date = received
            change(&$0)
        }
        arrival.internalDate = received
        return arrival
    }

    private func told() throws -> [String?] { try fixture.archive.events().map(\.subject) }

    @Test func `nobody is told of programs, lists, reports, old mail, our own, or what others wrote`() throws
    {
        let old = mail(5, "Old", age: 4 * 86_400)
        _ = try fixture.archive.ingest([
            mail(1, "List") { $0.category = .list }, mail(2, "Automatic") { $0.category = .automatic },
            mail(3, "Report") { $0.isDeliveryReport = true },
            mail(
                4, "In copy", from: "stranger@else.example",
                to: ["anna@firma.example", "maria@client.example"]),
            old,
            mail(1, "Ours", from: "anna@firma.example", to: ["maria@client.example"], folder: fixture.sent),
            mail(6, "Stranger", from: "stranger@else.example"),
        ])
        #expect(try told() == [])
        _ = try fixture.archive.ingest([mail(7, "News")])
        #expect(try told() == ["News"])
    }

    @Test func `an event says who wrote what to whom, and is for the owner`() throws {
        _ = try fixture.archive.ingest([mail(1, "News")])
        let event = try #require(try fixture.archive.events().first)
        #expect(event.user == "otto" && event.contact == maria && event.contactName == "Maria")
        #expect(event.subject == "News" && event.from == "maria@client.example" && event.digest == nil)
        #expect(try fixture.archive.history(of: maria).map(\.message) == [event.message])
    }

    @Test func `at most one an hour, for each contact by itself`() throws {
        let boris = try fixture.contact("Boris", "boris@client.example")
        try fixture.archive.changeContact(boris) { [otto] draft in
            draft.owner = otto
            draft.notifyOwner = true
        }
        _ = try fixture.archive.ingest([
            mail(1, "One"), mail(2, "Two"), mail(3, "Boris", from: "boris@client.example"),
        ])
        #expect(try told() == ["Boris", "One"])
        fixture.clock.advance(3599)
        _ = try fixture.archive.ingest([mail(4, "Too soon")])
        fixture.clock.advance(1)
        _ = try fixture.archive.ingest([mail(5, "Next")])
        #expect(try told() == ["Next", "Boris", "One"])
    }

    @Test func `without the mark, an owner, or an owner who may sign in, nothing is raised`() throws {
        try fixture.archive.changeContact(maria) { $0.notifyOwner = false }
        _ = try fixture.archive.ingest([mail(1, "Unmarked")])
        try fixture.archive.changeContact(maria) {
            $0.notifyOwner = true
            $0.owner = nil
        }
        _ = try fixture.archive.ingest([mail(2, "Nobody's")])
        try fixture.archive.changeContact(maria) { [otto] in $0.owner = otto }
        try fixture.archive.editUser(otto) { $0.isEnabled = false }
        _ = try fixture.archive.ingest([mail(3, "Disabled")])
        #expect(try told() == [])
    }

    @Test func `an event is gone with its contact, its message, or its place in the history`() throws {
        _ = try fixture.archive.ingest([mail(1, "Unlinked")])
        let event = try #require(try fixture.archive.events().first)
        try fixture.archive.unlink(event.message, from: maria, by: "otto")
        #expect(try told() == [])
        fixture.clock.advance(3600)
        _ = try fixture.archive.ingest([mail(2, "Private")])
        let second = try #require(try fixture.archive.events().first)
        try fixture.archive.makePrivate(second.message)
        #expect(try told() == [])
        fixture.clock.advance(3600)
        _ = try fixture.archive.ingest([mail(3, "Erased")])
        #expect(try told() == ["Erased"])
        _ = try fixture.archive.erase(maria)
        #expect(
            try fixture.archive.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM events") } == 0)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `merging takes events along, and neither they nor digests stand in the way of undo`() throws {
        let act = try #require(
            try fixture.act("contact add") { try fixture.contact("Petra", "petra@client.example") })
        let petra = try fixture.archive.findContact("petra@client.example").id
        try fixture.archive.changeContact(maria) { $0.notifyOwner = true }
        _ = try fixture.archive.ingest([mail(1, "News")])
        let merge = try #require(
            try fixture.act("contact merge") { try fixture.archive.mergeContacts([maria], into: petra) })
        #expect(try fixture.archive.events().map(\.contact) == [petra])
        try fixture.archive.openDigests(every: 60)
        try fixture.archive.undo(merge, by: "anna")
        try fixture.archive.undo(act, by: "anna")
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `each event is in one digest, and a user has one in a while`() throws {
        _ = try fixture.archive.ingest([mail(1, "One")])
        try fixture.archive.openDigests(every: 3600)
        let digest = try #require(try fixture.archive.digestsToQueue().first)
        #expect(digest.address.addrSpec == "otto@firma.example")
        // Again, also in another process: nothing new.
        try fixture.reopened().openDigests(every: 3600)
        #expect(try fixture.archive.digestsToQueue().map(\.id) == [digest.id])
        try fixture.archive.noteDigest(digest.id, queuedAs: nil)
        fixture.clock.advance(3601)
        _ = try fixture.archive.ingest([mail(2, "Two")])
        try fixture.archive.openDigests(every: 7200)
        #expect(try fixture.archive.digestsToQueue().isEmpty)
        try fixture.archive.openDigests(every: 3600)
        let second = try #require(try fixture.archive.digestsToQueue().first)
        #expect(try fixture.archive.events(of: second.id).map(\.subject) == ["Two"])
        #expect(throws: DatabaseError.self) {
            try fixture.archive.pool.write {
                try $0.execute(sql: "UPDATE events SET digest = ?", arguments: [second.id.rawValue])
            }
        }
    }

    @Test func `what is old is told by nobody, and forgotten later`() throws {
        _ = try fixture.archive.ingest([mail(1, "One")])
        fixture.clock.advance(8 * 86_400)
        try fixture.archive.openDigests(every: 60)
        #expect(try fixture.archive.digestsToQueue().isEmpty)
        try fixture.archive.forgetOldEvents()
        #expect(try told() == ["One"])
        fixture.clock.advance(83 * 86_400)
        try fixture.archive.forgetOldEvents()
        #expect(try told() == [])
        let count = try fixture.archive.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM events") }
        #expect(count == 0)
    }

    @Test func `a user who lost the contact hears of it no more`() throws {
        _ = try fixture.archive.ingest([mail(1, "News")])
        let seen = fixture.archive.seen(by: .user(otto))
        #expect(try seen.events().map(\.subject) == ["News"])
        let anna = try fixture.archive.viewer(named: "anna")
        #expect(try fixture.archive.seen(by: anna).events().isEmpty)
        try fixture.archive.changeContact(maria) { $0.owner = nil }
        #expect(try seen.events().isEmpty)
    }

    @Test func `what a backup had is told by nobody once it is restored`() throws {
        _ = try fixture.archive.ingest([mail(1, "Opened")])
        try fixture.archive.openDigests(every: 60)
        fixture.clock.advance(3601)
        _ = try fixture.archive.ingest([mail(2, "Untold")])
        let (backup, target) = (fixture.directory + "-backup", fixture.directory + "-restored")
        defer { for path in [backup, target] { try? FileManager.default.removeItem(atPath: path) } }
        _ = try fixture.archive.backup(to: backup)
        let clock = fixture.clock
        _ = try Archive.restore(from: backup, to: target, clock: { clock.now })
        let restored = try Archive.open(
            directory: target, key: nil, options: ArchiveOptions(clock: { clock.now }))
        fixture.clock.advance(3601)
        try restored.openDigests(every: 60)
        #expect(try restored.digestsToQueue().isEmpty)
        // They are listed still.
        #expect(try restored.events().map(\.subject) == ["Untold", "Opened"])
    }
}

extension Archive {
    fileprivate func editUser(_ id: UserID, _ change: (inout UserDraft) -> Void) throws {
        var draft = UserDraft(try users().first { $0.id == id }!)
        change(&draft)
        try editUser(id, draft)
    }
}
