import Foundation
import Synchronization

/// A private Dovecot with its own folder, ports and certificate authority.
struct MailServer {
    let directory: URL
    let imapPort: String
    let imapsPort: String
    let certificateAuthority: String

    /// The users' names and passwords. A password is a marker that must appear in no output.
    static let passwords = ["anna": "marker-pa55word-anna", "boris": "marker-pa55word-boris"]

    /// Starts it; every client's commands are logged.
    ///
    /// - Parameters:
    ///   - oauth2: where it asks about access tokens; it takes none without.
    ///   - compresses: whether it offers COMPRESS=DEFLATE.
    static func start(
        in directory: URL, oauth2: String? = nil, compresses: Bool = false
    ) async throws -> MailServer {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let users = passwords.map { "\($0.key):\($0.value)\n" }.sorted().joined()
        try Data(users.utf8).write(to: directory.appendingPathComponent("users"))
        let options = (oauth2.map { ["--oauth2", $0] } ?? []) + (compresses ? ["--compress"] : [])
        let printed = try await Program.script(
            "dovecot", ["start", directory.path, "0", "--rawlog"] + options, in: directory)
        var facts: [String: String] = [:]
        for line in printed.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { facts[String(parts[0])] = String(parts[1]) }
        }
        guard let imap = facts["imap_port"], let imaps = facts["imaps_port"], let authority = facts["ca_file"]
        else { throw Program.Unexpected("scripts/dovecot printed: \(printed)") }
        return MailServer(
            directory: directory, imapPort: imap, imapsPort: imaps, certificateAuthority: authority)
    }

    /// Starts a stopped one on the ports that it had.
    func startAgain() async throws {
        try await Program.script("dovecot", "start", directory.path, imapPort, in: directory)
    }

    func stop() async throws {
        try await Program.script("dovecot", "stop", directory.path, in: directory)
    }

    /// Counts the messages of all servers, so that no two have one file name.
    private static let delivered = Mutex(0)

    /// Puts messages into a folder, in the order given.
    func deliver(_ messages: [Data], to user: String, folder: String = "INBOX") async throws {
        let staging = directory.appendingPathComponent("staging-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
        let first = Self.delivered.withLock { count in
            defer { count += messages.count }
            return count
        }
        for (index, message) in messages.enumerated() {
            // In the order given, and new to the folder: the server knows a message by its file's name.
            let name = String(format: "%012d.%@", first + index, UUID().uuidString)
            try message.write(to: staging.appendingPathComponent(name))
        }
        try await Program.script("dovecot", "load", directory.path, user, folder, staging.path, in: directory)
    }

    /// Puts a message into a folder as the server's delivery agent does it: other sessions hear of it.
    func save(_ message: Data, to user: String, folder: String) async throws {
        let file = directory.appendingPathComponent("message-\(UUID().uuidString)")
        try message.write(to: file)
        try await Program.script("dovecot", "save", directory.path, user, folder, file.path, in: directory)
    }

    /// One line a message: UID and flags.
    func flags(of user: String, folder: String) async throws -> String {
        try await Program.script("dovecot", "flags", directory.path, user, folder, in: directory)
    }

    /// Every command that clients sent after signing in, without its tag, in upper case.
    func commands() async throws -> [String] {
        try await Program.script("dovecot", "commands", directory.path, in: directory)
            .split(separator: "\n")
            .map { line in line.drop { $0 != " " }.dropFirst().uppercased() }
            .filter { !$0.isEmpty }
    }
}
