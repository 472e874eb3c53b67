import Foundation
import Testing

/// `parse` and `import`: the same reading without a server.
@Suite(.timeLimit(.minutes(20)))
struct FileCommandTests {
    @Test func parsePrintsOneLineAMessageAndNeedsNoDatabase() async throws {
        try await Installation.withServer { firma in
            let mail = firma.directory.appendingPathComponent("mail")
            try FileManager.default.createDirectory(at: mail, withIntermediateDirectories: true)
            try FirmaMail.fromClient.bytes.write(to: mail.appendingPathComponent("client.eml"))
            try Data("no header at all".utf8).write(to: mail.appendingPathComponent("broken.eml"))
            try Data().write(to: mail.appendingPathComponent("empty.eml"))

            let outcome = try await firma.run("parse", "--jsonl", mail.path)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let parsed = try outcome.output.split(separator: "\n")
                .map { try Answers.decoder.decode(Answers.Parsed.self, from: Data($0.utf8)) }
            #expect(parsed.count == 3)
            let client = try #require(parsed.first { $0.path.hasSuffix("client.eml") })
            #expect(client.messageId == "contract@klient.example")
            #expect(client.subject == "Договор")
            #expect(client.from == ["ivan@klient.example"])
            #expect(client.to == ["anna@firma.example"])
            #expect(client.cc.isEmpty)
            #expect(client.date == 1_768_201_200)
            #expect(client.text?.contains("Письмо на проверку.") == true)
            #expect(!client.hasHtml)
            #expect(client.attachments.map(\.filename) == ["Договор №5.pdf"])
            #expect(client.attachments.map(\.contentType) == ["application/pdf"])
            #expect(client.attachments.map(\.size) == [FirmaMail.contract.count])

            let missing = try await firma.run("parse", "--jsonl", mail.path + "/gone.eml")
            #expect(missing.status != 0)
            #expect(missing.errors.contains("gone.eml"))
            #expect(!FileManager.default.fileExists(atPath: firma.data.path))
        }
    }

    @Test func importTakesMessagesMboxAndMaildirThroughTheSamePipeline() async throws {
        try await Installation.withFirma { firma in
            let single = firma.directory.appendingPathComponent("single.eml")
            try FirmaMail.fromClient.bytes.write(to: single)

            let mbox = firma.directory.appendingPathComponent("old.mbox")
            var text = Data()
            for mail in [FirmaMail.toLead, FirmaMail.toNewcomer] {
                text += Data("From anna@firma.example Mon Jan 12 10:00:00 2026\n".utf8)
                text += Data(
                    String(decoding: mail.bytes, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
                        .utf8)
                text += Data("\n".utf8)
            }
            try text.write(to: mbox)

            let maildir = firma.directory.appendingPathComponent("Maildir")
            for folder in ["cur", "new", "tmp"] {
                try FileManager.default.createDirectory(
                    at: maildir.appendingPathComponent(folder), withIntermediateDirectories: true)
            }
            try FirmaMail.fromStranger.bytes.write(to: maildir.appendingPathComponent("cur/1.host:2,S"))
            try FirmaMail.toBoth.bytes.write(to: maildir.appendingPathComponent("new/2.host"))

            for _ in 1...2 {
                // The second time everything is there already, and stays as it is.
                try await firma.succeed("import", single.path, mbox.path, maildir.path)
                #expect(try await firma.history(of: "Иван Петров").count == 2)
                #expect(try await firma.history(of: "Jane Doe").count == 1)
                #expect(try await firma.queue().count == 2)
            }
            try await firma.succeed("verify")

            let missing = try await firma.run("import", firma.directory.path + "/gone.mbox")
            #expect(missing.status != 0)
            #expect(missing.errors.contains("gone.mbox"))
        }
    }

    @Test func aFlippedBitInTheOriginalsIsFound() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            _ = try await firma.sync()
            let originals = firma.data.appendingPathComponent("originals")
            let pack = try #require(
                try FileManager.default.contentsOfDirectory(at: originals, includingPropertiesForKeys: nil)
                    .first { ((try? Data(contentsOf: $0))?.count ?? 0) > 1_000 })
            var bytes = try Data(contentsOf: pack)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: pack)
            let outcome = try await firma.run("verify", "--json")
            #expect(outcome.status == 1, "\(outcome.output)")
        }
    }
}
