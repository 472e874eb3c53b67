import Foundation
import Synchronization
import Testing

/// Two worker processes that share one archive.
@Suite(.timeLimit(.minutes(20)))
struct TwoProcessTests {
    private static func message(_ number: Int, to user: String) -> Data {
        SampleMail(
            from: "ivan@klient.example", to: ["\(user)@firma.example"], subject: "№ \(number)",
            messageID: "\(user).\(number)@klient.example",
            body: String(repeating: "Строка письма \(number).\r\n", count: 110)
        ).bytes
    }

    /// How often each UID was fetched with its content, over all sessions.
    private static func fetchedMessages(from server: MailServer) async throws -> Int {
        var count = 0
        for command in try await server.commands() where command.contains("BODY.PEEK[]") {
            let words = command.split(separator: " ")
            guard words.count > 2 else { continue }
            for range in words[2].split(separator: ",") {
                let ends = range.split(separator: ":").compactMap { Int($0) }
                count += (ends.last ?? 0) - (ends.first ?? 0) + 1
            }
        }
        return count
    }

    /// Waits until this many messages stand in the contact's history, for another process to see.
    private static func awaitHistory(of firma: Installation, count: Int) async throws {
        while try await firma.history(of: "Иван Петров").count < count { await Task.yield() }
    }

    /// Ends the noted processes when `body` throws: the test waits for them, and they end by nothing else.
    private static func ending(
        _ processes: borrowing Mutex<[Int32]>, after body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch {
            for id in processes.withLock({ $0 }) { kill(id, SIGKILL) }
            throw error
        }
    }

    @Test func twoDaemonsFetchEachMessageOnce() async throws {
        try await Installation.withFirma { firma in
            for user in MailServer.passwords.keys {
                try await firma.succeed("account", "edit", user, "--poll-minutes", "1")
                try await firma.server.deliver((0..<300).map { Self.message($0, to: user) }, to: user)
            }
            let processes = Mutex<[Int32]>([])
            let note: @Sendable (Int32) -> Void = { id in processes.withLock { $0.append(id) } }
            async let one = firma.run("run", whileRunning: note)
            async let other = firma.run("run", whileRunning: note)
            while processes.withLock({ $0.count }) < 2 { await Task.yield() }
            try await Self.ending(processes) { try await Self.awaitHistory(of: firma, count: 600) }
            for id in processes.withLock({ $0 }) { kill(id, SIGTERM) }
            for outcome in try await [one, other] { #expect(outcome.status == 0, "\(outcome.errors)") }
            #expect(try await Self.fetchedMessages(from: firma.server) == 600)
            try await firma.succeed("verify")
        }
    }

    @Test func whatAKilledProcessHeldIsTakenOverByTheOther() async throws {
        try await Installation.withFirma { firma in
            try await firma.server.deliver((0..<1_500).map { Self.message($0, to: "anna") }, to: "anna")
            let before = firma.bytesOfArchive()
            let begun = Mutex(false)
            let killed = Mutex(false)
            async let first = firma.run("run") { id in
                func wait(for bytes: Int) {
                    while firma.bytesOfArchive() < before + bytes, Foundation.kill(id, 0) == 0 {
                        sched_yield()
                    }
                }
                // The facts awaited: anna's mail is its own to fetch, and it is in the midst of it.
                wait(for: 1 << 18)
                begun.withLock { $0 = true }
                wait(for: 1 << 20)
                Foundation.kill(id, SIGKILL)
                killed.withLock { $0 = true }
            }
            while !begun.withLock({ $0 }) { await Task.yield() }
            let processes = Mutex<[Int32]>([])
            // It waits for the account that the other one holds.
            async let second = firma.run("run") { id in processes.withLock { $0.append(id) } }
            while processes.withLock({ $0.isEmpty }) { await Task.yield() }
            try await Self.ending(processes) { try await Self.awaitHistory(of: firma, count: 1_500) }
            #expect(killed.withLock { $0 })
            for id in processes.withLock({ $0 }) { kill(id, SIGTERM) }
            #expect(try await second.status == 0)
            #expect([0, 128 + SIGKILL].contains(try await first.status))
            #expect(try await firma.sync().account("anna").fetched == 0)
            #expect(try await firma.history(of: "Иван Петров").count == 1_500)
            try await firma.succeed("verify")
        }
    }
    @Test func aWatchIsTakenOverFromAKilledProcess() async throws {
        try await Installation.withFirma { firma in
            try await firma.succeed("account", "edit", "anna", "--push", "--poll-minutes", "1440")
            try await firma.succeed("sync")
            func watches() async throws -> Int { try await firma.server.commands().count { $0 == "IDLE" } }
            let processes = Mutex<[Int32]>([])
            let note: @Sendable (Int32) -> Void = { id in processes.withLock { $0.append(id) } }
            async let first = firma.run("run", whileRunning: note)
            while try await watches() == 0 { await Task.yield() }
            async let second = firma.run("run", whileRunning: note)
            while processes.withLock({ $0.count }) < 2 { await Task.yield() }
            try await Self.ending(processes) {
                try await firma.server.deliver([FirmaMail.fromStranger.bytes], to: "anna")
                while try await firma.queue().count != 1 { await Task.yield() }
                let before = try await watches()
                kill(processes.withLock { $0[0] }, SIGKILL)
                while try await watches() == before { await Task.yield() }
                try await firma.server.deliver([FirmaMail.toBoth.bytes], to: "anna")
                try await Self.awaitHistory(of: firma, count: 1)
                kill(processes.withLock { $0[1] }, SIGTERM)
            }
            #expect(try await first.status == 128 + SIGKILL)
            #expect(try await second.status == 0)
            try await firma.succeed("verify")
        }
    }

    @Test func twoFirstImportsAtOnceBothEndWell() async throws {
        try await Installation.withFirma { firma in
            let mail = try (0..<2).map { half in
                let folder = firma.directory.appendingPathComponent("mail-\(half)")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
                for number in 0..<20 {
                    try Self.message(half * 20 + number, to: "anna")
                        .write(to: folder.appendingPathComponent("\(number).eml"))
                }
                return folder.path
            }
            async let one = firma.run("import", mail[0])
            async let other = firma.run("import", mail[1])
            for outcome in try await [one, other] { #expect(outcome.status == 0, "\(outcome.errors)") }
            #expect(try await firma.history(of: "Иван Петров").count == 40)
            try await firma.succeed("verify")
        }
    }
}
