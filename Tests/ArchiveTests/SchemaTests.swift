import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

@Suite struct SchemaTests {
    @Test(arguments: [
        "UPDATE ledger SET state = 'lost'",
        "UPDATE ledger SET message = NULL, original = NULL",
        "UPDATE ledger SET original = NULL",
        "UPDATE ledger SET message = 999",
        "UPDATE ledger SET state = 'gone'",
        "UPDATE ledger SET state = 'too-large', message = NULL, original = NULL, reason = NULL",
        "UPDATE ledger SET uid = 0",
        "UPDATE ledger SET uid = 4294967296",
        "UPDATE ledger SET uid = 'one'",
        """
        INSERT INTO ledger(folder, uidvalidity, uid, state, message, original, recorded_at)
            SELECT folder, uidvalidity, uid, state, message, original, recorded_at FROM ledger
        """,
        "INSERT INTO ledger(folder, uidvalidity, uid, state, recorded_at) VALUES (1, 7, 99, 'archived', 0)",
        "INSERT INTO ledger(folder, uidvalidity, uid, state, recorded_at) VALUES (1, 7, 99, 'ignored', 0)",
        "INSERT INTO originals(sha256, pack, offset, size, message) SELECT sha256, 1, 0, 0, 1 FROM originals",
        "INSERT INTO originals(sha256, pack, offset, size, message) VALUES (x'00', 1, 0, 0, 1)",
        "INSERT INTO originals(sha256, pack, offset, size, message) VALUES (randomblob(32), 9, 0, 0, 1)",
        "INSERT INTO originals(sha256, pack, offset, size, message) VALUES (randomblob(32), 1, -1, 0, 1)",
        "UPDATE messages SET state = 'duplicate'",
        "UPDATE messages SET state = 'quarantined'",
        "UPDATE messages SET content_digest = x'00'",
        "UPDATE messages SET message_id = NULL",
        "UPDATE messages SET direction = 'sideways'",
        "UPDATE messages SET category = 'spam'",
        "UPDATE participants SET role = 'author'",
        "UPDATE participants SET address = 999",
        "INSERT INTO addresses(canonical) SELECT canonical FROM addresses",
        "INSERT INTO addresses(canonical) VALUES ('nobody')",
        "INSERT INTO history(message, contact, sort_date, linked_by, linked_at) VALUES (1, 1, 0, 'arrival', 0)",
        "INSERT INTO history(message, contact, sort_date, linked_by, linked_at) VALUES (1, 1, 0, 'person', 0)",
        """
        INSERT INTO history(message, contact, sort_date, linked_by, person, linked_at)
            VALUES (1, 999, 0, 'person', 'anna', 0)
        """,
        """
        INSERT INTO review_items(message, reason, sort_date, state, opened_at)
            SELECT message, reason, 0, 'open', 0 FROM review_items WHERE state = 'open'
        """,
        "UPDATE review_items SET state = 'linked'",
        "UPDATE review_items SET resolved_at = 1, resolved_by = 'anna'",
        "UPDATE review_items SET email = NULL",
        "INSERT INTO contacts(kind, name, name_key, created_at, updated_at) VALUES ('robot', 'x', 'x', 0, 0)",
        "INSERT INTO contacts(kind, name, name_key, created_at, updated_at) VALUES ('lead', '', '', 0, 0)",
        "UPDATE contacts SET organisation = id",
        "UPDATE contacts SET external_id = ''",
        "UPDATE contact_addresses SET is_primary = 1",
        "INSERT INTO contact_addresses SELECT * FROM contact_addresses",
        "INSERT INTO users(name, created_at) VALUES ('anna', 0)",
        "UPDATE users SET address = NULL",
        "UPDATE accounts SET poll_minutes = 0",
        "UPDATE accounts SET secret_kind = 'token'",
        "UPDATE accounts SET imap_host = NULL",
        "UPDATE accounts SET imap_port = 70000",
        "UPDATE accounts SET imap_security = 'some'",
        "UPDATE accounts SET further_folders = 'INBOX'",
        "INSERT INTO folders(account, name, role) SELECT account, name, role FROM folders",
        "INSERT INTO message_edits(message, text, person, edited_at) VALUES (99, 'x', 'anna', 0)",
        "INSERT INTO message_edits(message, text, person, edited_at) VALUES (1, 'x', '', 0)",
        "INSERT INTO message_edits(message, person, edited_at) VALUES (1, 'anna', 0)",
        "DELETE FROM messages", "DELETE FROM originals", "DELETE FROM packs", "DELETE FROM folders",
        "DELETE FROM users",
        "INSERT INTO automatic_leads(contact, reason) VALUES (999, 'sender')",
        "INSERT INTO automatic_leads(contact, reason) VALUES (1, 'guess')",
        "INSERT INTO declined_leads(address, at) VALUES (999, 0)",
        "INSERT INTO events(at, kind, user, contact, message) VALUES (0, 'contact-mail', 1, 999, 1)",
        "INSERT INTO events(at, kind, user, contact, message) VALUES (0, 'rumour', 1, 1, 1)",
        "INSERT INTO digests(user, created_at, state) VALUES (1, 0, 'queued')",
        "INSERT INTO digests(user, created_at, state, item) VALUES (1, 0, 'open', 1)",
    ])
    func `a row that breaks an invariant is refused`(sql: String) throws {
        let fixture = try ArchiveFixture()
        try fixture.contact("Two Addresses", "one@else.example", "two@else.example")
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let error = #expect(throws: DatabaseError.self) {
            try fixture.archive.pool.write { try $0.execute(sql: sql) }
        }
        #expect(error?.resultCode == .SQLITE_CONSTRAINT)
    }

    @Test func `transactions are durable when they return`() throws {
        let fixture = try ArchiveFixture()
        let modes = try fixture.archive.pool.writeWithoutTransaction { db in
            (
                try String.fetchOne(db, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(db, sql: "PRAGMA synchronous"),
                try Int.fetchOne(db, sql: "PRAGMA foreign_keys")
            )
        }
        #expect(modes == ("wal", 2, 1))
    }

    @Test func `an archive of a newer version is refused, and left as it is`() throws {
        let fixture = try ArchiveFixture()
        try fixture.archive.pool.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('999')")
        }
        // As it lies there when nobody has it open.
        try fixture.archive.pool.close()
        let file = URL(fileURLWithPath: fixture.directory + "/mailworker.db")
        let before = try Data(contentsOf: file)
        let failure = #expect(throws: MailFailure.self) { try fixture.reopened() }
        #expect(failure?.code == .archiveNewer)
        #expect(try Data(contentsOf: file) == before)
        #expect(failure?.remedy != nil)
    }

    @Test func `a missing archive, a second one, and a file that is no database say so`() throws {
        let fixture = try ArchiveFixture()
        let missing = #expect(throws: MailFailure.self) {
            try Archive.open(directory: "/nonexistent/archive", key: nil)
        }
        #expect(missing?.code == .archiveMissing)
        let second = #expect(throws: MailFailure.self) {
            try Archive.create(directory: fixture.directory, key: SecretKey())
        }
        #expect(second?.code == .archiveExists)
        let directory = fixture.directory + "/other"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(repeating: 65, count: 8192).write(to: URL(fileURLWithPath: directory + "/mailworker.db"))
        let corrupt = #expect(throws: MailFailure.self) { try Archive.open(directory: directory, key: nil) }
        #expect(corrupt?.code == .archiveCorrupt)
    }

    @Test(arguments: [
        (Int32(13), MailFailure.Code.diskFull), (4874, .diskFull), (5, .archiveBusy), (6, .archiveBusy),
        (11, .archiveCorrupt),
        (26, .archiveCorrupt), (8, .archiveReadOnly), (14, .archiveUnreadable), (19, .archiveRefused),
        (2067, .archiveRefused), (10, .archiveInputOutput), (1, .archiveInputOutput),
    ])
    func `each result of the database has its meaning`(result: Int32, code: MailFailure.Code) {
        #expect(StorageError.failure(resultCode: result).code == code)
    }

    @Test func `an error's description holds no value of a statement`() throws {
        let fixture = try ArchiveFixture()
        let failure = #expect(throws: MailFailure.self) {
            try fixture.archive.write { db in
                try db.execute(
                    sql: "INSERT INTO users(name, email, created_at) VALUES ('anna', ?, 0)",
                    arguments: ["marker@secret.example"])
            }
        }
        #expect(failure?.code == .archiveRefused)
        #expect(failure?.revealed.contains("marker") == false)
    }
}
