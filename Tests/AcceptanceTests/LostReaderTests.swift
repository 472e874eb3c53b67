import Foundation
import Synchronization
import Testing

/// The program goes on when the processes that read its mail are killed.
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
                var killed: Set<pid_t> = []
                while killed.count < 6, kill(process, 0) == 0 {
                    guard let child = Self.children(of: process).first(where: { !killed.contains($0) })
                    else { continue }
                    kill(child, SIGKILL)
                    killed.insert(child)
                }
                kills.withLock { $0 = killed.count }
            }
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(kills.withLock { $0 } > 0)
            struct Counts: Decodable { var imported, quarantined, failed: Int }
            let counts = try outcome.decoded(Counts.self)
            #expect(counts.imported == count && counts.quarantined == 0 && counts.failed == 0)
            let again = try await firma.succeed("import", "--json", mbox.path)
            struct Duplicates: Decodable { var duplicates: Int }
            #expect(try again.decoded(Duplicates.self).duplicates == count)
            try await firma.succeed("verify")
        }
    }

    @Test func doctorSaysWhereMailIsRead() async throws {
        try await Installation.withServer { firma in
            try await firma.succeed("init")
            #expect(try await firma.run("doctor").output.contains("reading: in "))
        }
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
