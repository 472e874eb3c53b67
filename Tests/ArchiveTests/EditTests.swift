import Foundation
import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

/// Other words stand in place of a message's own, everywhere, and the original is as it came.
@Suite struct EditTests {
    private let fixture: ArchiveFixture
    private let message: ArchivedMessageID

    init() throws {
        fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([
            fixture.arrival(1, text: "Confidential") {
                $0.snippet = "zebrafinch"
                $0.signature = "79161234567"
            }
        ])
        message = try #require(try fixture.archive.reviewItems().first).message
        try fixture.archive.index([SearchText(message: message, body: "zebrafinch")])
    }

    private static let words = EditedWords(
        subject: "Harmless", text: "goldcrest", snippet: "goldcrest", signature: "79031234567")

    private func index() throws {
        for due in try fixture.archive.unindexed(limit: 10) {
            let text = try fixture.archive.readable(due).edit?.text ?? "zebrafinch"
            try fixture.archive.index([SearchText(message: due, body: text)])
        }
    }

    private func found(_ word: String) throws -> Bool {
        try !fixture.archive.search(SearchQuery(word)).isEmpty
    }

    private func signature() throws -> String? {
        try fixture.archive.pool.read { try String.fetchOne($0, sql: "SELECT signature FROM messages") }
    }

    @Test func `what is refused leaves everything as it is`() throws {
        _ = try fixture.archive.ingest([
            fixture.arrival(2, text: "Gone"),
            Arrival(
                folder: fixture.inbox, uidValidity: UIDValidity(7), uid: UID(3), internalDate: nil,
                original: MessageBytes([0]), originalDigest: fixture.digest([0]), content: nil,
                parserVersion: 1),
        ])
        let items = try fixture.archive.reviewItems()
        let unreadable = try #require(items.first { $0.address == nil }).message
        let gone = try #require(items.first { $0.subject == "Gone" }).message
        try fixture.archive.makePrivate(gone)
        let before = try fixture.dump()
        let long = String(repeating: "x", count: EditedWords.textLimit + 1)
        let tries: [(ArchivedMessageID, EditedWords, MailFailure.Code)] = [
            (message, EditedWords(subject: nil, text: nil), .invalidValue),
            (message, EditedWords(subject: nil, text: long), .invalidValue),
            (message, EditedWords(subject: nil, text: "a\0b"), .invalidValue),
            (unreadable, Self.words, .invalidValue), (gone, Self.words, .unknownMessage),
            (ArchivedMessageID(rawValue: 99), Self.words, .unknownMessage),
        ]
        for (id, words, code) in tries {
            let failure = #expect(throws: MailFailure.self) {
                try fixture.archive.edit(id, words, by: "anna")
            }
            #expect(failure?.code == code)
        }
        let failure = #expect(throws: MailFailure.self) {
            try fixture.archive.revertEdit(of: message, signature: nil)
        }
        #expect(failure?.code == .invalidValue)
        #expect(try fixture.dump() == before)
    }

    @Test func `everybody is shown the new words, and the original is what came`() throws {
        let before = try fixture.archive.original(of: message).withUnsafeBytes { Array($0) }
        try fixture.archive.edit(message, Self.words, by: "anna")
        // What went is not found from that moment on, be it that the new text is not indexed yet.
        #expect(try !found("zebrafinch"))
        try index()
        #expect(try found("goldcrest") && found("harmless") && !found("zebrafinch") && !found("confidential"))
        let item = try #require(try fixture.archive.reviewItems().first)
        #expect(item.subject == "Harmless" && item.snippet == "goldcrest")
        #expect(try signature() == "79031234567")
        let shown = try fixture.archive.message(message)
        #expect(shown.subject == "Harmless" && shown.snippet == "goldcrest")
        #expect(
            shown.edited
                == EditNote(
                    person: "anna", at: fixture.clock.now, parts: ["subject", "text"], mayReadOriginal: true))
        let maria = try fixture.contact("Maria", "maria@client.example")
        let entry = try #require(try fixture.archive.history(of: maria).first)
        #expect(entry.subject == "Harmless" && entry.snippet == "goldcrest" && entry.editedBy == "anna")
        #expect(try signature() == nil)
        #expect(try fixture.archive.original(of: message).withUnsafeBytes { Array($0) } == before)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a second edit begins with the first, and reverting gives the message's own words`() throws {
        let before = try fixture.dump()
        try fixture.archive.edit(message, EditedWords(subject: "One", text: nil), by: "anna")
        try fixture.archive.edit(
            message, EditedWords(subject: nil, text: "", snippet: nil), by: "otto")
        let shown = try fixture.archive.message(message)
        #expect(shown.subject == "One" && shown.snippet == nil && shown.edited?.person == "otto")
        let edit = try #require(try fixture.archive.readable(message).edit)
        #expect(edit.subject == "One" && edit.text?.isEmpty == true)
        try fixture.archive.edit(message, EditedWords(subject: " \n", text: nil), by: "otto")
        #expect(try fixture.archive.message(message).subject == nil)
        #expect(try fixture.archive.verify().findings == [])
        try fixture.archive.revertEdit(of: message, signature: "79161234567")
        try index()
        #expect(try fixture.dump() == before)
        #expect(try found("zebrafinch") && found("confidential"))
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `an edit is taken back though the index has followed it`() throws {
        let before = try fixture.dump()
        let edit = try #require(
            try fixture.act("message edit") { try fixture.archive.edit(message, Self.words, by: "anna") })
        try index()
        let revert = try #require(
            try fixture.act("message edit") {
                try fixture.archive.revertEdit(of: message, signature: "79161234567")
            })
        try index()
        try fixture.archive.undo(revert, by: "anna")
        #expect(try !found("zebrafinch"))
        try index()
        #expect(try found("goldcrest"))
        #expect(try fixture.archive.message(message).edited?.person == "anna")
        try fixture.archive.undo(edit, by: "anna")
        #expect(try !found("goldcrest"))
        try index()
        #expect(try found("zebrafinch"))
        #expect(try fixture.dump() == before)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `the audit log has the edit, and none of its words`() throws {
        try fixture.act("message edit") { try fixture.archive.edit(message, Self.words, by: "anna") }
        let entry = try #require(try fixture.archive.auditLog().first)
        #expect(entry.action == "message edit" && entry.person == "anna")
        #expect(entry.subject == "message \(message)")
    }

    @Test func `what is erased takes its edit along`() throws {
        try fixture.act("message edit") { try fixture.archive.edit(message, Self.words, by: "anna") }
        try index()
        #expect(try fixture.holds("goldcrest"))
        let maria = try fixture.contact("Maria", "maria@client.example")
        #expect(try fixture.archive.erase(maria).erased == [message])
        for word in ["goldcrest", "Harmless", "zebrafinch", "Confidential"] {
            #expect(try !fixture.holds(word), "\(word)")
        }
        #expect(try fixture.archive.undoLog().isEmpty)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a backup has the edit`() throws {
        try fixture.archive.edit(message, Self.words, by: "anna")
        let backup = fixture.directory + "-backup"
        let restored = fixture.directory + "-restored"
        defer { for path in [backup, restored] { try? FileManager.default.removeItem(atPath: path) } }
        _ = try fixture.archive.backup(to: backup)
        _ = try Archive.restore(from: backup, to: restored)
        let archive = try Archive.open(directory: restored, key: fixture.key)
        #expect(try archive.readable(message).edit?.text == "goldcrest")
    }

    @Test(arguments: [
        "UPDATE messages SET subject = 'Confidential'", "UPDATE message_edits SET subject = NULL",
        "UPDATE search SET body = 'zebrafinch'",
    ])
    func `verify finds a message that is not shown as it was edited`(sql: String) throws {
        try fixture.archive.edit(message, Self.words, by: "anna")
        try index()
        try fixture.archive.pool.write { try $0.execute(sql: sql) }
        let findings = try fixture.archive.verify().findings
        #expect(!findings.isEmpty && findings.allSatisfy { $0.message == message })
    }

    @Test func `verify compares the original with the message's own words`() throws {
        try fixture.archive.edit(message, Self.words, by: "anna")
        let arrival = fixture.arrival(1, text: "Confidential") { $0.snippet = "zebrafinch" }
        func findings(_ content: Content?) throws -> [String] {
            let report = try fixture.archive.verify(reread: { batch in batch.map { _ in content } })
            return (report.findings + report.readDifferently).map(\.text)
        }
        #expect(try findings(arrival.content) == [])
        var other = try #require(arrival.content)
        other.snippet = "goldcrest"
        #expect(try findings(other).contains { $0.contains("first words") })
    }

    @Test func `colleagues read the edit, the mailbox's user and who reviews it the original too`() throws {
        let boris = try fixture.archive.addUser(name: "boris")
        func archive(_ scopes: [Right: Scope]) throws -> Archive {
            let role = "role \(scopes.count)"
            try fixture.archive.addRole(name: role, scopes)
            var draft = UserDraft(try fixture.archive.user(named: "boris"))
            draft.role = role
            try fixture.archive.editUser(boris, draft)
            return fixture.archive.seen(by: .user(boris))
        }
        try fixture.contact("Maria", "maria@client.example")
        let reader = try archive([.read: .all])
        #expect(try reader.original(of: message).count > 0)
        let failure = #expect(throws: MailFailure.self) {
            try reader.edit(message, Self.words, by: "boris")
        }
        #expect(failure?.code == .rightMissing)
        try fixture.archive.edit(message, Self.words, by: "anna")
        let refused = #expect(throws: MailFailure.self) { try reader.original(of: message) }
        #expect(refused?.code == .undisclosed)
        #expect(try reader.readable(message).edit?.text == "goldcrest")
        #expect(try reader.message(message).edited?.mayReadOriginal == false)
        let anna = fixture.archive.seen(by: try fixture.archive.viewer(named: "anna"))
        #expect(try anna.original(of: message).count > 0)
        #expect(try anna.message(message).edited?.mayReadOriginal == true)
        let reviewer = try archive([.read: .all, .review: .all])
        #expect(try reviewer.original(of: message).count > 0)
        try reviewer.edit(message, EditedWords(subject: "Other", text: nil), by: "boris")
        // Of what is kept from colleagues nobody edits the text.
        var settings = try fixture.archive.account(fixture.account).settings
        settings.colleaguesSee = .people
        try fixture.archive.editAccount(fixture.account, settings)
        let hidden = #expect(throws: MailFailure.self) {
            try reviewer.edit(message, Self.words, by: "boris")
        }
        #expect(hidden?.code == .undisclosed)
    }
}
