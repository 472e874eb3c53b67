import Foundation
import Testing

/// What can be wrong, and what the program says then: the exit code, what is
/// wrong, what to do; and that mending it is all that is left to do.
@Suite(.timeLimit(.minutes(20)))
struct BadInputTests {
    @Test func aWrongPasswordIsToldApartAndCostsOneAccountOnly() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            try await firma.succeed("account", "edit", "anna", "--password-file", "-", input: "wrong\n")
            let outcome = try await firma.run("sync", "--json")
            #expect(outcome.status == 1)
            let answer = try outcome.decoded(Answers.Sync.self)
            #expect(try answer.account("anna").fetched == 0)
            #expect(try answer.account("anna").error?.contains("password") == true)
            #expect(try answer.account("boris").error == nil)
            #expect(try answer.account("boris").fetched == 2)

            let again = try await firma.run("sync", "--json")
            #expect(again.status == 1, "an account that waits is no success")
            let waiting = try again.decoded(Answers.Sync.self).account("anna")
            #expect(waiting.error?.contains("Not polled before") == true, "\(waiting.error ?? "")")

            let check = try await firma.run("account", "check", "anna")
            #expect(check.status == 69)
            #expect((check.output + check.errors).contains("password"))

            let password = try #require(MailServer.passwords["anna"])
            try await firma.succeed("account", "edit", "anna", "--password-file", "-", input: password)
            #expect(try await firma.sync().account("anna").fetched == 5)
        }
    }

    @Test(arguments: [
        ("--imap-host", "no-such-host.invalid", "no-such-host.invalid"),
        ("--imap-port", "1", "port"),
        ("--imap-security", "starttls", "TLS"),
    ])
    func aServerThatCannotBeReachedIsNamedWithTheRemedy(option: String, value: String, told: String)
        async throws
    {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            // Another security means another port, unless it is named.
            let port = option == "--imap-port" ? value : firma.server.imapsPort
            let values = option == "--imap-port" ? [option, port] : [option, value, "--imap-port", port]
            let edited = try await firma.run(["account", "edit", "anna"] + values)
            #expect(edited.status == 0, "\(edited.errors)")
            let outcome = try await firma.run("sync", "--json")
            #expect(outcome.status == 1, "\(outcome.errors)")
            let answer = try outcome.decoded(Answers.Sync.self)
            #expect(try answer.account("anna").error != nil)
            #expect(try answer.account("boris").fetched == 2)

            let check = try await firma.run("account", "check", "anna")
            #expect(check.status == 69 || check.status == 75)
            #expect((check.output + check.errors).contains(told), "\(check.output + check.errors)")
        }
    }

    @Test func aCertificateOfAnUnknownAuthorityIsRefused() async throws {
        try await Installation.withFirma { firma in
            let other = firma.directory.appendingPathComponent("other.pem")
            try FileManager.default.copyItem(
                at: URL(fileURLWithPath: "/etc/ssl/certs/ca-certificates.crt"), to: other)
            try await firma.succeed("account", "edit", "anna", "--ca-file", other.path)
            let check = try await firma.run("account", "check", "anna")
            #expect(check.status == 69)
            #expect((check.output + check.errors).contains("certificate"), "\(check.output + check.errors)")
            #expect(try await firma.server.commands().isEmpty, "it signed in all the same")
        }
    }

    @Test func aLoopbackServerIsRefusedUnlessAllowed() async throws {
        try await Installation.withFirma { firma in
            let text = try String(contentsOf: firma.configuration, encoding: .utf8)
            try Data(text.replacingOccurrences(of: "\"127.0.0.0/8\"", with: "").utf8)
                .write(to: firma.configuration)
            let check = try await firma.run("account", "check", "anna")
            #expect(check.status != 0)
            #expect((check.output + check.errors).contains("allow"), "\(check.output + check.errors)")
            #expect(try await firma.server.commands().isEmpty)
        }
    }

    @Test func aMissingConfigurationSaysHowToMakeOne() async throws {
        try await Installation.withServer { firma in
            let outcome = try await firma.run("sync")
            #expect(outcome.status == 78)
            #expect(outcome.errors.contains("init"))
            let left = try FileManager.default.contentsOfDirectory(atPath: firma.directory.path)
            #expect(left == ["server"], "a refused command left files: \(left)")
        }
    }

    @Test func aKeyThatCannotBeReadOrIsAnotherStopsBeforeAnythingIsDone() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            let key = firma.directory.appendingPathComponent("mailworker.key")
            let aside = firma.directory.appendingPathComponent("key.aside")
            try FileManager.default.moveItem(at: key, to: aside)

            var outcome = try await firma.run("sync")
            #expect(outcome.status == 78)
            #expect(outcome.errors.contains("mailworker.key"), "\(outcome.errors)")

            try FileManager.default.createDirectory(at: key, withIntermediateDirectories: false)
            outcome = try await firma.run("sync")
            #expect(outcome.status == 78)
            try FileManager.default.removeItem(at: key)

            try Data((String(repeating: "0", count: 64) + "\n").utf8).write(to: key)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key.path)
            outcome = try await firma.run("sync")
            #expect(outcome.status != 0)
            #expect(outcome.errors.contains("key"), "\(outcome.errors)")
            try FileManager.default.removeItem(at: key)

            try FileManager.default.copyItem(at: aside, to: key)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key.path)
            outcome = try await firma.run("sync")
            #expect(outcome.status == 78)
            #expect(
                outcome.errors.contains("chmod 600") || outcome.errors.contains("0600"), "\(outcome.errors)")

            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key.path)
            #expect(try await firma.sync().account("anna").fetched == 5)
        }
    }

    @Test(arguments: [
        ["frobnicate"], ["sync", "--frobnicate"], ["account", "add", "--preset", "nobody"],
        ["queue", "link"],
        ["history"], ["sync", "--account", "nobody"], ["history", "nobody-of-that-name"],
        ["message", "show", "999999"], ["queue", "show", "999999"],
    ])
    func aRequestThatMakesNoSenseIsAUsageError(arguments: [String]) async throws {
        try await Installation.withFirma { firma in
            let outcome = try await firma.run(arguments)
            #expect(outcome.status == 64, "\(outcome.status): \(outcome.errors)")
            #expect(!outcome.errors.isEmpty)
            #expect(outcome.output.isEmpty, "\(outcome.output)")
        }
    }

    @Test func initReplacesNothingThatIsThere() async throws {
        try await Installation.withFirma { firma in
            let files = ["mailworker.toml", "mailworker.key"].map(firma.directory.appendingPathComponent)
            let before = try files.map { try Data(contentsOf: $0) }
            try await firma.run("init")
            #expect(try files.map { try Data(contentsOf: $0) } == before)
            // Nothing was forgotten either: the passwords open as before.
            try await firma.succeed("account", "check", "anna")
        }
    }

    @Test func initMakesNoNewKeyForAnArchiveThatHasOne() async throws {
        try await Installation.withFirma { firma in
            let key = firma.directory.appendingPathComponent("mailworker.key")
            let aside = firma.directory.appendingPathComponent("key.aside")
            try FileManager.default.moveItem(at: key, to: aside)
            let outcome = try await firma.run("init")
            #expect(outcome.status == 78, "\(outcome.output)")
            #expect(!FileManager.default.fileExists(atPath: key.path))
            // Nothing but the passwords needs the key.
            try await firma.succeed("queue", "list", "--json")
            try await firma.succeed("contact", "list", "--json")
            try FileManager.default.moveItem(at: aside, to: key)
            try await firma.succeed("account", "check", "anna")
        }
    }

    @Test func anArchiveWhoseKeyIsLostGoesOnWithANewOne() async throws {
        try await Installation.withFirma { firma in
            try FileManager.default.removeItem(at: firma.directory.appendingPathComponent("mailworker.key"))
            try await firma.succeed("init", "--new-key")
            let password = try #require(MailServer.passwords["anna"])
            try await firma.succeed("account", "edit", "anna", "--password-file", "-", input: password)
            try await firma.succeed("account", "check", "anna")
            let outcome = try await firma.run("account", "check", "boris")
            #expect(outcome.status == 69 && outcome.errors.contains("--password-file"), "\(outcome.errors)")
        }
    }

    @Test func aFileSizeLimitInTheMiddleOfASyncLosesNothing() async throws {
        try await Installation.withFirma { firma in
            let messages = (0..<300).map { number in
                SampleMail(
                    from: "ivan@klient.example", to: ["anna@firma.example"], subject: "№ \(number)",
                    messageID: "n\(number)@klient.example",
                    body: String(repeating: "Строка письма \(number).\r\n", count: 200)
                ).bytes
            }
            try await firma.server.deliver(messages, to: "anna")
            // 1 MB a file, where the originals alone need 2: as on a full disk, a write fails.
            let limited = try await Program.run(
                URL(fileURLWithPath: "/bin/bash"),
                [
                    "-c", "ulimit -f 1024; exec \"$0\" \"$@\"", Program.executable.path, "--config",
                    firma.configuration.path, "sync",
                ], in: firma.directory)
            #expect(limited.status != 0)
            _ = try await firma.run("sync")
            #expect(try await firma.sync().accounts.map(\.fetched) == [0, 0])
            #expect(try await firma.history(of: "Иван Петров").count == 300)
            try await firma.succeed("verify")
        }
    }
}
