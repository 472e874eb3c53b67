import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// An IMAP server on a free loopback port that plays scripts, without TLS: the first connection the first
/// script and so on, the last script for all further ones.
///
/// It publishes what happens as events, so that tests await facts.
public final class ScriptedIMAPServer: Sendable {
    public enum Event: Sendable, Hashable {
        case accepted
        /// A line without its CRLF.
        case received(String)
        /// A literal that the script asked for.
        case receivedLiteral([UInt8])
        case stalled
        /// The script came to its end, or the client left before.
        case ended
        /// Nobody listens on the port any more.
        case stopped
        /// A command came that the script did not expect.
        case violation(String)
    }

    private struct State {
        var events: [Event] = []
        var waiting: [(@Sendable (Event) -> Bool, CheckedContinuation<Void, Never>)] = []
    }

    public let port: UInt16
    private let server: LoopbackServer
    private let state = Mutex(State())
    private let released = DispatchSemaphore(value: 0)

    /// - Throws: when no port can be had.
    public convenience init(_ scripts: IMAPScript...) throws { try self.init(playing: scripts) }

    /// - Throws: when no port can be had.
    public init(playing scripts: [IMAPScript]) throws {
        precondition(!scripts.isEmpty)
        server = try LoopbackServer()
        port = server.port
        server.start(
            .init(
                accepted: { self.publish(.accepted) },
                serve: { self.play(scripts[min($1, scripts.count - 1)], on: $0) },
                ended: { self.publish(.ended) }, stopped: { self.publish(.stopped) }))
    }

    /// Lets stalled connections go on.
    public func release() { released.signal() }

    /// Ends everything; to be called at the end of each test.
    public func stop() {
        for _ in 0..<server.stop() { released.signal() }
    }

    // MARK: What happened

    public var events: [Event] { state.withLock { $0.events } }

    /// All lines received so far, of all connections.
    public var received: [String] {
        events.compactMap { if case .received(let line) = $0 { line } else { nil } }
    }

    public var violations: [String] {
        events.compactMap { if case .violation(let line) = $0 { line } else { nil } }
    }

    /// Returns as soon as such an event has happened, even before the call.
    public func wait(for isMeant: @escaping @Sendable (Event) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.events.contains(where: isMeant) { return true }
                state.waiting.append((isMeant, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    private func publish(_ event: Event) {
        let due = state.withLock { state in
            state.events.append(event)
            let due = state.waiting.filter { $0.0(event) }
            state.waiting.removeAll { $0.0(event) }
            return due
        }
        for (_, continuation) in due { continuation.resume() }
    }

    // MARK: Threads

    private func play(_ script: IMAPScript, on descriptor: Int32) {
        var wire = ScriptedWire(descriptor: descriptor)
        for step in script.steps {
            guard perform(step, on: &wire) else { break }
        }
        // After the script NOOP and LOGOUT are answered, so that a session can show that it still lives.
        while let line = readLine(&wire) {
            if line.uppercased().hasSuffix(" NOOP") { wire.send("\(wire.lastTag) OK done\r\n") }
            if line.uppercased().hasSuffix(" LOGOUT") {
                wire.send("* BYE bye\r\n\(wire.lastTag) OK done\r\n")
            }
        }
    }

    private func readLine(_ wire: inout ScriptedWire) -> String? {
        guard let line = wire.readLine() else { return nil }
        publish(.received(line))
        return line
    }

    /// False ends the script.
    private func perform(_ step: IMAPScript.Step, on wire: inout ScriptedWire) -> Bool {
        switch step {
        case .opening(let capabilities):
            return open(&wire, capabilities)
        case .expect(let start):
            guard let line = readLine(&wire) else { return false }
            let command = line.drop { $0 != " " }.dropFirst()
            guard command.uppercased().hasPrefix(start.uppercased()) else {
                publish(.violation("expected \(start), received \(line)"))
                shutdown(wire.descriptor, Int32(SHUT_RDWR))
                return false
            }
            wire.tags.append(wire.lastTag)
        case .expectDone:
            let tag = wire.lastTag
            guard let line = readLine(&wire) else { return false }
            wire.lastTag = tag
            guard line == "DONE" else {
                publish(.violation("expected DONE, received \(line)"))
                shutdown(wire.descriptor, Int32(SHUT_RDWR))
                return false
            }
        case .takeLiteral:
            wire.send("+ go on\r\n")
            guard let literal = wire.readLiteral() else { return false }
            publish(.receivedLiteral(literal))
        case .send(let text):
            wire.send(wire.filled(text) + "\r\n")
        case .sendBytes(let bytes):
            wire.send(wire.filled(bytes))
        case .repeatBytes(let bytes, let count):
            let block = Array(
                repeatElement(bytes, count: max(1, min(count, 65_536 / max(1, bytes.count)))).joined())
            var left = bytes.count * count
            while left > 0, wire.send(Array(block.prefix(left))) { left -= min(left, block.count) }
        case .drip(let bytes, let milliseconds):
            while wire.send(wire.filled(bytes)) { usleep(UInt32(milliseconds) * 1_000) }
            return false
        case .stall:
            publish(.stalled)
            released.wait()
        case .close:
            shutdown(wire.descriptor, Int32(SHUT_WR))
            return false
        case .reset:
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(wire.descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
            // Closing is what resets; the number stays taken so that nobody else's socket is closed later.
            let spare = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            dup2(spare, wire.descriptor)
            close(spare)
            return false
        }
        return true
    }

    private func open(_ wire: inout ScriptedWire, _ capabilities: String) -> Bool {
        wire.send("* OK scripted\r\n")
        var isSignedIn = false
        var awaited = Set<String>()
        while let line = readLine(&wire) {
            let words = line.split(separator: " ", maxSplits: 2)
            let verb = words.count > 1 ? words[1].uppercased() : ""
            switch verb {
            case "CAPABILITY":
                wire.send("* CAPABILITY \(capabilities)\r\n\(wire.lastTag) OK done\r\n")
                guard isSignedIn else { continue }
                let offered = Set(capabilities.uppercased().split(separator: " ").map(String.init))
                awaited = offered.intersection(["ID", "NAMESPACE"])
                if offered.isSuperset(of: ["ENABLE", "QRESYNC"]) { awaited.insert("ENABLE") }
            case "LOGIN":
                wire.send("\(wire.lastTag) OK welcome\r\n")
                isSignedIn = true
                continue
            case "ID" where isSignedIn:
                wire.send("* ID (\"name\" \"Scripted\")\r\n\(wire.lastTag) OK done\r\n")
                awaited.remove(verb)
            case "NAMESPACE" where isSignedIn:
                wire.send("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n\(wire.lastTag) OK done\r\n")
                awaited.remove(verb)
            case "ENABLE" where isSignedIn:
                wire.send("* ENABLED QRESYNC\r\n\(wire.lastTag) OK done\r\n")
                awaited.remove(verb)
            default:
                publish(.violation("in the opening: \(line)"))
                shutdown(wire.descriptor, Int32(SHUT_RDWR))
                return false
            }
            if awaited.isEmpty { return true }
        }
        return false
    }
}

/// One connection's bytes.
private struct ScriptedWire {
    let descriptor: Int32
    var buffer: [UInt8] = []
    var lastTag = ""
    var announced = 0
    var tags: [String] = []

    init(descriptor: Int32) { self.descriptor = descriptor }

    mutating func readLine() -> String? {
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                var line = Array(buffer[..<end])
                buffer.removeFirst(end + 1)
                if line.last == 0x0D { line.removeLast() }
                let text = String(decoding: line, as: UTF8.self)
                lastTag = String(text.prefix { $0 != " " })
                let size = text.split(separator: "{").last?.dropLast()
                announced = text.hasSuffix("}") ? size.flatMap { Int($0) } ?? 0 : 0
                return text
            }
            guard receive(&chunk) else { return nil }
        }
    }

    /// What the last line has announced; nil when the client leaves before.
    mutating func readLiteral() -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while buffer.count < announced + 2 {
            guard receive(&chunk) else { return nil }
        }
        defer { buffer.removeFirst(announced + 2) }
        return Array(buffer.prefix(announced))
    }

    private mutating func receive(_ chunk: inout [UInt8]) -> Bool {
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            buffer += chunk[..<count]
            return true
        }
    }

    func filled(_ text: String) -> String {
        var filled = text.replacingOccurrences(of: "$T", with: lastTag)
        for (index, tag) in tags.suffix(9).enumerated() {
            filled = filled.replacingOccurrences(of: "$\(index + 1)", with: tag)
        }
        return filled
    }

    /// Only text without bytes above ASCII can hold a placeholder.
    func filled(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(UInt8(ascii: "$")), bytes.allSatisfy({ $0 < 0x80 }) else { return bytes }
        return Array(filled(String(decoding: bytes, as: UTF8.self)).utf8)
    }

    func send(_ text: String) { _ = send(Array(text.utf8)) }

    /// False when the client has left.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
