import Foundation
import Testing

/// `verify` in the company of other processes, and where the system gives it little.
@Suite(.timeLimit(.minutes(20)))
struct VerifyCommandTests {
    /// - Returns: a directory with messages of which each is filed.
    private static func mail(_ count: Int, in firma: Installation) throws -> String {
        let directory = firma.directory.appendingPathComponent("mail")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for number in 1...count {
            let text = """
                From: ivan@klient.example\r
                To: anna@firma.example\r
                Subject: Verify \(number)\r
                Message-ID: <verify-\(number)@klient.example>\r
                Date: Mon, 06 May 2024 10:00:00 +0000\r
                \r
                \(String(repeating: "Line of message \(number).\r\n", count: 120))
                """
            try Data(text.utf8).write(to: directory.appendingPathComponent("\(number).eml"))
        }
        return directory.path
    }

    private static func configure(_ firma: Installation, _ lines: [String: String]) throws {
        var text = try String(contentsOf: firma.configuration, encoding: .utf8)
        for (table, line) in lines {
            text = text.replacingOccurrences(of: "[\(table)]\n", with: "[\(table)]\n\(line)\n")
        }
        try Data(text.utf8).write(to: firma.configuration)
    }

    @Test func besideAnImportAnIntactArchiveIsCleanEachTime() async throws {
        try await Installation.withFirma { firma in
            try Self.configure(firma, ["archive": "pack_megabytes = 1", "limits": "commit_messages = 5"])
            let mail = try Self.mail(900, in: firma)
            async let filed = firma.run("import", mail)
            var count = 0
            var reports: [Int] = []
            while reports.last != 900, count < 200 {
                let outcome = try await firma.run("verify", "--json")
                #expect(outcome.status == 0, "\(outcome.output)")
                struct Report: Decodable {
                    var originals: Int
                    var messages: Int
                }
                let report = try outcome.decoded(Report.self)
                #expect(report.originals == report.messages)
                reports.append(report.originals)
                count += 1
            }
            #expect(try await filed.status == 0)
            #expect(reports.contains { (1..<900).contains($0) }, "\(reports)")
            // Nothing of what was filed beside the others is lost.
            #expect(reports.last == 900, "\(reports)")
        }
    }

    @Test func doctorNamesPacksThatAreGoneAndLooksOnWithoutAKey() async throws {
        try await Installation.withFirma { firma in
            try await firma.succeed("import", try Self.mail(2, in: firma))
            let whole = try await firma.run("doctor")
            #expect(whole.output.contains("ok    originals: all packs are there"), "\(whole.output)")
            let packs = firma.data.appendingPathComponent("originals")
            for name in try FileManager.default.contentsOfDirectory(atPath: packs.path) {
                try FileManager.default.removeItem(at: packs.appendingPathComponent(name))
            }
            let key = firma.directory.appendingPathComponent("mailworker.key")
            try FileManager.default.moveItem(at: key, to: firma.directory.appendingPathComponent("kept"))
            try FileManager.default.createDirectory(at: key, withIntermediateDirectories: false)
            let outcome = try await firma.run("doctor")
            #expect(outcome.status == 1)
            #expect(outcome.output.contains("MEND  originals: 1 pack is not as"), "\(outcome.output)")
            #expect(outcome.output.contains("MEND  key: The key file cannot be read"), "\(outcome.output)")
            #expect(outcome.output.contains("ok    archive:") && outcome.output.contains("account anna"))
        }
    }

    @Test func withTooFewFilesNothingIsCalledDamaged() async throws {
        try await Installation.withFirma { firma in
            let filed = try await firma.run("import", Self.mail(30, in: firma))
            #expect(filed.status == 0)
            var refusals = 0
            for limit in [8, 10, 11, 12, 13, 14, 16, 18, 20, 24, 30] {
                let outcome = try await Program.run(
                    URL(fileURLWithPath: "/bin/sh"),
                    [
                        "-c", "ulimit -n \(limit); exec \"$0\" \"$@\"", Program.executable.path, "--config",
                        firma.configuration.path, "verify",
                    ], in: firma.directory)
                #expect(outcome.status != 1, "\(limit): \(outcome.output)\(outcome.errors)")
                #expect(!outcome.output.contains("damaged"), "\(limit): \(outcome.output)")
                if outcome.status != 0 { refusals += 1 }
            }
            #expect(refusals > 0)
        }
    }

    /// Each in a place where the database cannot be opened as usual, or only for reading.
    @Test(arguments: [3, 18, 19, 20, 30, 47]) func aFlippedBitInTheHeaderIsNamedAndCostsNoMessage(
        place: UInt64
    ) async throws {
        try await Installation.withFirma { firma in
            let filed = try await firma.run("import", Self.mail(5, in: firma))
            #expect(filed.status == 0)
            let path = firma.data.appendingPathComponent("mailworker.db")
            let handle = try FileHandle(forUpdating: path)
            try handle.seek(toOffset: place)
            let byte = try #require(try handle.read(upToCount: 1)?.first)
            try handle.seek(toOffset: place)
            try handle.write(contentsOf: Data([byte ^ 4]))
            try handle.close()
            let outcome = try await firma.run("verify")
            #expect(outcome.status == 1)
            #expect(outcome.output.contains("database page 1"), "\(outcome.output)\(outcome.errors)")
            for message in 1...5 { try await firma.succeed("message", "original", String(message)) }
        }
    }
}
