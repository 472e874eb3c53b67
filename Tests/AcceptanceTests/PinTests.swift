import Foundation
import Testing

/// Accounts that trust a server's key instead of an authority.
@Suite(.timeLimit(.minutes(20)))
struct PinTests {
    /// As docs/SECURITY.md tells a server's administrator to print it.
    private func pin(of firma: Installation) async throws -> String {
        let outcome = try await Program.run(
            URL(fileURLWithPath: "/bin/sh"),
            [
                "-c",
                "openssl x509 -in server/server.pem -noout -pubkey | openssl pkey -pubin -outform der"
                    + " | openssl dgst -sha256 -binary | base64",
            ], in: firma.directory)
        return "sha256/" + outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static let wrong = "sha256/" + Data(repeating: 7, count: 32).base64EncodedString()

    @Test func onlyThePinnedKeyIsTrustedAndNeedsNoAuthority() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            let right = try await pin(of: firma)
            // Without the authority the certificate is nobody's.
            try await firma.succeed("account", "edit", "anna", "--ca-file", "")
            #expect(try await firma.run("account", "check", "anna").output.contains("could not be verified"))

            // An authority's word does not make a wrong key right.
            try await firma.succeed(
                "account", "edit", "anna", "--ca-file", firma.server.certificateAuthority, "--pin", Self.wrong
            )
            let refused = try await firma.run("account", "check", "anna")
            #expect(
                refused.status == 69 && refused.output.contains("another key than the one that is pinned"))
            // With STARTTLS as well, and before the password is sent.
            try await firma.succeed(
                "account", "edit", "anna", "--imap-port", firma.server.imapPort, "--imap-security", "starttls"
            )
            #expect(try await firma.run("account", "check", "anna").output.contains("another key"))
            try await firma.succeed("account", "edit", "anna", "--ca-file", "", "--pin", right)
            try await firma.succeed("account", "check", "anna")

            // One of two does, as while a key is being replaced.
            try await firma.succeed(
                "account", "edit", "anna", "--imap-port", firma.server.imapsPort, "--imap-security", "tls",
                "--pin", Self.wrong, "--pin", right)
            #expect(try await firma.sync().account("anna").fetched == 5)
            #expect(
                try await firma.succeed("account", "show", "anna").output.contains(
                    "pins: \(Self.wrong) \(right)"))

            try await firma.succeed("account", "edit", "anna", "--pin", "")
            #expect(try await firma.run("account", "check", "anna").output.contains("could not be verified"))
            #expect(try await firma.run("account", "edit", "anna", "--pin", "sha256/abc").status == 64)
        }
    }
}
