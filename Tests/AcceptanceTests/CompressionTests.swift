import Foundation
import Testing

/// A server that compresses (RFC 4978): the same mail, in fewer bytes.
@Suite(.timeLimit(.minutes(20)))
struct CompressionTests {
    @Test func compressedMailIsTheSameMail() async throws {
        try await Installation.withServer(compresses: true) { firma in
            try await firma.setUp()
            let large = (0..<40_000).map { "Line \($0) of a long letter\r\n" }.joined()
            let letter =
                "From: ivan@klient.example\r\nTo: anna@firma.example\r\nSubject: Long\r\n\r\n\(large)"
            try await firma.server.deliver([Data(letter.utf8)], to: "anna")
            try await FirmaMail.deliver(to: firma.server)
            // A server on loopback is near: it is not asked.
            try await firma.succeed("sync", "--account", "boris", "--trace", "near.trace")
            let near = try String(
                contentsOf: firma.directory.appendingPathComponent("near.trace"), encoding: .utf8)
            #expect(near.contains("COMPRESS=DEFLATE") && !near.contains("COMPRESS DEFLATE"))

            let text = try String(contentsOf: firma.configuration, encoding: .utf8)
            try Data((text + "\n[poll]\ncompress = \"always\"\n").utf8).write(to: firma.configuration)
            let answer = try await firma.succeed(
                "sync", "--account", "anna", "--trace", "far.trace", "--json"
            )
            .decoded(Answers.Sync.self)
            #expect(try answer.account("anna").fetched == 6)
            let far = try String(
                contentsOf: firma.directory.appendingPathComponent("far.trace"), encoding: .utf8)
            #expect(far.contains("COMPRESS DEFLATE"))
            // Behind it the conversation went on.
            #expect(far.components(separatedBy: "COMPRESS DEFLATE").last?.contains("BODY.PEEK[]") == true)
            try await firma.succeed("verify")
            let coverage = try await firma.run("verify", "--server", "--json")
            #expect(coverage.status == 0, "\(coverage.output)\(coverage.errors)")
            // The second pass finds nothing more, compressed as well.
            let again = try await firma.succeed("sync", "--account", "anna", "--json").decoded(
                Answers.Sync.self)
            #expect(try again.account("anna").fetched == 0)
        }
    }
}
