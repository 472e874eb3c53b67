import Foundation
import Synchronization
import Testing

/// `run`, and what two processes do to each other.
@Suite(.timeLimit(.minutes(20)))
struct DaemonTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func theDaemonPollsByItselfAndEndsCleanlyWhenAsked(signal: Int32) async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            let outcome = try await firma.run("run") { process in
                // The fact awaited: the mail has arrived, as another process sees it.
                while Foundation.kill(process, 0) == 0 {
                    guard let items = try? firma.countOfReviewItems() else { break }
                    if items == 2 { break }
                }
                Foundation.kill(process, signal)
            }
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try await firma.history(of: "Иван Петров").count == 2)
            // A log names accounts by number or name, people never.
            for marker in Installation.markers {
                #expect(!outcome.errors.contains(marker), "the log names \(marker):\n\(outcome.errors)")
            }
            #expect(!outcome.errors.contains("ivan@klient.example"), "\(outcome.errors)")
            #expect(!outcome.errors.contains("Вопрос о цене"), "\(outcome.errors)")
            try await firma.succeed("verify")
        }
    }

    @Test func aWatchedMailboxIsFiledWhenMailComesAndNotByTheNextPoll() async throws {
        try await Installation.withFirma { firma in
            try await firma.succeed("account", "edit", "anna", "--push", "--poll-minutes", "1440")
            try await firma.succeed("sync")
            let process = Mutex<Int32>(0)
            async let outcome = firma.run("run") { id in process.withLock { $0 = id } }
            // The facts awaited: a session idles, then the mail has arrived for another process to see.
            while try await !firma.server.commands().contains("IDLE") { await Task.yield() }
            try await firma.server.deliver([FirmaMail.fromStranger.bytes], to: "anna")
            while try await firma.queue().count != 1 { await Task.yield() }
            kill(process.withLock { $0 }, SIGTERM)
            #expect(try await outcome.status == 0)
            try await firma.succeed("verify")
        }
    }

    @Test func mailInFurtherFoldersOfAWatchedMailboxIsFiledWhenItComesWhereTheServerTellsOfIt() async throws {
        try await Installation.withFirma { firma in
            try await firma.server.save(FirmaMail.toLead.bytes, to: "anna", folder: "Sent")
            try await firma.server.deliver([FirmaMail.fromClient.bytes], to: "anna", folder: "Clients")
            try await firma.succeed(
                "account", "edit", "anna", "--push", "--poll-minutes", "1440", "--folder", "Clients")
            try await firma.succeed("sync")
            #expect(try await firma.queue().isEmpty)
            let process = Mutex<Int32>(0)
            async let outcome = firma.run("run") { id in process.withLock { $0 = id } }
            // The facts awaited: the session idles, then what came into each folder stands in the queue. The next
            // poll is hours away.
            while try await !firma.server.commands().contains("IDLE") { await Task.yield() }
            try await firma.server.save(FirmaMail.toNewcomer.bytes, to: "anna", folder: "Sent")
            while try await firma.queue().count != 1 { await Task.yield() }
            try await firma.server.save(FirmaMail.fromStranger.bytes, to: "anna", folder: "Clients")
            while try await firma.queue().count != 2 { await Task.yield() }
            kill(process.withLock { $0 }, SIGTERM)
            #expect(try await outcome.status == 0)
            let commands = try await firma.server.commands()
            #expect(commands.contains { $0.hasPrefix("NOTIFY SET ") })
            for writing in ["SELECT", "STORE", "UID STORE", "APPEND"] {
                #expect(!commands.contains { $0.hasPrefix("\(writing) ") }, "the mailbox is read only")
            }
            try await firma.succeed("verify")
        }
    }

    @Test func twoSyncsAtOnceFileEverythingOnce() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            async let one = firma.run("sync", "--json")
            async let other = firma.run("sync", "--json")
            // The one that comes second may say that the account is being polled.
            for outcome in try await [one, other] {
                #expect([0, 1, 75].contains(outcome.status), "\(outcome.errors)")
            }
            _ = try await firma.run("sync", "--account", "anna")
            _ = try await firma.run("sync", "--account", "boris")
            #expect(try await firma.history(of: "Иван Петров").count == 2)
            #expect(try await firma.queue().count == 2)
            try await firma.succeed("verify")
        }
    }

    @Test func aServerThatGoesAwayInTheMiddleCostsNothing() async throws {
        try await Installation.withFirma { firma in
            let messages = (0..<2_000).map { number in
                SampleMail(
                    from: "ivan@klient.example", to: ["anna@firma.example"], subject: "№ \(number)",
                    messageID: "n\(number)@klient.example",
                    body: String(repeating: "Строка письма \(number).\r\n", count: 200)
                ).bytes
            }
            try await firma.server.deliver(messages, to: "anna")
            let server = firma.server
            let outcome = try await firma.run("sync", "--json") { process in
                // The fact awaited: the first original is on disk, so a transfer is under way.
                while firma.bytesOfArchive() < 1 << 20, Foundation.kill(process, 0) == 0 { sched_yield() }
                let stop = Process()
                stop.executableURL = Program.root.appendingPathComponent("scripts/dovecot")
                stop.arguments = ["stop", server.directory.path]
                try? Program.launch(stop)
                stop.waitUntilExit()
            }
            #expect([0, 1, 75].contains(outcome.status), "\(outcome.errors)")
            try await firma.succeed("verify")
            // The program may have ended before the server: only a second stop waits for that.
            try await firma.server.stop()
            try await firma.server.startAgain()
            _ = try await firma.run("sync", "--account", "anna")
            #expect(
                try await firma.succeed("sync", "--account", "anna", "--json")
                    .decoded(Answers.Sync.self).account("anna").fetched == 0)
            #expect(try await firma.history(of: "Иван Петров").count == messages.count)
            try await firma.succeed("verify")
        }
    }
}
