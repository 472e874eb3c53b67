import Foundation
import MailModel

/// Signs in with an access token on a connection that is open and not yet signed in: OAUTHBEARER
/// (RFC 7628) where the server offers it, else XOAUTH2, over IMAP (RFC 9051, 6.2.2) or SMTP (RFC 4954).
///
/// XOAUTH2 is tried even where nothing is offered: Yandex takes it without saying so.
struct BearerSignIn {
    let channel: ByteChannel
    let settings: ConnectionSettings
    let mailProtocol: MailProtocol
    private var buffer: [UInt8] = []
    /// How long the server was waited for so far.
    private var waited = Duration.zero
    /// Random, so that nothing sent beforehand can answer our commands.
    private let tag = String((0..<5).map { _ in "ABCDEFGHIJKLMNOPQRSTUVWXYZ".randomElement()! })

    /// A reply that is longer, or has more lines, is none to a sign-in.
    private static let replyBytes = 64 << 10
    private static let replyLines = 100

    init(channel: ByteChannel, settings: ConnectionSettings, mailProtocol: MailProtocol) {
        self.channel = channel
        self.settings = settings
        self.mailProtocol = mailProtocol
    }

    /// - Throws: `token-refused`, what `ServerRefusal` reads out of other refusals, and what the
    ///   channel throws.
    nonisolated(nonsending) mutating func run() async throws(MailFailure) {
        let offers = try await askForMechanisms()
        let mechanism = SASLMechanism.allCases.first { offers.contains($0.rawValue) } ?? .xoauth2
        let token = settings.secret.withRevealed { token in
            mechanism.response(login: settings.login, token: token, endpoint: settings.endpoint)
        }
        switch mailProtocol {
        case .imap: try await authenticateIMAP(mechanism, token, isInitial: offers.contains("SASL-IR"))
        case .smtp: try await authenticateSMTP(mechanism, token)
        }
    }

    // MARK: The two protocols

    /// The mechanisms' names, and SASL-IR where it is offered; in upper case.
    private nonisolated(nonsending) mutating func askForMechanisms() async throws(MailFailure) -> Set<String>
    {
        switch mailProtocol {
        case .imap:
            try await send("\(tag)1 CAPABILITY")
            let (lines, reply) = try await imapReply("\(tag)1")
            guard reply.kind == "OK" else { throw refusal(reply.text) }
            let words = lines.flatMap { $0.uppercased().split(separator: " ") }
            return Set(words.map { $0.hasPrefix("AUTH=") ? String($0.dropFirst(5)) : String($0) })
        case .smtp:
            try await send("EHLO [127.0.0.1]")
            let (lines, code) = try await smtpReply()
            guard code / 100 == 2 else { throw refusal(lines.joined(separator: " ")) }
            let words = lines.map { $0.dropFirst(4).uppercased().split { " =".contains($0) } }
            return Set(words.filter { $0.first == "AUTH" }.flatMap { $0.dropFirst() }.map(String.init))
        }
    }

    private nonisolated(nonsending) mutating func authenticateIMAP(
        _ mechanism: SASLMechanism, _ token: String, isInitial: Bool
    ) async throws(MailFailure) {
        try await send("\(tag)2 AUTHENTICATE \(mechanism.rawValue)" + (isInitial ? " \(token)" : ""))
        var isTokenSent = isInitial
        for _ in 0..<Self.replyLines {
            let line = try await nextLine()
            if line.hasPrefix("+") {
                // A second challenge is the error's description; its answer lets the server refuse.
                try await send(isTokenSent ? mechanism.answerToError : token)
                isTokenSent = true
            } else if let reply = Self.tagged(line, "\(tag)2") {
                guard reply.kind == "OK" else { throw refusal(reply.text) }
                return
            } else if line.uppercased().hasPrefix("* BYE") {
                throw refusal(String(line.dropFirst(2)))
            }
        }
        throw endless
    }

    private nonisolated(nonsending) mutating func authenticateSMTP(
        _ mechanism: SASLMechanism, _ token: String
    ) async throws(MailFailure) {
        try await send("AUTH \(mechanism.rawValue) \(token)")
        var (lines, code) = try await smtpReply()
        if code == 334 {
            try await send(mechanism.answerToError)
            (lines, code) = try await smtpReply()
        }
        guard code == 235 else { throw refusal(lines.joined(separator: " ")) }
    }

    private func refusal(_ words: String) -> MailFailure {
        let place = "\(settings.endpoint.host):\(settings.endpoint.port)"
        let detail = "\(place): \(words.prefix(1_000))"
        let refusal = ServerRefusal(ofSignIn: words)
        if ![.loginRefused, .appPasswordNeeded].contains(refusal) {
            return settings.withoutSecret(refusal.failure(detail: detail))
        }
        return settings.withoutSecret(
            MailFailure(
                .tokenRefused, kind: .credential, "The server did not accept the access token",
                detail: detail,
                remedy: "Check that the login is the mailbox that was authorized, that IMAP is switched on in"
                    + " its settings, and that the application may read and send mail; then authorize it again."
            ))
    }

    // MARK: Lines

    private func send(_ line: String) async throws(MailFailure) {
        try await channel.send(Array("\(line)\r\n".utf8))
    }

    private nonisolated(nonsending) mutating func nextLine() async throws(MailFailure) -> String {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                var line = buffer[..<end]
                if line.last == 0x0D { line.removeLast() }
                let text = String(decoding: line, as: UTF8.self)
                buffer.removeFirst(end + 1)
                return text
            }
            guard buffer.count < Self.replyBytes else { throw endless }
            // One deadline for all of it: whoever sends a byte now and then is not waited for longer.
            let left = .seconds(settings.timeoutSeconds) - waited
            guard left > .zero else {
                throw CurlResult.timedOut(detail: "\(settings.endpoint.host), while signing in")
            }
            let received = try await channel.receive(within: max(1, Int(left.components.seconds)))
            waited += received.waited
            guard !received.bytes.isEmpty else {
                throw CurlResult.lost(detail: "\(settings.endpoint.host), while signing in")
            }
            buffer += received.bytes
        }
    }

    private nonisolated(nonsending) mutating func imapReply(
        _ tag: String
    ) async throws(MailFailure) -> (lines: [String], reply: (kind: String, text: String)) {
        var lines: [String] = []
        while lines.count < Self.replyLines {
            let line = try await nextLine()
            if let reply = Self.tagged(line, tag) { return (lines, reply) }
            if line.uppercased().hasPrefix("* BYE") { throw refusal(String(line.dropFirst(2))) }
            lines.append(line)
        }
        throw endless
    }

    private static func tagged(_ line: String, _ tag: String) -> (kind: String, text: String)? {
        guard line.hasPrefix("\(tag) ") else { return nil }
        let text = line.dropFirst(tag.count + 1)
        return (text.prefix { $0 != " " }.uppercased(), String(text))
    }

    /// All lines of one reply (RFC 5321, 4.2), and its code.
    private nonisolated(nonsending) mutating func smtpReply() async throws(MailFailure) -> (
        lines: [String], code: Int
    ) {
        var lines: [String] = []
        while lines.count < Self.replyLines {
            let line = try await nextLine()
            lines.append(line)
            if line.dropFirst(3).first != "-" { return (lines, Int(line.prefix(3)) ?? 0) }
        }
        throw endless
    }

    private var endless: MailFailure {
        MailFailure(
            .notAMailServer, kind: .needsPerson, "The other side does not answer like a mail server",
            detail: "\(settings.endpoint.host), while signing in", remedy: "Check host, port and security.")
    }
}

/// The mechanisms that take an access token, the standard one first.
enum SASLMechanism: String, CaseIterable, Sendable {
    case oauthbearer = "OAUTHBEARER"
    case xoauth2 = "XOAUTH2"

    /// The client's one response, in base64.
    func response(login: String, token: String, endpoint: ServerEndpoint) -> String {
        let text =
            switch self {
            case .oauthbearer:
                // RFC 7628, 3.1. The name is a saslname (RFC 5801, 4): comma and equals sign escaped.
                "n,a=\(Self.saslName(login)),\u{1}host=\(endpoint.host)\u{1}port=\(endpoint.port)"
                    + "\u{1}auth=Bearer \(token)\u{1}\u{1}"
            case .xoauth2:
                "user=\(login)\u{1}auth=Bearer \(token)\u{1}\u{1}"
            }
        return Data(text.utf8).base64EncodedString()
    }

    /// What has to follow the server's description of an error before it says NO.
    var answerToError: String {
        switch self {
        case .oauthbearer: "AQ=="
        case .xoauth2: ""
        }
    }

    private static func saslName(_ login: String) -> String {
        login.replacingOccurrences(of: "=", with: "=3D").replacingOccurrences(of: ",", with: "=2C")
    }
}
