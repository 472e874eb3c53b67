import Foundation
import Testing

/// One installation of the program in a private folder, with a mail server of its own.
struct Installation {
    let directory: URL
    let server: MailServer
    /// The names that the tests plant: none may appear in an error or a log.
    static let markers = MailServer.passwords.values + ["marker-address@secret.example"]

    /// Gives `body` an installation with two users, their accounts and contacts, and
    /// takes everything down afterwards.
    static func withFirma(_ body: (Installation) async throws -> Void) async throws {
        try await withServer { installation in
            try await installation.setUp()
            try await body(installation)
        }
    }

    /// As `withFirma`, before anything was set up.
    ///
    /// - Parameter oauth2: where the mail server asks about access tokens; it takes none without.
    static func withServer(
        oauth2: String? = nil, compresses: Bool = false, _ body: (Installation) async throws -> Void
    ) async throws {
        await Turnstile.shared.enter()
        defer { Task { await Turnstile.shared.leave() } }
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("mailworker-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        // The mail server's own user must be able to pass through.
        try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: directory.path)
        defer { try? FileManager.default.removeItem(at: directory) }
        let server = try await MailServer.start(
            in: directory.appendingPathComponent("server"), oauth2: oauth2, compresses: compresses)
        do {
            try await body(Installation(directory: directory, server: server))
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }

    var configuration: URL { directory.appendingPathComponent("mailworker.toml") }
    var data: URL { directory.appendingPathComponent("mailworker-data") }

    /// Runs a command of the program; every output is searched for planted secrets.
    @discardableResult
    func run(
        _ arguments: String..., input: String? = nil, whileRunning: (@Sendable (Int32) -> Void)? = nil
    ) async throws -> Program.Outcome {
        try await run(arguments, input: input, whileRunning: whileRunning)
    }

    @discardableResult
    func run(
        _ arguments: [String], input: String? = nil, whileRunning: (@Sendable (Int32) -> Void)? = nil
    ) async throws -> Program.Outcome {
        let outcome = try await Program.run(
            Program.executable, ["--config", configuration.path] + arguments,
            input: input.map { Data($0.utf8) }, in: directory, whileRunning: whileRunning)
        for password in MailServer.passwords.values {
            #expect(!outcome.output.contains(password), "a password is in the output of \(arguments)")
            #expect(!outcome.errors.contains(password), "a password is in the errors of \(arguments)")
        }
        return outcome
    }

    /// Runs a command that must succeed.
    @discardableResult
    func succeed(
        _ arguments: String..., input: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Program.Outcome {
        let outcome = try await run(arguments, input: input)
        try #require(
            outcome.status == 0,
            "\(arguments.joined(separator: " ")) ended with \(outcome.status): \(outcome.errors)",
            sourceLocation: sourceLocation)
        return outcome
    }

    func setUp() async throws {
        try await setUpUsers()
        try await importContacts()
    }

    func setUpUsers() async throws {
        try await succeed("init")
        try allowLoopback()
        for (name, password) in MailServer.passwords.sorted(by: { $0.key < $1.key }) {
            try await succeed("user", "add", name, "--email", "\(name)@firma.example")
            try await succeed(
                "account", "add", "--preset", "custom", "--name", name, "--user", name,
                "--email", "\(name)@firma.example", "--login", name, "--password-file", "-",
                "--imap-host", "127.0.0.1", "--imap-port", server.imapsPort, "--imap-security", "tls",
                "--ca-file", server.certificateAuthority, input: password + "\n")
        }
    }

    static let contacts = """
        external_id,kind,name,emails,organisation,owner,do_not_email
        o1,organisation,ООО Клиент,info@klient.example,,anna,
        p1,person,Иван Петров,ivan@klient.example;ivan.private@pochta.example,ООО Клиент,anna,
        l1,lead,Jane Doe,jane@lead.example,,boris,yes

        """

    func importContacts() async throws {
        let file = directory.appendingPathComponent("contacts.csv")
        try Data(Self.contacts.utf8).write(to: file)
        try await succeed("contact", "import", file.path)
    }

    /// The servers of these tests are on loopback, which is refused otherwise.
    func allowLoopback() throws {
        var text = try String(contentsOf: configuration, encoding: .utf8)
        let allow = "allow = [\"127.0.0.0/8\"]"
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("allow =") && !$0.hasPrefix("allow=") }
        if let header = lines.firstIndex(of: "[network]") {
            text = (lines[...header] + [allow[...]] + lines[(header + 1)...]).joined(separator: "\n")
        } else {
            text = (lines + ["[network]", allow[...], ""]).joined(separator: "\n")
        }
        try Data(text.utf8).write(to: configuration)
    }

    func sync() async throws -> Answers.Sync {
        try await succeed("sync", "--json").decoded(Answers.Sync.self)
    }

    func queue() async throws -> [Answers.ReviewItem] {
        try await succeed("queue", "list", "--json").decoded([Answers.ReviewItem].self)
    }

    /// As `queue`, for a thread that cannot await.
    func countOfReviewItems() throws -> Int {
        let process = Process()
        process.executableURL = Program.executable
        process.arguments = ["--config", configuration.path, "queue", "list", "--json"]
        let output = Pipe()
        process.standardOutput = output
        try Program.launch(process)
        let document = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return try Answers.decoder.decode([Answers.ReviewItem].self, from: document).count
    }

    /// What the files of the archive hold by now.
    func bytesOfArchive() -> Int {
        let files = FileManager.default.enumerator(at: data, includingPropertiesForKeys: nil)
        var sum = 0
        while let file = files?.nextObject() as? URL {
            var status = stat()
            if stat(file.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                sum += Int(status.st_size)
            }
        }
        return sum
    }

    func history(of contact: String) async throws -> [Answers.HistoryEntry] {
        try await succeed("history", contact, "--json").decoded([Answers.HistoryEntry].self)
    }

    /// What an installation holds, in an order that does not depend on how it got there.
    func endState() async throws -> [String] {
        var facts = try await queue().map {
            "review \($0.address ?? "-") \($0.messageId ?? "-") \($0.direction)"
        }
        let contacts = try await succeed("contact", "list", "--json").decoded([Answers.Contact].self)
        for contact in contacts {
            for entry in try await history(of: contact.id) {
                let files = entry.attachments.map(\.sha256).sorted().joined(separator: ",")
                facts.append("history \(contact.name) \(entry.messageId ?? "-") \(entry.direction) \(files)")
            }
        }
        return facts.sorted()
    }
}

/// Lets a few installations work side by side: each has a mail server of ten processes.
actor Turnstile {
    static let shared = Turnstile(places: 4)

    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) { self.places = places }

    func enter() async {
        if places > 0 {
            places -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty {
            places += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
