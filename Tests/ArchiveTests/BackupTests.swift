import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

@Suite struct BackupTests {
    private func withPlaces(_ body: (ArchiveFixture, String, String) throws -> Void) throws {
        let fixture = try ArchiveFixture()
        let backup = fixture.directory + "-backup"
        let restored = fixture.directory + "-restored"
        defer { for path in [backup, restored] { try? FileManager.default.removeItem(atPath: path) } }
        try body(fixture, backup, restored)
    }

    @Test func `nothing is restored over an archive, or from no backup`() throws {
        try withPlaces { fixture, backup, restored in
            let over = #expect(throws: MailFailure.self) {
                try Archive.restore(from: backup, to: fixture.directory)
            }
            #expect(over?.code == .archiveExists)
            let none = #expect(throws: MailFailure.self) { try Archive.restore(from: backup, to: restored) }
            #expect(none?.code == .backupMissing)
        }
    }

    @Test func `a directory with something else in it is not written to`() throws {
        try withPlaces { fixture, backup, _ in
            try FileManager.default.createDirectory(atPath: backup, withIntermediateDirectories: true)
            try Data("mine".utf8).write(to: URL(fileURLWithPath: backup + "/letter.txt"))
            let failure = #expect(throws: MailFailure.self) { try fixture.archive.backup(to: backup) }
            #expect(failure?.code == .archiveExists)
        }
    }

    @Test func `a restored archive has what the backup had, and takes in what came after it`() throws {
        try withPlaces { fixture, backup, restored in
            try fixture.contact("Maria", "maria@client.example")
            _ = try fixture.archive.ingest([fixture.arrival(1, text: "One"), fixture.arrival(2, text: "Two")])
            _ = try fixture.archive.backup(to: backup)
            let later = fixture.arrival(3, text: "Later")
            _ = try fixture.archive.ingest([later])

            let clock = fixture.clock
            #expect(
                try Archive.restore(from: backup, to: restored, clock: { clock.now }).verification.originals
                    == 2)
            let archive = try Archive.open(directory: restored, key: fixture.key)
            #expect(try archive.restoredAt() == clock.now)
            #expect(try fixture.archive.restoredAt() == nil)
            #expect(try archive.knownUIDs(fixture.inbox, UIDValidity(7)).sequenceSet == "1:2")
            #expect(try archive.secret(of: fixture.account) == Secret("geheim"))
            // The poll finds what the ledger lacks, and nothing else.
            let outcomes = try archive.ingest([fixture.arrival(2, text: "Two"), later])
            #expect(outcomes[0] == .alreadyKnown)
            #expect(try archive.verify().originals == 3)
            #expect(try archive.verify().findings == [])
        }
    }

    @Test func `the pages of a large backup have their checksums, also those that were in the log`() throws {
        try withPlaces { fixture, backup, _ in
            try fixture.archive.pool.write { db in
                try db.execute(
                    sql: "INSERT INTO settings(name, value) VALUES ('filler', randomblob(6000000))")
            }
            _ = try fixture.archive.backup(to: backup)
            let pages = try PageCheck(path: backup + "/mailworker-1.db").run()
            #expect(pages.pageCount > 1400 && pages.isIntact, "\(pages.damaged.count)")
        }
    }

    @Test func `a second backup copies only what is new, and forgets what was erased`() throws {
        try withPlaces { fixture, backup, restored in
            let maria = try fixture.contact("Maria", "maria@client.example")
            _ = try fixture.archive.ingest([fixture.arrival(1, text: "Sensitive")])
            let first = try fixture.archive.backup(to: backup)
            #expect(first.copiedBytes == first.originalBytes)
            try fixture.archive.erase(maria)
            _ = try fixture.archive.ingest([fixture.arrival(2, from: "x@y.example", text: "New")])
            let second = try fixture.archive.backup(to: backup)
            #expect(second.copiedBytes == second.originalBytes - first.originalBytes)
            #expect(second.copiedBytes > 0)
            let pack = try Data(contentsOf: URL(fileURLWithPath: backup + "/originals/pack-000001.mwp"))
            #expect(pack.range(of: Data("Sensitive".utf8)) == nil)
            #expect(pack.range(of: Data("New".utf8)) != nil)
            let report = try Archive.restore(from: backup, to: restored).verification
            #expect(report.originals == 1 && report.erasedOriginals == 1)
        }
    }

    @Test func `the key that opens the secrets is in no file of a backup`() throws {
        try withPlaces { fixture, backup, _ in
            let bytes: [UInt8] = Array(101...132)
            let base64 = Data(bytes).base64EncodedString()
            let directory = fixture.directory + "-keyed"
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let archive = try Archive.create(directory: directory, key: SecretKey(text: base64))
            // Where nobody should put it, and somebody will.
            try Data(base64.utf8).write(to: URL(fileURLWithPath: directory + "/mailworker.key"))
            _ = try archive.addAccount(ArchiveFixture.settings("anna", nil), secret: Secret("geheim"))
            _ = try archive.backup(to: backup)
            let files = try FileManager.default.subpathsOfDirectory(atPath: backup)
            #expect(files.contains { $0.hasSuffix(".db") })
            for file in files {
                let content = try? Data(contentsOf: URL(fileURLWithPath: "\(backup)/\(file)"))
                for form in [Data(bytes), Data(base64.utf8), Data("geheim".utf8)] {
                    #expect(content?.range(of: form) == nil, "\(file)")
                }
            }
        }
    }

    @Test func `what a pack became after a restore replaces what it had become before`() throws {
        try withPlaces { fixture, backup, restored in
            _ = try fixture.archive.ingest([fixture.arrival(1, text: "Common")])
            _ = try fixture.archive.backup(to: backup)
            _ = try Archive.restore(from: backup, to: restored)
            _ = try fixture.archive.ingest([fixture.arrival(2, text: "First future")])
            _ = try fixture.archive.backup(to: backup)
            let other = try Archive.open(directory: restored, key: fixture.key)
            _ = try other.ingest([fixture.arrival(2, text: "Quite another future of this archive")])
            _ = try other.backup(to: backup)
            let again = fixture.directory + "-again"
            defer { try? FileManager.default.removeItem(atPath: again) }
            #expect(try Archive.restore(from: backup, to: again).verification.originals == 2)
        }
    }

    @Test func `a backup beside a writer is one moment of the archive`() throws {
        try withPlaces { fixture, backup, restored in
            let writer = try fixture.reopened()
            let group = DispatchGroup()
            DispatchQueue.global().async(group: group) {
                for number in 1...200 {
                    _ = try? writer.ingest([fixture.arrival(UInt32(number), text: "Number \(number)")])
                }
            }
            for _ in 1...5 {
                _ = try fixture.archive.backup(to: backup)
                let report = try Archive.restore(from: backup, to: restored).verification
                #expect(report.originals == report.messages)
                try FileManager.default.removeItem(atPath: restored)
            }
            group.wait()
            #expect(try fixture.archive.backup(to: backup).messages == 200)
            #expect(try Archive.restore(from: backup, to: restored).verification.ledgerRows == 200)
        }
    }
}
