import Foundation
import GRDB
import MailModel
import Synchronization
import Testing

@testable import Archive

/// Archives as earlier versions wrote them, opened by this one.
@Suite struct MigrationTests {
    // MARK: - Which there are

    /// Versions in the changelog, the newest first, and whether anything came after the newest.
    private static func releases() throws -> (versions: [String], isBeingMade: Bool) {
        let text = try String(
            contentsOf: StoredArchive.root.appendingPathComponent("CHANGELOG.md"), encoding: .utf8)
        let sections = text.components(separatedBy: "\n## ").dropFirst()
        let versions = sections.compactMap { section in
            section.prefix { $0 != " " && $0 != "\n" }.first?.isNumber == true
                ? String(section.prefix { $0 != " " && $0 != "\n" }) : nil
        }
        let unreleased =
            sections.first { $0.hasPrefix("Unreleased") }?.split(separator: "\n").dropFirst() ?? []
        return (versions, unreleased.isEmpty)
    }

    /// Version and folder, the oldest first.
    private static func released() throws -> [(version: String, schema: String)] {
        try String(contentsOf: StoredArchive.fixtures.appendingPathComponent("released"), encoding: .utf8)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
                let words = line.split(separator: " ").map(String.init)
                try #require(words.count == 2, "\(line)")
                return (words[0], words[1])
            }
    }

    @Test func `each released version has its archive here`() throws {
        let released = try Self.released()
        let (versions, isBeingMade) = try Self.releases()
        for version in versions {
            #expect(
                released.contains { $0.version == version },
                "\(version) is in CHANGELOG.md: store its archive with scripts/archive-fixture")
        }
        #expect(Set(released.map(\.schema)) == Set(StoredArchive.schemas))
        let known = Set(Schema.migrator.migrations)
        var newest: Set<String> = []
        for (version, schema) in released {
            let migrations = try StoredArchive(schema).migrations()
            #expect(migrations.isSubset(of: known), "\(version): a released migration is gone")
            #expect(migrations.isSuperset(of: newest), "\(version) has less than an earlier one")
            newest = migrations
        }
        if isBeingMade {
            #expect(
                newest == known, "a release is being made: store its archive with scripts/archive-fixture")
        }
    }

    // MARK: - What becomes of them

    @Test(arguments: StoredArchive.schemas)
    func `an earlier schema becomes the present one, and keeps its rows`(schema: String) throws {
        let stored = try StoredArchive(schema)
        let before = try stored.database().read { try StoredRows($0) }
        #expect(before.tables.values.reduce(0) { $0 + $1.count } > 30)
        try Self.requirePresent(stored, before)
    }

    private static func requirePresent(_ stored: StoredArchive, _ before: StoredRows) throws {
        let archive = try stored.open()
        let after = try archive.pool.read { try StoredRows($0) }
        #expect(before.lost(in: after) == [])
        #expect(try archive.waitingListsAgree())
        let fresh = try ArchiveFixture().archive.pool.read { try DatabaseShape($0) }
        let shape = try archive.pool.read { try DatabaseShape($0) }
        #expect(shape.objects.keys.sorted() == fresh.objects.keys.sorted())
        for (name, parts) in fresh.objects { #expect(shape.objects[name] == parts, "\(name)") }
        #expect(try archive.verify().findings == [])
    }

    /// Fails the commit of that number, which takes back what it would have made durable.
    private final class FailingCommit: TransactionObserver {
        struct Failure: Error {}
        private var left: Int
        init(at number: Int) { left = number }
        func observes(eventsOfKind kind: DatabaseEventKind) -> Bool { true }
        func databaseDidChange(with event: DatabaseEvent) {}
        func databaseWillCommit() throws {
            left -= 1
            if left == 0 { throw Failure() }
        }
        func databaseDidCommit(_ db: Database) {}
        func databaseDidRollback(_ db: Database) {}
    }

    @Test(arguments: StoredArchive.schemas)
    func `a migration that ends after any of its steps is completed by the next opening`(schema: String)
        throws
    {
        let missing = Set(Schema.migrator.migrations).subtracting(try StoredArchive(schema).migrations())
        var interrupted = 0
        while true {
            let stored = try StoredArchive(schema)
            let before = try stored.database().read { try StoredRows($0) }
            var configuration = Configuration()
            configuration.prepareDatabase(Archive.prepare)
            let database = try DatabaseQueue(
                path: stored.directory + "/mailworker.db", configuration: configuration)
            let failing = FailingCommit(at: interrupted + 1)
            database.add(transactionObserver: failing)
            do {
                try Schema.migrator.migrate(database)
                break
            } catch is FailingCommit.Failure {
                interrupted += 1
            }
            try database.close()
            try Self.requirePresent(stored, before)
        }
        #expect(
            interrupted >= missing.count, "only \(interrupted) of \(missing.count) steps were interrupted")
    }

    @Test(arguments: StoredArchive.schemas)
    func `of those who open an earlier schema at the same time one brings it up to date`(schema: String)
        throws
    {
        let stored = try StoredArchive(schema)
        let before = try stored.database().read { try StoredRows($0) }
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 3) { _ in
            do {
                #expect(try stored.open().reviewItems().map(\.subject) == ["Waiting"])
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        try Self.requirePresent(stored, before)
    }

    @Test(arguments: StoredArchive.schemas)
    func `an archive of an earlier schema is brought up to date and has lost nothing`(schema: String) throws {
        let stored = try StoredArchive(schema)
        let directory = stored.directory
        let archive = try stored.open()
        #expect(try archive.ledgerCounts() == [.archived: 2, .review: 1, .ignored: 1])
        let ivan = try archive.findContact("ivan@klient.example")
        #expect(try archive.history(of: ivan.id).compactMap(\.subject) == ["Outgoing", "Linked"])
        #expect(try archive.reviewItems().map(\.subject) == ["Waiting"])
        let account = try archive.account(named: "anna-mail")
        #expect(try archive.secret(of: account.id) == Secret("geheim"))
        // What only later ones had.
        let hasIndex = schema != "schema-1"
        #expect(try archive.search(SearchQuery("Linked")).map(\.subject) == (hasIndex ? ["Linked"] : []))
        #expect(try archive.outboxItems().map(\.subject) == (hasIndex ? ["Queued"] : []))
        let report = try archive.verify()
        #expect(report.findings == [])
        #expect(report.originals == 4)
        #expect(report.indexedMessages == (hasIndex ? 4 : 0))
        // Its pages have checksums now, and what is new works on what is old.
        #expect(try PageCheck(path: directory + "/mailworker.db").run().isIntact)
        let act = Act(person: "anna", systemUser: "root", origin: "-", action: "queue ignore")
        let waiting = try #require(try archive.reviewItems().first)
        try Act.$current.withValue(act) { _ = try archive.ignore(.items([waiting.id]), by: "anna") }
        try archive.undo(try #require(act.undo), by: "anna")
        #expect(try archive.reviewItems().map(\.subject) == ["Waiting"])
        let edit = Act(person: "anna", systemUser: "root", origin: "-", action: "message edit")
        let words = EditedWords(subject: "Edited", text: "Other words")
        try Act.$current.withValue(edit) { try archive.edit(waiting.message, words, by: "anna") }
        #expect(try archive.reviewItems().map(\.subject) == ["Edited"])
        #expect(try archive.verify().findings == [])
        try archive.undo(try #require(edit.undo), by: "anna")
        #expect(try archive.reviewItems().map(\.subject) == ["Waiting"])
        #expect(try archive.erase(ivan.id).erased.count == 2)
        #expect(try archive.verify().findings == [])
    }

    /// Every state that the schema allows, of mail whose bytes an earlier version has kept.
    @Test
    func `the bytes of mail in the outbox go where nobody will send, copy or file it, and stay elsewhere`()
        throws
    {
        var configuration = Configuration()
        configuration.prepareDatabase(Archive.prepare)
        let database = try DatabaseQueue(configuration: configuration)
        try Schema.migrator.migrate(database, upTo: "26")
        let before = try database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO accounts(id, name, kind, preset, login, poll_minutes, timeout_seconds, further_folders,
                        is_declared, is_enabled) VALUES (1, 'import', 'import', 'custom', '', 5, 60, '[]', 0, 1);
                    INSERT INTO messages(id, sort_date, direction, category, state, created_at)
                        VALUES (1, 0, 'outgoing', 'personal', 'private', 0);
                    CREATE TABLE states(word TEXT); CREATE TABLE copies(word TEXT); CREATE TABLE filings(word TEXT);
                    INSERT INTO states VALUES ('queued'), ('sending'), ('sent'), ('retry'), ('failed'), ('uncertain'),
                        ('held'), ('cancelled');
                    INSERT INTO copies VALUES ('none'), ('due'), ('done'), ('unneeded'), ('failed');
                    INSERT INTO filings VALUES ('none'), ('due'), ('done');
                    INSERT OR IGNORE INTO outbox(account, requested_by, message_id, envelope_id, sender, kind, priority,
                        needs_utf8, size, sha256, state, reason, created_at, not_before, next_try, holder, claimed_at,
                        data_begun_at, finished_at, filing, message, copy)
                    SELECT 1, 'anna', s.word || c.word || f.word || m.id, s.word || c.word || f.word || m.id, '', 'single', 5,
                        0, 1, zeroblob(32), s.word, 'because', 0, 0, iif(s.word IN ('queued', 'retry'), 0, NULL),
                        iif(s.word = 'sending', 'x', NULL), iif(s.word = 'sending', 0, NULL),
                        iif(s.word = 'uncertain', 0, NULL), iif(s.word IN ('sent', 'failed', 'cancelled'), 0, NULL),
                        f.word, nullif(m.id, 0), c.word
                    FROM states s, copies c, filings f, (SELECT 0 AS id UNION SELECT 1) m;
                    INSERT INTO outbox_content(item, piece, bytes) SELECT id, 0, x'01' FROM outbox;
                    INSERT INTO outbox_content(item, piece, bytes) SELECT id, 1, x'02' FROM outbox;
                    DROP TABLE states; DROP TABLE copies; DROP TABLE filings;
                    """)
            return try Row.fetchAll(
                db, sql: "SELECT id, state, copy, filing, message FROM outbox ORDER BY id")
        }
        try Schema.migrator.migrate(database)
        let kept = try database.read { db in
            try Row.fetchAll(db, sql: "SELECT item, count(*) FROM outbox_content GROUP BY item").reduce(
                into: [Int64: Int]()
            ) { $0[$1[0]] = $1[1] }
        }
        var gone = 0
        for row in before {
            let (state, copy, filing) = (
                row["state"] as String, row["copy"] as String, row["filing"] as String
            )
            let isFiled = filing == "done" && row["message"] as Int64? != nil
            // Whoever sends, copies or files it, or a person who lets it go out again, needs the bytes.
            let isNeeded =
                switch state {
                case "sent": copy == "none" || copy == "due" || !isFiled
                case "cancelled": copy == "due" || !(filing == "none" || isFiled)
                default: true
                }
            #expect(kept[row["id"]] == (isNeeded ? 2 : nil), "\(state), \(copy), \(filing)")
            gone += isNeeded ? 0 : 1
        }
        #expect(before.count == 8 * 5 * 4 && gone == 3 + 4 * 2)
    }

    @Test func `what a column may be is compared value by value, and says the same`() throws {
        let fixture = try ArchiveFixture()
        let statements = try fixture.archive.read { db in
            try String.fetchAll(db, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
        }
        for statement in statements { #expect(Schema.comparingByValue(statement) == statement) }
        #expect(
            Schema.comparingByValue(
                "CHECK (state NOT IN ('a', 'b',\n  'c-d') OR x IN (0, 1)), CHECK (k IN ('y', 'z'))")
                == "CHECK ((state <> 'a' AND state <> 'b' AND state <> 'c-d') OR x IN (0, 1)), CHECK (k IN ('y', 'z'))"
        )
        let insert = { (role: String) in
            try fixture.archive.writeUnaudited { db in
                try db.execute(
                    sql: "INSERT INTO folders(account, name, role) VALUES (?, ?, ?)",
                    arguments: [fixture.account.rawValue, role, role])
            }
        }
        try insert("other")
        #expect(throws: MailFailure.self) { try insert("outbox") }
    }
}
