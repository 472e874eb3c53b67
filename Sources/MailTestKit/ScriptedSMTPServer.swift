import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// An SMTP server on a free loopback port, without TLS, that keeps what it has accepted. On its first connection
/// it misbehaves where the script says so; on all further ones it is well.
public final class ScriptedSMTPServer: Sendable {
    /// Where a session stands.
    public enum Stage: String, Sendable, CaseIterable {
        case greeting
        /// The first EHLO, with which a client learns how to sign in.
        case ehlo
        case auth
        /// The EHLO after the sign-in.
        case hello
        case mail, rcpt, data
        /// In the midst of the message's bytes.
        case content
        case endOfData
    }

    public enum Act: Sendable, Hashable {
        /// A reply of its own, without the line end.
        case reply(String)
        case replyAndClose(String)
        /// A reply that comes when the server is released.
        case replyWhenReleased(String)
        /// Leaves without a word; bytes that were not read are a reset for the other side.
        case drop
        /// Says nothing more, and stays.
        case stall
    }

    /// One mail that was answered with 250, or whose end at least had come.
    public struct Mail: Sendable, Hashable {
        public var sender: String
        public var recipients: [String]
        /// Without the dots that were added on the way.
        public var content: [UInt8]
    }

    public let port: UInt16
    private let server: LoopbackServer
    private let capabilities: [String]
    private let refusals: [String: String]
    private let isAlwaysSo: Bool
    private let afterOneMail: String?
    private let mostConnections: Int
    private let keepsBytes: Bool
    private let state = Mutex(State())
    private let released = DispatchSemaphore(value: 0)

    private struct State {
        var received: [Mail] = []
        var lines: [String] = []
        var bytes: [Int: [UInt8]] = [:]
        var connections = 0
    }

    /// - Parameters:
    ///   - keepsBytes: keeps all that a client sends, for `bytes`.
    ///   - refusals: replies to RCPT by address, on every connection.
    ///   - isAlwaysSo: it misbehaves on every connection.
    ///   - afterOneMail: the reply to every MAIL but the first of a connection.
    ///   - mostConnections: at a time; a further one is told so, and closed.
    /// - Throws: when no port can be had.
    public init(
        capabilities: [String] = ["AUTH PLAIN"], keepsBytes: Bool = false, _ script: [Stage: Act] = [:],
        refusals: [String: String] = [:],
        isAlwaysSo: Bool = false, afterOneMail: String? = nil, mostConnections: Int = .max
    ) throws {
        self.mostConnections = mostConnections
        self.capabilities = capabilities
        self.keepsBytes = keepsBytes
        self.refusals = refusals
        self.isAlwaysSo = isAlwaysSo
        self.afterOneMail = afterOneMail
        server = try LoopbackServer()
        port = server.port
        server.start(
            .init(serve: { descriptor, number in
                var session = Session(
                    descriptor: descriptor, number: number,
                    script: number == 0 || isAlwaysSo ? script : [:])
                let open = self.state.withLock {
                    $0.connections += 1
                    return $0.connections
                }
                if open <= self.mostConnections {
                    self.serve(&session)
                } else {
                    self.send("421 4.7.0 Too many connections from your address", session)
                }
                self.state.withLock { $0.connections -= 1 }
            }))
    }

    /// Lets replies that are held back go.
    public func release() { released.signal() }

    /// Ends everything; to be called at the end of each test.
    public func stop() {
        for _ in 0..<server.stop() { released.signal() }
    }

    /// Mails whose end has come, whatever was answered.
    public var received: [Mail] { state.withLock { $0.received } }
    /// Every command line of all connections.
    public var lines: [String] { state.withLock { $0.lines } }
    /// What came over each connection, octet for octet, in the order of the connections.
    public var bytes: [[UInt8]] { state.withLock { $0.bytes.sorted { $0.key < $1.key }.map(\.value) } }

    private struct Session {
        let descriptor: Int32
        let number: Int
        let script: [Stage: Act]
        var buffer: [UInt8] = []
        var hellos = 0
        var mails = 0
        var sender: String?
        var recipients: [String] = []
    }

    /// Returns when the connection is to be closed.
    private func serve(_ session: inout Session) {
        guard answer("220 scripted", at: .greeting, session) else { return }
        while let line = readLine(&session) {
            state.withLock { $0.lines.append(line) }
            let verb = line.prefix { $0 != " " }.uppercased()
            switch verb {
            case "EHLO", "HELO":
                session.hellos += 1
                let words = ["scripted"] + (verb == "HELO" ? [] : capabilities)
                let reply = words.enumerated().map { "250\($0 == words.count - 1 ? " " : "-")\($1)" }
                    .joined(separator: "\r\n")
                var stage: Stage? = verb == "HELO" ? nil : session.hellos == 1 ? .ehlo : .hello
                // A server that was greeted already, as OpenSMTPD says it, wants no greeting of any kind.
                if verb == "HELO", case .reply(let text)? = session.script[.hello], text.hasPrefix("503") {
                    stage = .hello
                }
                guard answer(reply, at: stage, session) else { return }
            case "AUTH":
                if line.split(separator: " ").count < 3 {
                    send("334 ", session)
                    guard readLine(&session) != nil else { return }
                }
                guard answer("235 welcome", at: .auth, session) else { return }
            case "MAIL":
                // As Postfix, Exim and Sendmail have it: a mail that came to no end is still there.
                guard session.sender == nil else {
                    send("503 5.5.1 Error: nested MAIL command", session)
                    continue
                }
                session.recipients = []
                session.mails += 1
                if session.mails > 1, let afterOneMail {
                    send(afterOneMail, session)
                    continue
                }
                guard answer("250 ok", at: .mail, session) else { return }
                if isGood(.mail, session) { session.sender = Self.path(line) }
            case "RCPT":
                guard session.sender != nil else {
                    send("503 no mail", session)
                    continue
                }
                if let refusal = refusals[Self.path(line)] {
                    send(refusal, session)
                    continue
                }
                guard answer("250 ok", at: .rcpt, session) else { return }
                if isGood(.rcpt, session) { session.recipients.append(Self.path(line)) }
            case "DATA":
                guard !session.recipients.isEmpty else {
                    send("554 no valid recipients", session)
                    continue
                }
                guard answer("354 go on", at: .data, session) else { return }
                guard isGood(.data, session) else { continue }
                guard readMail(&session) else { return }
                session.recipients = []
                session.sender = nil
                guard answer("250 taken", at: .endOfData, session) else { return }
            case "RSET":
                session.recipients = []
                session.sender = nil
                send("250 ok", session)
            case "NOOP": send("250 ok", session)
            case "QUIT":
                return send("221 bye", session)
            default: send("500 what?", session)
            }
        }
    }

    /// False when the connection ends here.
    private func answer(_ usual: String, at stage: Stage?, _ session: Session) -> Bool {
        guard let act = stage.flatMap({ session.script[$0] }) else {
            send(usual, session)
            return true
        }
        switch act {
        case .reply(let text): send(text, session)
        case .replyAndClose(let text):
            send(text, session)
            return false
        case .replyWhenReleased(let text):
            released.wait()
            send(text, session)
        case .drop: return false
        case .stall:
            released.wait()
            return false
        }
        return true
    }

    /// Whether the script leaves this stage its usual course.
    private func isGood(_ stage: Stage, _ session: Session) -> Bool {
        switch session.script[stage] {
        case nil: true
        case .reply(let text), .replyAndClose(let text), .replyWhenReleased(let text):
            text.hasPrefix(stage == .data ? "354" : "250")
        case .drop, .stall: false
        }
    }

    private func readMail(_ session: inout Session) -> Bool {
        var content: [UInt8] = []
        while let line = readBytes(&session) {
            if line == Array(".".utf8) {
                let mail = Mail(
                    sender: session.sender ?? "", recipients: session.recipients, content: content)
                state.withLock { $0.received.append(mail) }
                return true
            }
            content += line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]
            content += [0x0D, 0x0A]
            if content.count > 1000, let act = session.script[.content] {
                if case .stall = act { released.wait() }
                return false
            }
        }
        return false
    }

    private static func path(_ line: String) -> String {
        String(line.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
    }

    private func readLine(_ session: inout Session) -> String? {
        readBytes(&session).map { String(decoding: $0, as: UTF8.self) }
    }

    private func readBytes(_ session: inout Session) -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = session.buffer.firstIndex(of: 0x0A) {
                var line = Array(session.buffer[..<end])
                session.buffer.removeFirst(end + 1)
                if line.last == 0x0D { line.removeLast() }
                return line
            }
            let count = recv(session.descriptor, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            session.buffer += chunk[..<count]
            if keepsBytes { state.withLock { $0.bytes[session.number, default: []] += chunk[..<count] } }
        }
    }

    private func send(_ text: String, _ session: Session) {
        let bytes = Array("\(text)\r\n".utf8)
        _ = bytes.withUnsafeBytes {
            Glibc.send(session.descriptor, $0.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
    }
}
