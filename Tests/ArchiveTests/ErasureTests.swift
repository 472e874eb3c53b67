import Foundation
import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

@Suite struct ErasureTests {
    @Test func `a kill between the transaction and the overwriting is made good by the next opening`() throws
    {
        let fixture = try ArchiveFixture()
        try fixture.contact("Maria", "maria@client.example")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, text: "Sensitive"), fixture.arrival(2, from: "x@y.example", text: "Other"),
        ])
        let message = try #require(
            try fixture.archive.messages(withID: MessageID(rawValue: "Sensitive@client.example")).first)
        try fixture.archive.write { db in
            try MessageEraser(db, time: fixture.clock.now).erase([message], for: .madePrivate)
        }
        let unread = #expect(throws: MailFailure.self) { try fixture.archive.original(of: message) }
        #expect(unread?.code == .originalErased)
        #expect(try fixture.packBytes().range(of: Data("Sensitive".utf8)) != nil)
        #expect(
            try fixture.archive.verify().findings.map(\.text) == [
                "its erasure was interrupted; any mailworker command ends it"
            ])

        let again = try fixture.reopened()
        #expect(try fixture.packBytes().range(of: Data("Sensitive".utf8)) == nil)
        let report = try again.verify()
        #expect(report.findings == [])
        #expect(report.erasedOriginals == 1)
        #expect(report.originals == 1)
    }

    @Test func `a kill before the log is begun anew is made good by the next opening`() throws {
        let fixture = try ArchiveFixture()
        let message = try #require(
            try fixture.archive.ingest([fixture.arrival(1, text: "Sensitive")]).first.flatMap { outcome in
                if case .review(let message) = outcome { message } else { nil }
            })
        try fixture.archive.write { db in
            try MessageEraser(db, time: fixture.clock.now).erase([message], for: .madePrivate)
            try db.execute(sql: "UPDATE originals SET erasure = 'done'")
        }
        let log = URL(fileURLWithPath: fixture.directory + "/mailworker.db-wal")
        #expect(try Data(contentsOf: log).range(of: Data("Sensitive".utf8)) != nil)
        _ = try fixture.reopened()
        #expect(try Data(contentsOf: log).range(of: Data("Sensitive".utf8)) == nil)
        #expect(
            try fixture.archive.read {
                try Int.fetchOne($0, sql: "SELECT count(*) FROM settings WHERE name = 'erasure-unfinished'")
            } == 0)
    }

    @Test func `while readers keep the log, the next opening neither waits nor forgets`() throws {
        let fixture = try ArchiveFixture()
        try fixture.contact("Maria Marker", "maria@client.example")
        let log = URL(fileURLWithPath: fixture.directory + "/mailworker.db-wal")
        func holdsLog() throws -> Bool {
            try Data(contentsOf: log).range(of: Data("Maria Marker".utf8)) != nil
        }
        let started = ContinuousClock.now
        try fixture.archive.pool.read { db in
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM contacts")
            try fixture.archive.write { db in try Archive.noteUnfinishedErasure(db) }
            _ = try fixture.reopened()
            #expect(try holdsLog())
        }
        #expect(ContinuousClock.now - started < .seconds(20))
        _ = try fixture.reopened()
        #expect(try !holdsLog())
    }

    @Test func `bytes of an interrupted batch are overwritten with the message`() throws {
        let fixture = try ArchiveFixture()
        let arrival = fixture.arrival(1, text: "Sensitive")
        try fixture.archive.pool.writeWithoutTransaction { db in
            let item = OriginalsStore.Item(bytes: arrival.original, digest: arrival.originalDigest)
            _ = try fixture.archive.originals.append([item], db: db, at: fixture.clock.now)
        }
        let outcome = try fixture.archive.ingest([arrival])
        guard case .review(let message) = outcome[0] else { return #expect(Bool(false), "\(outcome)") }
        try fixture.archive.makePrivate(message)
        #expect(try !fixture.holds("Sensitive"))
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `what is erased is gone from rows, packs and log, and everybody else's stays`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria Marker", "maria@client.example")
        let other = try fixture.contact("Other", "other@else.example")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, text: "Sensitive"),
            fixture.arrival(2, to: ["anna@firma.example", "other@else.example"], text: "Shared"),
            fixture.arrival(3, from: "other@else.example", text: "Unrelated"),
        ])
        let plan = try fixture.archive.erasurePlan(of: maria)
        #expect(plan.erased.count == 1 && plan.kept.count == 1)
        #expect(try fixture.archive.historyCount(of: maria) == 2)

        #expect(try fixture.archive.erase(maria).erased == plan.erased)
        for word in ["Sensitive", "Maria Marker"] { #expect(try !fixture.holds(word), "\(word)") }
        let unknown = #expect(throws: MailFailure.self) { try fixture.archive.erasurePlan(of: maria) }
        #expect(unknown?.code == .unknownContact)
        #expect(try fixture.archive.historyCount(of: other) == 2)
        #expect(try fixture.archive.original(of: plan.kept[0]).count > 0)
        #expect(try fixture.archive.verify().findings == [])
        // Nobody else gets the number.
        #expect(try fixture.contact("New", "new@else.example") > other)
    }

    @Test func `who became part of an erased contact is forgotten with it`() throws {
        let fixture = try ArchiveFixture()
        let kept = try fixture.contact("Maria", "maria@client.example")
        var other = ContactID(rawValue: 0)
        try fixture.act("contact add") {
            var draft = ContactDraft(name: "Marker Pelikan")
            draft.details.phones = ["+7 495 123-45-67"]
            other = try fixture.archive.addContact(draft).id
        }
        try fixture.act("contact merge") { try fixture.archive.mergeContacts([other], into: kept) }
        try fixture.archive.erase(kept)
        #expect(try fixture.archive.undoLog().isEmpty)
        #expect(try !fixture.holds("Marker Pelikan"))
        #expect(try !fixture.holds("123-45-67"))
        #expect(try fixture.contact("New", "new@else.example") > other)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `an address that the contact had once is in no file, and others' changes can be taken back`()
        throws
    {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let other = try fixture.contact("Other", "other@else.example")
        func change(_ contact: ContactID, to emails: [String]) throws {
            try fixture.act("contact edit") {
                try fixture.archive.changeContact(contact) { draft in
                    draft.emails = emails.compactMap { EmailAddress($0) }
                }
            }
        }
        for (contact, name) in [(maria, "maria@client.example"), (other, "other@else.example")] {
            try change(contact, to: [name, "once-\(name)"])
            try change(contact, to: [name])
        }
        try fixture.archive.erase(maria)
        #expect(try !fixture.holds("once-maria"))
        let last = try #require(try fixture.archive.undoLog().first)
        try fixture.archive.undo(last.id, by: "anna")
        #expect(try fixture.archive.contact(other).emails.count == 2)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `no warning of a like address names an erased contact, and others still warn`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client-marker.example")
        try fixture.contact("Boris", "boris@other-firm.example")
        func reasons() throws -> Set<String> { Set(try fixture.archive.reviewItems().map(\.reason)) }
        _ = try fixture.archive.ingest([
            fixture.arrival(1, from: "maria@c1ient-marker.example", text: "Whole"),
            fixture.arrival(2, from: "x@cl1ent-marker.example", text: "Domain"),
            fixture.arrival(3, from: "x@0ther-firm.example", text: "Other"),
        ])
        #expect(try fixture.holds("client-marker.example"))
        // A change that tells of the warning too: the rule that hid it is taken away.
        let rule = try fixture.archive.addRule(RulePattern("x@cl1ent-marker.example"), by: "anna").id
        let undo = try fixture.act("rule remove") { try fixture.archive.removeRule(rule, by: "anna") }
        #expect(undo != nil)
        #expect(try reasons().contains { $0.hasSuffix("it looks like client-marker.example") })
        try fixture.archive.erase(maria)
        #expect(
            try reasons() == [
                "No matching contacts for maria@c1ient-marker.example",
                "No matching contacts for x@cl1ent-marker.example",
                "No matching contacts for x@0ther-firm.example: it looks like other-firm.example",
            ])
        #expect(try !fixture.holds("client-marker.example"))
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a domain where another contact is stays in the warning`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client-firm.example")
        try fixture.contact("Boris", "boris@client-firm.example")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, from: "maria@c1ient-firm.example", text: "Whole"),
            fixture.arrival(2, from: "x@c1ient-firm.example", text: "Domain"),
        ])
        try fixture.archive.erase(maria)
        #expect(
            Set(try fixture.archive.reviewItems().map(\.reason)) == [
                "No matching contacts for maria@c1ient-firm.example: it looks like client-firm.example",
                "No matching contacts for x@c1ient-firm.example: it looks like client-firm.example",
            ])
    }

    @Test func `neither a poll nor an import brings an erased message back, in any copy`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let first = fixture.arrival(1, text: "Sensitive")
        _ = try fixture.archive.ingest([first])
        let message = try fixture.archive.erase(maria).erased[0]
        var again = first
        again.uidValidity = UIDValidity(8)
        var imported = first
        imported.uid = nil
        // Another way to us, and with it other bytes; from the sender's own folder, with a Bcc.
        let copy = fixture.arrival(
            5, bcc: ["blind@else.example"], text: "Sensitive", transport: "Received: by mx\r\n",
            folder: fixture.sent)
        var importedCopy = copy
        importedCopy.uid = nil
        for _ in 1...2 {
            let outcomes = try fixture.archive.ingest([again, imported, copy, importedCopy])
            #expect(outcomes.allSatisfy { $0 == .duplicate(of: message) || $0 == .alreadyKnown })
        }
        #expect(try !fixture.holds("Sensitive"))
        #expect(try fixture.archive.ledgerCounts() == [.private: 1, .duplicate: 2])
        #expect(try fixture.archive.message(message).participants == [])
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `erased mail without a Message-ID does not come back with another copy either`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        func nameless(_ uid: UInt32?, _ transport: String, _ text: String = "Sensitive") -> Arrival {
            fixture.arrival(uid, text: text, transport: transport) { $0.messageID = nil }
        }
        _ = try fixture.archive.ingest([nameless(1, ""), nameless(2, "", "Other")])
        let message = try fixture.archive.erase(maria).erased[0]
        let copies = [nameless(3, "Received: by mx\r\n"), nameless(nil, "Received: by other\r\n")]
        #expect(
            try fixture.archive.ingest(copies) == [.duplicate(of: message), .duplicate(of: message)])
        #expect(try !fixture.holds("Sensitive"))
        #expect(try fixture.archive.verify().findings == [])
        // Another mail of the same words is another mail, and so may be one that says the same without a date.
        var later = nameless(4, "Received: by mx\r\n")
        later.content?.contentDigest = fixture.digest("of a later date")
        var dateless = nameless(5, "Received: by third\r\n")
        dateless.content?.date = nil
        for outcome in try fixture.archive.ingest([later, dateless]) {
            guard case .review = outcome else { return #expect(Bool(false), "\(outcome)") }
        }
    }

    @Test func `two living messages without a Message-ID stay two`() throws {
        let fixture = try ArchiveFixture()
        let arrivals = ["", "Received: by mx\r\n"].enumerated().map { index, transport in
            fixture.arrival(UInt32(index + 1), text: "Same", transport: transport) { $0.messageID = nil }
        }
        for outcome in try fixture.archive.ingest(arrivals) {
            guard case .review = outcome else { return #expect(Bool(false), "\(outcome)") }
        }
    }

    @Test func `an erasure waits for a backup, and has changed nothing`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let held = try fixture.archive.holdMaintenance()
        let failure = #expect(throws: MailFailure.self) { try fixture.reopened().erase(maria) }
        #expect(failure?.code == .archiveBusy)
        held.release()
        #expect(try fixture.archive.contact(maria).name == "Maria")
    }

    @Test func `an erasure tells how far it is`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        _ = try fixture.archive.ingest((UInt32(1)...3).map { fixture.arrival($0, text: "Number \($0)") })
        var told: [ErasureProgress] = []
        try fixture.archive.erase(maria) { told.append($0) }
        let messages = (0..<3).map { ErasureProgress.messages(done: $0, total: 3) }
        #expect(told == messages + [.packs(done: 0, total: 1), .searchIndex])
    }
}
