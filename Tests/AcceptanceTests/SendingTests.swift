import Foundation
import Testing

/// Mail that goes through a real Postfix into real mailboxes, and what comes back.
@Suite(
    .enabled(
        if: PostfixServer.isThere, "Postfix is not installed here (scripts/setup test), or this is not root"),
    .timeLimit(.minutes(20)))
struct SendingTests {
    private struct Sent: Decodable {
        struct Recipient: Decodable {
            struct Report: Decodable {
                var message: String
                var failure: String?
                var status: String?
            }
            var address: String
            var state: String
            var reports: [Report]?
        }
        var id: String
        var messageId: String
        var state: String
        var recipients: [Recipient]
    }

    private struct Returned: Decodable {
        struct Entry: Decodable {
            var outbox: String?
            var report: String
            var address: String
            var failure: String?
        }
        var messageId: String?
        var returned: [Entry]?
    }

    private static func withPostfix(_ body: (Installation, PostfixServer) async throws -> Void) async throws {
        try await Installation.withFirma { firma in
            let postfix = try await PostfixServer.start(in: firma.directory.appendingPathComponent("smtp"))
            do {
                try await firma.send(through: postfix, account: "anna")
                try await body(firma, postfix)
            } catch {
                try await postfix.stop()
                throw error
            }
            try await postfix.stop()
        }
    }

    /// The lines of the header, unfolded.
    private static func header(of mail: Data) -> [String] {
        let text = String(decoding: mail, as: UTF8.self).replacing("\r\n", with: "\n")
        let header = text.components(separatedBy: "\n\n")[0]
        return header.replacing("\n ", with: " ").replacing("\n\t", with: " ").components(separatedBy: "\n")
    }

    @Test func whatArrivesIsWhatWasSentOnceEverywhere() async throws {
        try await Self.withPostfix { firma, postfix in
            let text =
                "Здравствуйте, Иван!\n\n.Точка в начале строки\n\(String(repeating: "слово ", count: 300))\n"
            let html = "<p>Здравствуйте, <b>Иван</b>!</p>"
            let file = Data((0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
            func write(_ name: String, _ content: Data) throws -> String {
                let url = firma.directory.appendingPathComponent(name)
                try content.write(to: url)
                return url.path
            }
            let answer = try await firma.succeed(
                "send", "--account", "anna", "--to", "Иван Петров <ivan@klient.example>",
                "--cc", "info@klient.example", "--bcc", "boris@firma.example",
                "--subject", "Договор № 17 — «проект»", "--text", try write("text.txt", Data(text.utf8)),
                "--html", try write("text.html", Data(html.utf8)),
                "--attach", try write("Договор № 17.bin", file), "--wait", "--json"
            ).decoded(Sent.self)
            #expect(answer.state == "sent" && answer.recipients.allSatisfy { $0.state == "sent" })

            // Each recipient has it, says what was written, and does not say who has it blindly.
            var copies: [Data] = []
            for recipient in ["ivan@klient.example", "info@klient.example", "boris@firma.example"] {
                let mail = try await postfix.mail(for: recipient)
                try #require(mail.count == 1)
                let fields = Self.header(of: mail[0]).filter { field in
                    !["Delivered-To:", "X-Original-To:", "Received:"].contains { field.hasPrefix($0) }
                }
                #expect(!fields.contains { $0.contains("boris") })
                #expect(!fields.contains { $0.lowercased().hasPrefix("bcc:") })
                copies.append(mail[0])
            }
            let parsed = try await firma.succeed("parse", try write("arrived.eml", copies[0]), "--jsonl")
                .decoded(Answers.Parsed.self)
            #expect(parsed.messageId == answer.messageId && parsed.defects.isEmpty)
            #expect(parsed.subject == "Договор № 17 — «проект»")
            #expect(parsed.from == ["anna@firma.example"] && parsed.to == ["ivan@klient.example"])
            #expect(parsed.cc == ["info@klient.example"] && parsed.hasHtml)
            #expect(parsed.text == text.trimmingCharacters(in: .whitespacesAndNewlines))
            #expect(parsed.attachments.map(\.filename) == ["Договор № 17.bin"])
            #expect(parsed.attachments.map(\.size) == [file.count])

            // It is in the history before any poll, and in the Sent folder.
            func entries() async throws -> [Answers.HistoryEntry] {
                try await firma.history(of: "Иван Петров").filter { $0.messageId == answer.messageId }
            }
            let entry = try #require(try await entries().first)
            #expect(entry.direction == "outgoing")
            #expect(entry.attachments.map(\.sha256) == parsed.attachments.map(\.sha256))
            func isInSent() async throws -> Int {
                try await firma.server.flags(of: "anna", folder: "Sent").split(separator: "\n").count
            }
            #expect(try await isInSent() == 1)

            // The copy in the Sent folder, and the one that a colleague got blindly, are copies of it.
            try await firma.server.deliver([copies[2]], to: "boris")
            let synced = try await firma.sync()
            #expect(try synced.account("anna").duplicates == 1 && synced.account("boris").duplicates == 1)
            #expect(try await entries().count == 1)
            #expect(try await isInSent() == 1)
            #expect(try await firma.queue().isEmpty)
            try await firma.succeed("verify")
        }
    }

    @Test func aMailThatComesBackIsShownAtTheMailAndTheContact() async throws {
        try await Self.withPostfix { firma, postfix in
            try await firma.succeed("contact", "add", "--name", "Gone", "--email", "returned@klient.example")
            let answer = try await firma.run(
                [
                    "send", "--account", "anna", "--to", "returned@klient.example", "--to",
                    "ivan@klient.example",
                    "--subject", "Anybody there?", "--text", "-", "--wait", "--json",
                ], input: "Hello\n"
            ).decoded(Sent.self)
            #expect(answer.state == "sent")
            let bounce = try #require(try await postfix.mail(for: "anna@firma.example").first)
            try await firma.server.deliver([bounce], to: "anna")
            #expect(try await firma.sync().account("anna").error == nil)

            let item = try await firma.succeed("outbox", "show", answer.id, "--json").decoded(Sent.self)
            let reports = item.recipients.map { ($0.address, $0.reports ?? []) }
            #expect(reports.map(\.0) == ["returned@klient.example", "ivan@klient.example"])
            #expect(reports[0].1.map(\.failure) == ["hard"] && reports[0].1.map(\.status) == ["5.1.1"])
            #expect(reports[1].1.isEmpty)
            let histories = try await firma.succeed("history", "Gone", "--json").decoded([Returned].self)
            #expect(histories.map(\.messageId) == [answer.messageId])
            let returned = try #require(histories.first?.returned?.first)
            #expect(returned.outbox == answer.id && returned.address == "returned@klient.example")
            #expect(try await firma.succeed("history", "Gone").output.contains("Came back for returned@"))
            #expect(try await firma.queue().isEmpty)
            // One is not enough to say that the address is dead.
            let suppressed = try await firma.succeed("suppression", "list", "--json").output
            #expect(suppressed.filter { !$0.isWhitespace } == "[]")
            try await firma.succeed("verify")
        }
    }

    @Test func aBounceOfMailThatAnotherProgramSentIsShownAtThatMail() async throws {
        try await Self.withPostfix { firma, postfix in
            try await firma.succeed("contact", "add", "--name", "Gone", "--email", "returned@klient.example")
            // The real bounce of a mail that this installation knows from the Sent folder alone.
            let elsewhere = try await firma.run(
                [
                    "send", "--account", "anna", "--to", "returned@klient.example", "--subject",
                    "From elsewhere",
                    "--text", "-", "--wait", "--json",
                ], input: "Hello\n"
            ).decoded(Sent.self)
            let bounce = try #require(try await postfix.mail(for: "anna@firma.example").first)
            let other = String(decoding: bounce, as: UTF8.self)
                .replacing(elsewhere.messageId, with: "thunder@elsewhere.example")
                .replacing(/Original-Envelope-Id: .*\n/, with: "")
            let mail = SampleMail(
                from: "anna@firma.example", to: ["returned@klient.example"], subject: "Из другой программы",
                messageID: "thunder@elsewhere.example")
            // The bounce is read first: INBOX comes before the Sent folder.
            try await firma.server.deliver([Data(other.utf8)], to: "anna")
            try await firma.server.deliver([mail.bytes], to: "anna", folder: "Sent")
            #expect(try await firma.sync().account("anna").error == nil)
            let entries = try await firma.succeed("history", "Gone", "--json").decoded([Returned].self)
            let entry = try #require(entries.first { $0.messageId == "thunder@elsewhere.example" })
            #expect(entry.returned?.map(\.failure) == ["hard"] && entry.returned?.first?.outbox == nil)
            #expect(try await firma.queue().isEmpty)
            try await firma.succeed("verify")
        }
    }
}
