import Foundation
import MailModel
import Testing

@testable import Archive

/// What a manifest says that somebody has made, or that a disk has damaged.
@Suite struct BackupManifestTests {
    /// A backup of one message.
    private final class Backup {
        let fixture: ArchiveFixture
        let path: String
        let target: String

        init() throws {
            fixture = try ArchiveFixture()
            path = fixture.directory + "-backup"
            target = fixture.directory + "-restored"
            _ = try fixture.archive.ingest([fixture.arrival(1, text: "One")])
            _ = try fixture.archive.backup(to: path)
        }

        deinit { for path in [path, target] { try? FileManager.default.removeItem(atPath: path) } }

        func put(_ text: String) throws {
            for name in ["manifest.json", "manifest.json.copy"] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
            }
        }

        /// What a restore says of it; it must have left nothing.
        func refusal() throws -> MailFailure? {
            let failure = #expect(throws: MailFailure.self) { try Archive.restore(from: path, to: target) }
            #expect(!FileManager.default.fileExists(atPath: target))
            return failure
        }
    }

    private static let packs = #"[{"pack": 1, "bytes": 500, "chain": ""}]"#
    private static let digest = String(repeating: "0", count: 64)

    /// Of the first format, which has no checksum that would find a change.
    private static func text(
        format: String = "1", madeAt: String = "5", database: String = #""mailworker-1.db""#,
        digest: String = "\"\(digest)\"", packs: String = packs, more: String = ""
    ) -> String {
        """
        {"format": \(format), "made_at": \(madeAt), "database": \(database), "database_sha256": \(digest),
            "packs": \(packs)\(more)}
        """
    }

    static let hostile: [String] = {
        let names = [
            #""""#, #""..""#, #"".""#, #""../mailworker-1.db""#, #""/etc/passwd""#, #""originals""#,
            #""manifest.json""#,
            #""mailworker-1.db\u0000""#, #""mailworker-1.db\u0000.db""#, #""mailworker-1.db-wal""#,
            #""mailworker-.db""#,
            #""mailworker-1٣.db""#, "5", "null", "[]", "{}",
        ]
        let numbers = [
            "-1", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "1e300", "-1e300",
            "1.5",
            "\"5\"", "null", "true", "[]",
        ]
        func pack(
            _ number: String = "1", _ bytes: String = "500", _ chain: String = #""""#, _ more: String = ""
        )
            -> String
        { #"{"pack": \#(number), "bytes": \#(bytes), "chain": \#(chain)\#(more)}"# }
        var texts = [
            "", "{", "{}", "[]", "null", "5", #""text""#, "\u{0}", String(repeating: "[", count: 100_000),
        ]
        texts += names.map { text(database: $0) }
        texts += numbers.map { text(packs: "[\(pack($0))]") } + [text(packs: "[\(pack("0"))]")]
        texts += numbers.map { text(packs: "[\(pack("1", $0))]") }
        texts += names.map { text(packs: "[\(pack("1", "500", #""""#, #", "file": \#($0)"#))]") }
            .filter { !$0.contains("null") }
        texts += [#""zz""#, #""00""#, "5", "null"].map { text(packs: "[\(pack("1", "500", $0))]") }
        // The same pack twice, one file for two, more bytes together than there can be.
        texts += [
            text(packs: "[\(pack()), \(pack())]"),
            text(packs: "[\(pack("2")), \(pack("1", "500", #""""#, #", "file": "pack-000002.mwp""#))]"),
            text(packs: "[\(pack("1", "9223372036854775807")), \(pack("2", "9223372036854775807"))]"),
            text(packs: "[null]"), text(packs: "{}"), text(packs: "null"), text(packs: "5"),
        ]
        texts += ["0", "2", "3", "-1", "null", "\"1\""].map { text(format: $0) }
        texts += ["null", "\"now\"", "1e300", "9223372036854775808"].map { text(madeAt: $0) }
        texts += [#""""#, #""00""#, "null", "5"].map { text(digest: $0) }
        texts += ["-1", "4294967296", "\"1\"", "null"].map { text(more: ", \"damaged_pages\": [\($0)]") }
        texts += ["messages", "originals"].flatMap { name in
            ["-1", "1.5", "\"1\""].map { text(more: ", \"\(name)\": \($0)") }
        }
        return texts
    }()

    @Test func `no manifest that cannot be one is followed, and none ends the program`() throws {
        let backup = try Backup()
        for text in Self.hostile {
            try backup.put(text)
            #expect(try backup.refusal()?.code == .backupUnreadable, "\(text.prefix(300))")
        }
        // The key that is missing.
        for key in ["format", "made_at", "database", "database_sha256", "packs"] {
            try backup.put(Self.text().replacing("\"\(key)\"", with: "\"other\""))
            #expect(try backup.refusal()?.code == .backupUnreadable, "\(key)")
        }
    }

    @Test func `a manifest that is none leaves the other copy of it to be read`() throws {
        let backup = try Backup()
        let whole = try Data(contentsOf: URL(fileURLWithPath: backup.path + "/manifest.json"))
        for text in Self.hostile.prefix(40) {
            try Data(text.utf8).write(to: URL(fileURLWithPath: backup.path + "/manifest.json"))
            #expect(try BackupManifest.read(in: backup.path)?.messages == 1, "\(text.prefix(300))")
        }
        // A directory, and a file that is larger than memory.
        try FileManager.default.removeItem(atPath: backup.path + "/manifest.json")
        try FileManager.default.createDirectory(
            atPath: backup.path + "/manifest.json", withIntermediateDirectories: false)
        #expect(try BackupManifest.read(in: backup.path)?.messages == 1)
        try FileManager.default.removeItem(atPath: backup.path + "/manifest.json")
        try whole.write(to: URL(fileURLWithPath: backup.path + "/manifest.json"))
        try #require(truncate(backup.path + "/manifest.json", 1 << 41) == 0)
        #expect(try BackupManifest.read(in: backup.path)?.messages == 1)
    }

    /// Its checksum does not keep somebody from writing what they like.
    @Test func `a manifest with a true checksum is followed nowhere else`() throws {
        let backup = try Backup()
        let whole = try #require(try BackupManifest.read(in: backup.path))
        let changes: [(inout BackupManifest) -> Void] = [
            { $0.database = "../" + $0.database }, { $0.database = "" }, { $0.packs[0].pack = .min },
            { $0.packs[0].bytes = -1 }, { $0.packs[0].bytes = .max },
            { $0.packs[0].file = "../pack-000001.mwp" },
            { $0.packs[0].file = ".." }, { $0.packs[0].file = "" }, { $0.packs += $0.packs },
            { $0.packs[0].chain = "-" }, { $0.messages = -1 }, { $0.format = 3 },
        ]
        for (number, change) in changes.enumerated() {
            var manifest = whole
            change(&manifest)
            try manifest.write(in: backup.path)
            #expect(try backup.refusal()?.code == .backupUnreadable, "\(number)")
            let failure = #expect(throws: MailFailure.self) {
                try backup.fixture.archive.backup(to: backup.path)
            }
            #expect(failure?.code == .backupUnreadable, "\(number)")
        }
        // What only says too much, or of what is not there, is named and costs nothing else.
        var manifest = whole
        manifest.packs[0].bytes += 10_000
        manifest.packs.append(BackupManifest.Pack(pack: 7, bytes: 90, chain: ""))
        manifest.damagedPages = [0, 1, 4_000_000_000]
        try manifest.write(in: backup.path)
        #expect(try Archive.restore(from: backup.path, to: backup.target).verification.originals == 1)
    }

    @Test func `a backup without its database says so`() throws {
        let backup = try Backup()
        try FileManager.default.removeItem(atPath: backup.path + "/mailworker-1.db")
        let failure = try backup.refusal()
        #expect(failure?.code == .backupDamaged && failure?.summary.contains("database is missing") == true)
    }
}
