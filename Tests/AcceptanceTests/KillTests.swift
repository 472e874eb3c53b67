import Foundation
import Testing

/// Kill -9 anywhere, run again: the end is the same as undisturbed.
@Suite(.timeLimit(.minutes(20)))
struct KillTests {
    static let messageCount = 1_500

    @Test func aKilledSyncEndsAsAnUndisturbedOneWould() async throws {
        var undisturbed: [String] = []
        var size = 0
        try await Installation.withFirma { firma in
            try await Self.deliver(to: firma)
            let answer = try await firma.sync()
            #expect(try answer.account("anna").fetched == Self.messageCount)
            undisturbed = try await firma.endState()
            size = firma.bytesOfArchive()
        }
        #expect(undisturbed.count >= Self.messageCount)

        try await Installation.withFirma { firma in
            try await Self.deliver(to: firma)
            var interrupted = 0
            // The moment is a fact, not a time: so much more is on disk than at the start. From
            // the opening of the files over the first append to the midst of the work.
            for growth in [1, 40 << 10, 256 << 10, size / 6, size / 4] {
                let enough = firma.bytesOfArchive() + growth
                let outcome = try await firma.run("sync", "--json") { process in
                    while firma.bytesOfArchive() < enough {
                        guard Foundation.kill(process, 0) == 0 else { return }
                        sched_yield()
                    }
                    Foundation.kill(process, SIGKILL)
                }
                if outcome.status == 128 + SIGKILL { interrupted += 1 }
                try await firma.succeed("verify")
            }
            #expect(interrupted >= 4, "only \(interrupted) runs were killed in time")
            _ = try await firma.sync()
            #expect(try await firma.sync().accounts.map(\.fetched) == [0, 0])
            #expect(try await firma.endState() == undisturbed)
            try await firma.succeed("verify")
        }
    }

    /// Mail of one contact and of strangers by turns, 4 KB each.
    private static func deliver(to firma: Installation) async throws {
        let messages = (0..<messageCount).map { number in
            SampleMail(
                from: number % 3 == 0 ? "stranger\(number)@other.example" : "ivan@klient.example",
                to: ["anna@firma.example"], subject: "№ \(number)", messageID: "n\(number)@klient.example",
                body: String(repeating: "Строка письма \(number).\r\n", count: 110)
            ).bytes
        }
        try await firma.server.deliver(messages, to: "anna")
    }
}
