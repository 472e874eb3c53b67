import Foundation
import Testing

/// To whom `send` queues mail, and what it refuses to queue.
@Suite(.timeLimit(.minutes(20)))
struct SendCommandTests {
    private struct Item: Decodable {
        struct Recipient: Decodable { var address: String }
        var recipients: [Recipient]
        var kind: String
    }

    private static func recipients(_ firma: Installation) async throws -> [[String]] {
        try await firma.succeed("outbox", "list", "--json").decoded([Item].self)
            .map { $0.recipients.map(\.address) }.reversed()
    }

    private static func withText(_ body: (Installation, String) async throws -> Void) async throws {
        try await Installation.withFirma { firma in
            try await firma.succeed(
                "account", "edit", "anna", "--smtp-host", "127.0.0.1", "--smtp-port", "1", "--smtp-security",
                "none")
            let text = firma.directory.appendingPathComponent("text")
            try Data("Text\n".utf8).write(to: text)
            try await body(firma, text.path)
        }
    }

    @Test func whoIsNamedTwiceOrHasTheSameAddressGetsOneMail() async throws {
        try await Self.withText { firma, text in
            for name in ["One", "Two"] {
                try await firma.succeed("contact", "add", "--name", name, "--email", "office@klient.example")
            }
            let sent = try await firma.succeed(
                "send", "--account", "anna", "--subject", "News", "--text", text, "--contact", "One",
                "--contact", "Иван Петров", "--contact", "Two", "--contact", "p1")
            #expect(try await Self.recipients(firma) == [["office@klient.example"], ["ivan@klient.example"]])
            #expect(sent.errors.contains("Two (office@klient.example) is written to once"))
        }
    }

    @Test func aKeyIsThatOfTheSameMailsInWhicheverOrderContactsAreNamed() async throws {
        try await Self.withText { firma, text in
            let one = "office@klient.example"
            for name in ["One", "Two"] {
                try await firma.succeed("contact", "add", "--name", name, "--email", one)
            }
            for names in [["One", "p1", "Two"], ["Two", "One", "p1"]] {
                let options = names.flatMap { ["--contact", $0] } + ["--idempotency-key", "K"]
                let words = ["send", "--account", "anna", "--subject", "News", "--text", text]
                let sent = try await firma.run(words + options)
                #expect(sent.status == 0 && sent.errors.contains("Two (\(one)) is written to once"))
            }
            #expect(try await Self.recipients(firma) == [[one], ["ivan@klient.example"]])
        }
    }

    @Test func oneContactNamedTwiceIsNoMassMail() async throws {
        try await Self.withText { firma, text in
            let words = ["send", "--account", "anna", "--subject", "News", "--text", text]
            try await firma.succeed("contact", "add", "--name", "One", "--email", "office@klient.example")
            for names in [["p1", "Иван Петров"], ["p1", "One"]] {
                #expect(try await firma.run(words + names.flatMap { ["--contact", $0] }).status == 0)
            }
            let kinds = try await firma.succeed("outbox", "list", "--json").decoded([Item].self).map(\.kind)
            #expect(kinds == ["mass", "mass", "single"])
        }
    }

    @Test func waitingEndsWithOneWhereNothingIsGoingToBeTried() async throws {
        try await Self.withText { firma, text in
            let words = ["send", "--account", "anna", "--subject", "News", "--text", text]
            let keyed = words + ["--to", "ivan@klient.example", "--idempotency-key", "K"]
            #expect(try await firma.run(keyed).status == 0)
            try await firma.succeed("outbox", "cancel", "1")
            let cancelled = try await firma.run(keyed + ["--wait"])
            #expect(cancelled.status == 1 && cancelled.output.contains("1: cancelled"))
            // One is refused; the other's server is down.
            try await firma.succeed("contact", "add", "--name", "No", "--email", "no@klient.example")
            try await firma.succeed("contact", "edit", "No", "--do-not-email")
            let mixed = try await firma.run(words + ["--contact", "No", "--contact", "p1", "--wait"])
            #expect(mixed.status == 1 && mixed.errors.contains("must not be mailed"))
            let later = try await firma.run(words + ["--contact", "p1", "--wait"])
            #expect(later.status == 75)
        }
    }

    @Test func whatCannotBeMeantIsRefusedByName() async throws {
        try await Self.withText { firma, text in
            let words = ["send", "--account", "anna", "--subject", "News", "--text", text]
            let cases: [(more: [String], error: String)] = [
                (["--contact", "p1", "--to", "ivan@klient.example"], "ivan@klient.example"),
                (["--to", "ivan@klient.example", "--idempotency-key", ""], "key is empty"),
                (["--contact", "p1", "--idempotency-key", ""], "key is empty"),
            ]
            for (more, error) in cases {
                let refused = try await firma.run(words + more)
                #expect(refused.status == 64 && refused.errors.contains(error), "\(refused.errors)")
            }
            for input in ["", "[]", "{}{}"] {
                let refused = try await firma.run("send", input: input)
                #expect(refused.status == 64 && refused.errors.contains("not a mail in JSON: "))
                #expect(!refused.errors.contains(".. ") && !refused.errors.contains(":  "))
            }
            #expect(try await Self.recipients(firma).isEmpty)
        }
    }

    @Test func besideJSONNoOptionIsDropped() async throws {
        try await Self.withText { firma, text in
            let mail = #"{"account": "anna", "to": ["ivan@klient.example"], "text": "x"}"#
            let options = [
                ["--from", "x@firma.example"], ["--to", "b@klient.example"], ["--cc", "b@klient.example"],
                ["--bcc", "b@klient.example"], ["--template", "t"], ["--no-signature"], ["--subject", "s"],
                ["--text", text], ["--html", text], ["--attach", text], ["--inline-image", text],
                ["--reply-to-message", "1"], ["--all"], ["--no-quote"], ["--forward", "1"],
                ["--at", "2030-01-01T00:00:00Z"], ["--idempotency-key", "K"],
            ]
            for option in options {
                let refused = try await firma.run(["send"] + option, input: mail)
                #expect(refused.status == 64 && refused.errors.contains(option[0]), "\(option)")
            }
            let both = #"{"account": "anna", "contact": "p1", "text": "x"}"#
            #expect(try await firma.run(["send", "--contact", "p1"], input: both).status == 64)
            #expect(try await Self.recipients(firma).isEmpty)
            try await firma.succeed("send", "--kind", "automatic", input: mail)
            #expect(try await Self.recipients(firma) == [["ivan@klient.example"]])
        }
    }
}
