import Foundation
import Testing

/// A private Postfix that takes mail from users who sign in and puts all of it into one Maildir.
struct PostfixServer {
    let directory: URL
    let port: String
    let certificateAuthority: String
    private let maildir: URL

    /// It is started as root only, and is not on every machine.
    static let isThere = geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/sbin/postfix")

    static func start(in directory: URL) async throws -> PostfixServer {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let users = MailServer.passwords.map { "\($0.key):\($0.value)\n" }.sorted().joined()
        try Data(users.utf8).write(to: directory.appendingPathComponent("users"))
        let printed = try await Program.script(
            "smtp-server", "postfix", "start", directory.path, "0", in: directory)
        var facts: [String: String] = [:]
        for line in printed.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { facts[String(parts[0])] = String(parts[1]) }
        }
        guard let port = facts["smtp_port"], let authority = facts["ca_file"], let maildir = facts["maildir"]
        else { throw Program.Unexpected("scripts/smtp-server printed: \(printed)") }
        return PostfixServer(
            directory: directory, port: port, certificateAuthority: authority,
            maildir: URL(fileURLWithPath: maildir))
    }

    func stop() async throws {
        try await Program.script("smtp-server", "postfix", "stop", directory.path, in: directory)
    }

    /// Waits until this many mails have come for a recipient, and returns them as they lie there.
    func mail(for recipient: String, count: Int = 1) async throws -> [Data] {
        let mark = Data("\nDelivered-To: \(recipient)\n".utf8)
        let folder = maildir.appendingPathComponent("new")
        let arrivals = try FolderArrivals(of: folder)
        while true {
            let found = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
                .map { try Data(contentsOf: folder.appendingPathComponent($0)) }
                .filter { $0.range(of: mark) != nil || $0.starts(with: mark.dropFirst()) }
            if found.count >= count { return found }
            try await arrivals.next()
        }
    }
}

extension Installation {
    /// Lets an account send through Postfix, whose certificate has an authority of its own.
    func send(through postfix: PostfixServer, account: String) async throws {
        let both = directory.appendingPathComponent("both.pem")
        var authorities = try Data(contentsOf: URL(fileURLWithPath: server.certificateAuthority))
        authorities += try Data(contentsOf: URL(fileURLWithPath: postfix.certificateAuthority))
        try authorities.write(to: both)
        try await succeed(
            "account", "edit", account, "--smtp-host", "127.0.0.1", "--smtp-port", postfix.port,
            "--smtp-security", "starttls", "--ca-file", both.path)
    }
}
