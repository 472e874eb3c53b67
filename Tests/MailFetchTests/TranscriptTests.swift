import Foundation
import MailModel
import MailTestKit
import MailTransport
import Synchronization
import Testing

@testable import MailFetch

/// Plays every transcript of Fixtures/imap against a real session.
@Suite struct TranscriptTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/imap")

    static let names: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".imap") }.sorted()

    static let loop = Result { () throws(MailFailure) in try NetworkLoop() }

    @Test func thereAreTranscripts() {
        #expect(Self.names.count >= 140, "Fixtures/imap is empty or was not found")
    }

    /// The limit of time is for a wait without end, which would keep the tests from ending.
    @Test(.timeLimit(.minutes(20)), arguments: names) func comesOutAsExpected(_ name: String) async throws {
        let text = try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
        let transcript = try Transcript(text)
        #expect(!transcript.reason.isEmpty, "a transcript says why it exists")
        let run = try TranscriptRun(transcript.expectations)
        let server = try ScriptedIMAPServer(playing: transcript.scripts)
        defer { server.stop() }
        let outcomes = await run.play(server: server, loop: try Self.loop.get())
        #expect(outcomes == run.outcomes)
        #expect(server.violations.isEmpty)
        // Reading only: whatever the server did, nothing else was ever sent.
        let allowed: Set = [
            "CAPABILITY", "LOGIN", "STARTTLS", "ID", "NAMESPACE", "LIST", "STATUS", "EXAMINE", "UID", "NOOP",
            "LOGOUT", "ENABLE", "IDLE", "NOTIFY", "FETCH",
        ]
        let renumbers = ["examine-courier-", "examine-imap4d-"].contains { name.hasPrefix($0) }
        for line in server.received where line != "DONE" {
            let words = line.split(separator: " ").map { $0.uppercased() }
            #expect(
                words.count >= 2 && allowed.contains(words[1]) || renumbers && words[1] == "SELECT",
                "\(line)")
            if words[1] == "UID" { #expect(words[2] == "FETCH" || words[2] == "SEARCH") }
            #expect(!words.contains { $0.contains("BODY[") }, "only PEEK leaves \\Seen alone")
            if run.security == .starttls { #expect(!line.contains(TranscriptRun.password)) }
        }
    }
}

/// What a transcript asks for, done to a server, with the outcome in the transcript's own words.
struct TranscriptRun {
    static let password = "marker-of-a-secret"

    var action: [String] = []
    var outcomes: [String] = []
    var timeout = 20
    var limits = MailLimits.standard
    var security = TransportSecurity.none

    init(_ expectations: [String]) throws {
        for line in expectations {
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "asks": action = Array(words.dropFirst())
            case "settings":
                for word in words.dropFirst() {
                    let pair = word.split(separator: "=").map(String.init)
                    switch pair[0] {
                    case "timeout": timeout = try #require(Int(pair[1]))
                    case "heap": limits.heapMessageBytes = try #require(Int(pair[1]))
                    case "limit": limits.messageBytes = try #require(Int(pair[1]))
                    case "security": security = try #require(TransportSecurity(rawValue: pair[1]))
                    default: Issue.record("unknown setting \(word)")
                    }
                }
            default: outcomes.append(line)
            }
        }
        try #require(!action.isEmpty)
    }

    func play(server: ScriptedIMAPServer, loop: NetworkLoop) async -> [String] {
        var found: [String] = []
        let session: IMAPSession
        do throws(MailFailure) {
            session = try await IMAPSession.connect(
                ConnectionSettings(
                    endpoint: ServerEndpoint(host: "127.0.0.1", port: server.port, security: security),
                    login: "user@example.test", secret: Secret(Self.password), timeoutSeconds: timeout,
                    allowedNetworks: try NetworkAllowList(["127.0.0.0/8"])),
                loop: loop, limits: limits)
        } catch {
            return ["fails \(error.code.rawValue)"]
        }
        do throws(MailFailure) {
            try await act(session, &found)
        } catch {
            found.append("fails \(error.code.rawValue)")
            if let suspect = session.suspect, outcomes.contains(where: { $0.hasPrefix("suspect") }) {
                found.append("suspect \(suspect.uid.rawValue) \(suspect.beginning?.count ?? 0)")
            }
        }
        if outcomes.contains("alive") {
            do throws(MailFailure) {
                try await session.noop()
                found.append("alive")
            } catch {
                found.append("dead: \(error.code.rawValue)")
            }
        }
        return found
    }

    private func act(_ session: IMAPSession, _ found: inout [String]) async throws(MailFailure) {
        switch action[0] {
        case "connect": break
        case "folders":
            for folder in try await session.folders() {
                found.append(
                    "folder \(Self.escaped(Array(folder.name.rawValue.utf8), asciiOnly: false))"
                        + " \(folder.role?.rawValue ?? "-")")
            }
        case "examine":
            let state = try await session.examine(.inbox)
            found.append(
                "state validity \(state.uidValidity.rawValue) exists \(state.exists)"
                    + " next \(state.uidNext.map { "\($0.rawValue)" } ?? "-")"
                    + " modseq \(state.highestModSeq.map { "\($0)" } ?? "-")")
        case "resync":
            let mark = FolderMark(
                uidValidity: UIDValidity(UInt32(action[1]) ?? 0), modSequence: UInt64(action[2]) ?? 0)
            let inbox = ListedFolder(
                ListedName(attributes: [], delimiter: nil, wireName: Array("INBOX".utf8)),
                namespaces: Namespaces())
            let state = try await session.examine(inbox, since: mark)
            found.append("vanished \(state.vanished.map { $0.isEmpty ? "-" : $0.sequenceSet } ?? "untold")")
        case "idle":
            _ = try await session.examine(.inbox)
            found.append(Self.words(try await session.idle(for: Int(action[1]) ?? 1)))
        case "idle-after-noop":
            _ = try await session.examine(.inbox)
            try await session.noop()
            found.append(Self.words(try await session.idle(for: Int(action[1]) ?? 1)))
        case "notify":
            let folders = action.dropFirst(2).map { name in
                ListedFolder(
                    ListedName(attributes: [], delimiter: nil, wireName: ModifiedUTF7.encode(name)),
                    namespaces: Namespaces())
            }
            found.append(try await session.subscribe(to: folders) ? "told" : "untold")
            _ = try await session.examine(.inbox)
            found.append(Self.words(try await session.idle(for: Int(action[1]) ?? 1)))
        case "pieces":
            _ = try await session.examine(.inbox)
            switch try await session.fetchInPieces(
                UID(UInt32(action[1]) ?? 0), size: action.count > 2 ? Int(action[2]) : nil)
            {
            case .message(let message):
                found.append(
                    "delivers \(message.uid.rawValue) "
                        + Self.escaped(message.bytes.withUnsafeBytes { Array($0) }, asciiOnly: true))
            case .tooLarge(let size): found.append("too-large \(action[1]) \(size)")
            case .missing: found.append("missing \(action[1])")
            case .refused(let failure): found.append("refused \(action[1]) \(failure.code.rawValue)")
            }
        case "status":
            let counts = try await session.status(of: FolderName.inbox)
            found.append(
                "answers \(counts.messages) \(counts.uidNext?.rawValue ?? 0)"
                    + " \(counts.uidValidity?.rawValue ?? 0) \(counts.unseen ?? 0)")
        case "uids":
            _ = try await session.examine(.inbox)
            found.append("answers \(try await session.allUIDs().sequenceSet)")
        case "listing":
            _ = try await session.examine(.inbox)
            let listing = try await session.listing()
            found.append("answers \(listing.uids.sequenceSet)")
            if !listing.isWhole { found.append("lacks \(listing.lacking)") }
        case "metadata":
            _ = try await session.examine(.inbox)
            let bounds = action[1].split(separator: ":").compactMap { UInt32($0) }
            let asked = UIDSet(ranges: [bounds[0]...bounds[bounds.count - 1]])
            let metadata = try await session.metadata(of: asked)
            found.append("answers " + metadata.map { "\($0.uid.rawValue)=\($0.size)" }.joined(separator: " "))
        case "metadata-from":
            _ = try await session.examine(.inbox)
            let metadata = try await session.metadata(from: UID(UInt32(action[1]) ?? 0))
            found.append("answers " + metadata.map { "\($0.uid.rawValue)=\($0.size)" }.joined(separator: " "))
            for message in metadata {
                guard let marks = message.gmail else { continue }
                found.append(
                    "gmail \(message.uid.rawValue) \(marks.messageID) \(marks.threadID) "
                        + (marks.labels.isEmpty ? "-" : marks.labels.joined(separator: "|")))
            }
        case "fetch":
            _ = try await session.examine(.inbox)
            try await fetch(session, &found)
        default: Issue.record("unknown action \(action)")
        }
    }

    private func fetch(_ session: IMAPSession, _ found: inout [String]) async throws(MailFailure) {
        let bounds = action[1].split(separator: ":").compactMap { UInt32($0) }
        let asked = UIDSet(ranges: [bounds[0]...bounds[bounds.count - 1]])
        let sizes = action.dropFirst(2).map { $0.split(separator: "=").compactMap { UInt32($0) } }
            .map { (UID($0[0]), Int($0[1])) }
        let inFull = outcomes.compactMap { line -> UInt32? in
            let words = line.split(separator: " ")
            return words[0] == "delivers-bytes" ? UInt32(words[1]) : nil
        }
        let delivered = Mutex<[String]>([])
        let outcome: Result<FetchReport, MailFailure>
        do throws(MailFailure) {
            outcome = .success(
                try await session.fetch(
                    [asked], sizes: Dictionary(sizes) { first, _ in first }
                ) { message throws(MailFailure) in
                    let line =
                        inFull.contains(message.uid.rawValue)
                        ? "delivers-bytes \(message.uid.rawValue) \(message.bytes.count)"
                        : "delivers \(message.uid.rawValue) "
                            + Self.escaped(message.bytes.withUnsafeBytes { Array($0) }, asciiOnly: true)
                    delivered.withLock { $0.append(line) }
                })
        } catch {
            outcome = .failure(error)
        }
        let lines = delivered.withLock { $0 }
        guard case .success(let report) = outcome else {
            found += lines
            _ = try outcome.get()
            return
        }
        found += report.tooLarge.map { "too-large \($0.uid.rawValue) \($0.size)" } + lines
        #expect(report.delivered == lines.count)
        if !report.cutShort.isEmpty { found.append("cut-short \(report.cutShort.sequenceSet)") }
        if !report.missing.isEmpty { found.append("missing \(report.missing.sequenceSet)") }
        for batch in report.refused {
            found.append("refused \(batch.uids.sequenceSet) \(batch.failure.code.rawValue)")
        }
    }

    private static func words(_ news: FolderNews) -> String {
        if news.hasGivenUp { return "given-up" }
        let names = news.folders.map { ModifiedUTF7.decode($0) ?? "?" }.sorted()
        return names.isEmpty ? "quiet" : "news \(names.joined(separator: " "))"
    }

    static func escaped(_ bytes: [UInt8], asciiOnly: Bool) -> String {
        var escaped: [UInt8] = []
        for byte in bytes {
            switch byte {
            case 0x0D: escaped += Array("\\r".utf8)
            case 0x0A: escaped += Array("\\n".utf8)
            case 0x00: escaped += Array("\\0".utf8)
            case UInt8(ascii: "\\"): escaped += Array("\\\\".utf8)
            case 0x20..<0x7F: escaped.append(byte)
            default:
                let hex = String(byte, radix: 16)
                escaped += asciiOnly ? Array("\\x\(hex.count < 2 ? "0" : "")\(hex)".utf8) : [byte]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
