import Foundation
import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

/// Words find mail in any of their forms, and nobody finds what they may not see.
@Suite struct SearchTests {
    let fixture: ArchiveFixture
    init() throws { fixture = try ArchiveFixture() }

    /// Files a message and indexes it with this text.
    @discardableResult
    private func file(
        _ uid: UInt32, _ body: String, subject: String = "Письмо", bcc: [String] = [], folder: FolderID? = nil
    ) throws -> ArchivedMessageID {
        let arrival = fixture.arrival(
            uid, bcc: bcc, messageID: "\(uid)@x.example", text: body, folder: folder
        ) {
            $0.subject = subject
        }
        _ = try fixture.archive.ingest([arrival])
        let message = try #require(
            try fixture.archive.messages(withID: MessageID(rawValue: "\(uid)@x.example")).first)
        try fixture.archive.index([SearchText(message: message, body: body)])
        return message
    }

    private func found(
        _ words: String, in archive: Archive? = nil, change: (inout SearchFilter) -> Void = { _ in }
    )
        throws -> [ArchivedMessageID]
    {
        var filter = SearchFilter()
        change(&filter)
        return try (archive ?? fixture.archive).search(SearchQuery(words), filter).map(\.message)
    }

    @Test(arguments: ["", "   ", "-черновик", "\"", "***", "()"])
    func aQueryWithoutAWordIsRefused(_ text: String) {
        #expect(throws: MailFailure.self) { _ = try SearchQuery(text) }
    }

    @Test(arguments: [
        "a\" OR \"b", "subject:x", "NEAR(a b)", "{body} : x", "a AND", "^a", "x*y*", "'; DROP TABLE search",
        "\u{0}x",
        "-", "- a", "\"open", "a -\"b", "OR", "OR OR a", "a OR",
    ])
    func noQueryBreaksTheSearch(_ text: String) throws {
        try file(1, "Text")
        if let query = try? SearchQuery(text) { _ = try fixture.archive.search(query) }
    }

    @Test(arguments: [
        ("договор", true), ("договоры", true), ("Договором", true), ("ДОГОВОРА", true), ("invoice", true),
        ("invoices", true), ("ёлка", true), ("елки", true), ("догов*", true), ("договор поставка", true),
        ("\"договора поставки\"", true), ("\"поставки договора\"", false), ("договор -поставка", false),
        ("отсутствует OR invoice", true), ("отсутствует", false), ("maria@client.example", true),
    ])
    func wordsAreFoundInTheirForms(_ words: String, _ isFound: Bool) throws {
        let message = try file(1, "Проект договора поставки: ёлки. Two invoices enclosed.")
        #expect(try found(words) == (isFound ? [message] : []))
    }

    @Test func whatIsNotIndexedYetIsDueAndNothingElse() throws {
        _ = try fixture.archive.ingest([fixture.arrival(1, text: "One"), fixture.arrival(2, text: "Two")])
        let due = try fixture.archive.unindexed(limit: 10)
        #expect(due.count == 2)
        #expect(try fixture.archive.index(due.map { SearchText(message: $0, body: "word") }) == 2)
        #expect(try fixture.archive.index(due.map { SearchText(message: $0, body: "other") }) == 0)
        #expect(try fixture.archive.searchBacklog() == 0)
        try fixture.archive.emptySearchIndex()
        #expect(try found("word").isEmpty)
        #expect(try fixture.archive.searchBacklog() == 2)
    }

    @Test func filtersNarrow() throws {
        let maria = try fixture.contact("Maria", "maria@client.example")
        let other = try fixture.contact("Other", "other@client.example")
        let message = try file(1, "word")
        #expect(try found("word") { $0.contact = maria } == [message])
        #expect(try found("word") { $0.contact = other }.isEmpty)
        #expect(try found("word") { $0.account = "anna" } == [message])
        #expect(throws: MailFailure.self) { _ = try found("word") { $0.account = "nobody" } }
        #expect(try found("word") { $0.from = "MARIA" } == [message])
        #expect(try found("word") { $0.from = "%" }.isEmpty)
        try fixture.archive.write { try $0.execute(sql: "UPDATE participants SET name = 'Ольга Белова'") }
        for name in ["Белова", "белова", "БЕЛОВА"] {
            #expect(try found("word") { $0.from = name } == [message])
        }
        #expect(try found("word") { $0.direction = .outgoing }.isEmpty)
        #expect(try found("word") { $0.hasAttachment = true }.isEmpty)
        #expect(try found("word") { $0.notBefore = UnixTime(1_700_000_001) }.isEmpty)
        #expect(try found("word") { $0.before = UnixTime(1_700_000_001) } == [message])
    }

    @Test func nobodyFindsWordsThatTheyMayNotRead() throws {
        let message = try file(1, "secret", subject: "Offer", bcc: ["hidden@x.example"], folder: fixture.sent)
        let boris = try fixture.archive.addUser(name: "boris")
        let archive = fixture.archive.seen(by: .user(boris))
        #expect(try found("secret", in: archive).isEmpty)
        // A colleague's mailbox that shows subjects and people only.
        try fixture.archive.addRole(name: "reader", [.read: .all])
        var draft = UserDraft(try fixture.archive.user(named: "boris"))
        draft.role = "reader"
        try fixture.archive.editUser(boris, draft)
        #expect(try found("secret", in: archive) == [message])
        var settings = try fixture.archive.account(fixture.account).settings
        settings.colleaguesSee = .people
        try fixture.archive.editAccount(fixture.account, settings)
        #expect(try found("offer", in: archive) == [message])
        #expect(try found("secret", in: archive).isEmpty)
        let hit = try #require(try archive.search(SearchQuery("offer")).first)
        #expect(hit.snippet == nil && hit.disclosure == .people)
        settings.colleaguesSee = .presence
        try fixture.archive.editAccount(fixture.account, settings)
        #expect(try found("offer", in: archive).isEmpty)
    }

    @Test func theWordsOfErasedMailAreInNoFile() throws {
        try fixture.contact("Maria", "maria@client.example")
        let message = try file(1, "zebrafinch")
        for uid in 2...40 { try file(UInt32(uid), "other words \(uid)") }
        try fixture.archive.makePrivate(message)
        #expect(try found("zebrafinch").isEmpty)
        #expect(try fixture.archive.searchBacklog() == 0)
        for name in ["mailworker.db", "mailworker.db-wal"] {
            let data = (try? Data(contentsOf: URL(fileURLWithPath: "\(fixture.directory)/\(name)"))) ?? Data()
            #expect(data.range(of: Data("zebrafinch".utf8)) == nil, "\(name)")
        }
        #expect(try fixture.archive.verify().findings == [])
    }
}
