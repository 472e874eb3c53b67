import Foundation
import Testing

/// The main job through the real program against a real server.
@Suite(.timeLimit(.minutes(20)))
struct MainJobTests {
    @Test func everyMessageBecomesHistoryOrAReviewItemAndNothingIsFetchedTwice() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)

            let first = try await firma.sync()
            let anna = try first.account("anna")
            let boris = try first.account("boris")
            #expect(anna.error == nil && boris.error == nil)
            #expect(anna.fetched == 5)
            #expect(boris.fetched == 2)
            // The accounts are polled side by side: whose copy came first is open.
            #expect(anna.duplicates + boris.duplicates == 1)
            #expect(anna.linked + boris.linked == 3)
            #expect(anna.review == 2)
            #expect(boris.ignored == 1)
            #expect(anna.quarantined + boris.quarantined == 0)

            let queue = try await firma.queue()
            #expect(
                Set(queue.map(\.address)) == ["marker-address@secret.example", "newcomer@novyi.example"])
            let stranger = try #require(queue.first { $0.address == "marker-address@secret.example" })
            #expect(stranger.reason == "No matching contacts for marker-address@secret.example")
            #expect(stranger.direction == "incoming")
            #expect(stranger.account == "anna")
            #expect(stranger.subject == "Вопрос о цене")
            #expect(stranger.messageId == "question@secret.example")
            #expect(queue.first { $0.address == "newcomer@novyi.example" }?.direction == "outgoing")

            let history = try await firma.history(of: "Иван Петров")
            #expect(Set(history.map(\.messageId)) == ["contract@klient.example", "both@pochta.example"])
            let contract = try #require(history.first { $0.messageId == "contract@klient.example" })
            #expect(contract.subject == "Договор")
            #expect(contract.from == "ivan@klient.example")
            #expect(contract.to == ["anna@firma.example"])
            #expect(contract.date == 1_768_201_200)
            #expect(contract.attachments.map(\.filename) == ["Договор №5.pdf"])
            #expect(contract.attachments.map(\.size) == [FirmaMail.contract.count])
            // The organisation reads through its people; nothing is linked twice.
            #expect(try await firma.history(of: "ООО Клиент").count == 2)

            let second = try await firma.sync()
            #expect(second.accounts.map(\.fetched) == [0, 0])
            #expect(try await firma.queue() == queue)
            try await firma.succeed("verify")
        }
    }

    @Test func aMessageThatArrivesLaterIsFetchedAlone() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            _ = try await firma.sync()
            var later = FirmaMail.fromClient
            later.subject = "Ещё одно"
            later.messageID = "later@klient.example"
            try await firma.server.deliver([later.bytes], to: "anna")
            let answer = try await firma.sync()
            #expect(try answer.account("anna").fetched == 1)
            #expect(try answer.account("anna").linked == 1)
            #expect(try answer.account("boris").fetched == 0)
        }
    }

    @Test func theMailboxStaysAsItWas() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            let folders = [("anna", "INBOX"), ("anna", "Sent"), ("boris", "INBOX")]
            var before: [String] = []
            for (user, folder) in folders {
                // Asking for the flags opens the folder, which takes \Recent away.
                _ = try await firma.server.flags(of: user, folder: folder)
                before.append(try await firma.server.flags(of: user, folder: folder))
            }
            _ = try await firma.sync()
            _ = try await firma.sync()
            var after: [String] = []
            for (user, folder) in folders {
                after.append(try await firma.server.flags(of: user, folder: folder))
            }
            #expect(before == after)
            #expect(!after.joined().contains("Seen"))

            let commands = try await firma.server.commands()
            #expect(commands.contains { $0.hasPrefix("EXAMINE") }, "the wire log is empty")
            #expect(commands.contains { $0.contains("BODY.PEEK[") })
            for command in commands {
                #expect(Self.leavesMailboxAlone(command), "the program sent: \(command)")
            }
        }
    }

    /// Reading commands only, and bodies only by PEEK.
    static func leavesMailboxAlone(_ command: String) -> Bool {
        let words = command.split(separator: " ")
        let name = words.first == "UID" ? words.dropFirst().first : words.first
        let reading: Set<Substring> = [
            "CAPABILITY", "NOOP", "LOGOUT", "ID", "ENABLE", "NAMESPACE", "LIST", "STATUS", "EXAMINE",
            "SEARCH", "FETCH", "CLOSE", "UNSELECT", "IDLE", "COMPRESS", "LSUB",
        ]
        guard let name, reading.contains(name) else { return false }
        let items = command.replacing("BODY.PEEK[", with: "").replacing("RFC822.SIZE", with: "")
        return !["BODY[", "BINARY[", "RFC822"].contains { items.contains($0) }
    }

    @Test func linkingAReviewItemPutsItIntoTheHistory() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            _ = try await firma.sync()
            let before = try await firma.history(of: "Jane Doe")
            let item = try #require(
                try await firma.queue().first { $0.address == "marker-address@secret.example" })

            let refused = try await firma.run("queue", "link", item.id, "--contact", "Nobody At All")
            #expect(refused.status != 0)
            #expect(refused.errors.contains("contact"))
            #expect(try await firma.queue().contains(item), "a refused link changed the queue")

            try await firma.succeed("queue", "link", item.id, "--contact", "Jane Doe")
            let after = try await firma.history(of: "Jane Doe")
            #expect(after.count == before.count + 1)
            #expect(after.contains { $0.messageId == "question@secret.example" })
            #expect(try await !firma.queue().contains { $0.id == item.id })
        }
    }

    @Test func theOriginalAndTheAttachmentComeOutByteForByte() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            _ = try await firma.sync()
            let entry = try #require(
                try await firma.history(of: "Иван Петров")
                    .first { $0.messageId == "contract@klient.example" })
            let original = try await firma.succeed("message", "original", entry.message)
            #expect(Data(original.output.utf8) == FirmaMail.fromClient.bytes)
            let explained = try await firma.succeed("message", "explain", entry.message)
            #expect(explained.output.contains("ivan@klient.example"))
            try await firma.succeed("message", "show", entry.message)
        }
    }

    @Test func aContactImportedLaterGetsTheMailThatWaited() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            _ = try await firma.sync()
            try await firma.succeed(
                "contact", "add", "--kind", "lead", "--name", "Newcomer", "--email", "newcomer@novyi.example")
            #expect(try await firma.history(of: "Newcomer").map(\.messageId) == ["hello@firma.example"])
            #expect(try await !firma.queue().contains { $0.address == "newcomer@novyi.example" })
        }
    }
}
