import Foundation
import Synchronization
import Testing

/// The program goes on when the processes that read its mail are killed, in an import and in a verification.
@Suite(.timeLimit(.minutes(20)))
struct LostReaderTests {
    @Test func anImportWhoseReadersAreKilledTakesEveryMessageOnce() async throws {
        try await Installation.withServer { firma in
            try await firma.succeed("init")
            let mbox = firma.directory.appendingPathComponent("many.mbox")
            let count = 4_000
            var text = ""
            for number in 1...count {
                text += """
                    From a@klient.example Mon Jan 12 10:00:00 2026
                    From: a@klient.example
                    To: anna@firma.example
                    Message-ID: <\(number)@klient.example>
                    Subject: Number \(number)

                    Text \(number)


                    """
            }
            try Data(text.utf8).write(to: mbox)
            let kills = Mutex(0)
            let outcome = try await firma.run(["import", "--json", mbox.path]) { process in
                kills.withLock { $0 = Self.killReaders(of: process) }
            }
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(kills.withLock { $0 } > 0)
            struct Counts: Decodable { var imported, quarantined, failed: Int }
            let counts = try outcome.decoded(Counts.self)
            #expect(counts.imported == count && counts.quarantined == 0 && counts.failed == 0)
            let again = try await firma.succeed("import", "--json", mbox.path)
            struct Duplicates: Decodable { var duplicates: Int }
            #expect(try again.decoded(Duplicates.self).duplicates == count)
            kills.withLock { $0 = 0 }
            let verified = try await firma.run(["verify", "--json"]) { process in
                kills.withLock { $0 = Self.killReaders(of: process) }
            }
            #expect(verified.status == 0, "\(verified.errors)")
            #expect(kills.withLock { $0 } > 0)
            struct Verification: Decodable {
                var clean: Bool
                var rereadMessages: Int
            }
            let report = try verified.decoded(Verification.self)
            #expect(report.clean && report.rereadMessages == count)
        }
    }

    @Test func doctorSaysWhereMailIsRead() async throws {
        try await Installation.withServer { firma in
            try await firma.succeed("init")
            #expect(try await firma.run("doctor").output.contains("reading: in "))
        }
    }

    /// - Returns: how many were killed, six at most.
    private static func killReaders(of process: pid_t) -> Int {
        var killed: Set<pid_t> = []
        while killed.count < 6, kill(process, 0) == 0 {
            guard let child = children(of: process).first(where: { !killed.contains($0) }) else { continue }
            kill(child, SIGKILL)
            killed.insert(child)
        }
        return killed.count
    }

    private static func children(of process: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { child in
            guard let stat = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8) else {
                return false
            }
            // After the name in parentheses: state, parent.
            let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            return fields.count > 2 && fields[2] == "\(process)" && fields[1] != "Z"
        }
    }
}
