public import MailModel
public import MailTransport

/// An authenticated IMAP session (RFC 3501, RFC 9051) that can only read.
///
/// Used by one task at a time. Folders are opened with EXAMINE (with SELECT only on a known server that
/// else forgets its UIDs, see `examine`) and messages read with BODY.PEEK[]; nothing that changes a
/// message or a folder can be sent. Whatever fails on the wire, or is cancelled, ends the
/// session; a command that the server merely refuses does not.
public final class IMAPSession {
    /// As of the last CAPABILITY response.
    public internal(set) var capabilities = Capabilities([])
    /// What the server calls itself (RFC 2971); empty when it does not, and before the session's first command.
    public internal(set) var serverID: [String: String] = [:]

    /// What the server wants its user to read.
    private var alert: String?

    let channel: ByteChannel
    /// Nil while nothing is compressed.
    private var compression: StreamCompression?
    let limits: MailLimits
    private let trace: WireTrace?
    private var framer: ResponseFramer
    private let tagPrefix: String
    private var commandCount: UInt64 = 0
    public private(set) var isOver = false
    /// Whoever waits for this account, as its watch does, waits for no farewell.
    private var isLeaving = false
    private static let farewellSeconds = 5
    private let place: String
    /// What its owner holds for as long as the connection is open.
    private var connectionPlace: (any AnyObject & Sendable)?
    private var pace: ReadingPace
    /// Of the last response, its literals included.
    private var responseBytes = 0
    /// Since the last reply, of responses that nobody has asked for.
    private var unaskedBytes = 0
    /// Tags of commands that are not answered yet.
    private var unanswered: Set<[UInt8]> = []
    var namespaces = Namespaces()
    /// Of the folder that is open; nil while one is being opened.
    var openValidity: UIDValidity?
    /// How many messages the folder has that is open, or being opened.
    var count = MessageCount()
    /// What the server has told of folders, asked or not.
    var sights = FolderSights()
    /// Whether ENABLE QRESYNC was agreed to.
    var resyncs = false
    /// What the session wants to know of its server, until its first command has taken it along: by themselves
    /// these questions would cost the way there and back once more.
    private var introduction: [IMAPCommand] = []
    /// The message during which the session broke off, so that it need not break the next one as well.
    public internal(set) var suspect: SuspectMessage?
    /// Messages that came shorter than their size and were whole.
    var provenShort = 0

    /// Signs in and learns what the server can do.
    ///
    /// - Parameters:
    ///   - trace: receives the session's lines; see `WireTrace`.
    ///   - compression: for sessions that fetch; one that waits has nothing to compress.
    ///   - connectionPlace: is let go when the session ends.
    /// - Throws: what `NetworkLoop.connect` throws; `server-closed`, `timed-out`.
    nonisolated(nonsending) public static func connect(
        _ settings: ConnectionSettings, loop: NetworkLoop, limits: MailLimits = .standard,
        trace: WireTrace? = nil, compression: CompressionPolicy = .never,
        holding connectionPlace: (any AnyObject & Sendable)? = nil
    ) async throws(MailFailure) -> IMAPSession {
        let channel = try await loop.connect(settings, .imap)
        let session = IMAPSession(channel, settings, limits, trace)
        session.connectionPlace = connectionPlace
        try await session.introduce()
        if session.capabilities.contains("COMPRESS=DEFLATE"),
            compression.applies(toRoundTripOf: channel.roundTripMilliseconds)
        {
            try await session.compress()
        }
        return session
    }

    private init(
        _ channel: ByteChannel, _ settings: ConnectionSettings, _ limits: MailLimits, _ trace: WireTrace?
    ) {
        self.channel = channel
        self.limits = limits
        self.trace = trace
        place = "\(settings.endpoint.host):\(settings.endpoint.port)"
        framer = ResponseFramer(limits: limits, spoolDirectory: UnnamedFile.usualDirectory)
        pace = ReadingPace(timeoutSeconds: settings.timeoutSeconds)
        // Random, so that no message can hold a line that answers one of our commands.
        tagPrefix = String((0..<5).map { _ in "ABCDEFGHIJKLMNOPQRSTUVWXYZ".randomElement()! })
    }

    deinit { channel.close() }

    /// Says goodbye and closes; a server that does not answer is left after five seconds.
    nonisolated(nonsending) public func logout() async {
        guard !isOver else { return }
        introduction = []
        isLeaving = true
        _ = try? await run(.logout)
        end()
    }

    /// What the server has last wanted its user to read (RFC 9051, 7.1, ALERT), once.
    public func takeAlert() -> String? {
        defer { alert = nil }
        return alert
    }

    /// Asks for news, and keeps the session alive.
    nonisolated(nonsending) public func noop() async throws(MailFailure) {
        try await demandOK(.noop)
    }

    nonisolated(nonsending) private func introduce() async throws(MailFailure) {
        // libcurl loses bytes that came together with the login's OK: nothing before the reply to a
        // command of our own is relied on.
        try await demandOK(.capability)
        if capabilities.contains("ID") { introduction.append(.identify) }
        if capabilities.contains("NAMESPACE") { introduction.append(.namespace) }
        if capabilities.contains("QRESYNC"), capabilities.contains("ENABLE") {
            introduction.append(.enableQResync)
        }
    }

    /// Asks what no command has taken along yet: before the first one that depends on the answers.
    nonisolated(nonsending) func completeIntroduction() async throws(MailFailure) {
        if !introduction.isEmpty { _ = try await run([]) }
    }

    /// From the server's OK on both sides compress; a refusal leaves everything as it is.
    nonisolated(nonsending) private func compress() async throws(MailFailure) {
        guard let stream = StreamCompression(), try await run(.compress).kind == .ok else { return }
        // What the server said behind its reply has come with it, and is compressed already.
        stream.feed(framer.takeRest())
        compression = stream
    }

    // MARK: Commands and replies

    /// Ends the session for good; its channel is closed.
    func end() {
        isOver = true
        channel.close()
        connectionPlace = nil
    }

    /// Sends commands in one piece; returns their tags in order.
    nonisolated(nonsending) func send(_ commands: [IMAPCommand]) async throws(MailFailure) -> [[UInt8]] {
        guard !isOver else { throw .sessionIsOver }
        var bytes: [UInt8] = []
        var tags: [[UInt8]] = []
        for command in commands {
            commandCount += 1
            let tag = Array("\(tagPrefix)\(commandCount)".utf8)
            let line = tag + [0x20] + command.bytes
            trace?.note(.sent, line.dropLast(2))
            bytes += line
            tags.append(tag)
        }
        unanswered.formUnion(tags)
        try await sendBytes(bytes)
        return tags
    }

    nonisolated(nonsending) func sendEndOfIdling() async throws(MailFailure) {
        try await sendLine(IMAPCommand.endOfIdling)
    }

    /// A tag for the one command that `IMAPCommand` has no case for: see `SentFolder`.
    func freshTag() -> [UInt8] {
        commandCount += 1
        let tag = Array("\(tagPrefix)\(commandCount)".utf8)
        unanswered.insert(tag)
        return tag
    }

    /// The last response was not asked for: its bytes do not count as an answer (`ReadingPace`).
    func discountResponse() {
        pace.discount(bytes: responseBytes)
        unaskedBytes += responseBytes
    }

    /// A command's line, with its CRLF; shown in the trace, as what follows it is not.
    nonisolated(nonsending) func sendLine(_ line: [UInt8]) async throws(MailFailure) {
        trace?.note(.sent, line.dropLast(2))
        try await sendBytes(line)
    }

    nonisolated(nonsending) func sendBytes(_ bytes: [UInt8]) async throws(MailFailure) {
        do throws(MailFailure) {
            try await channel.send(compression?.compress(bytes) ?? bytes)
        } catch {
            // The server may have closed with a reason that still waits to be read; the reading that
            // follows finds it, or fails as well.
            if error.code != .connectionLost { end(); throw error }
        }
    }

    /// The next response; those that change what is known of the server have done so.
    nonisolated(nonsending) func nextResponse() async throws(MailFailure) -> Response {
        guard try await awaitResponse(within: nil) else { throw .sessionIsOver }
        return try readResponse()
    }

    /// Waits until a whole response is there.
    ///
    /// Each wait for bytes ends with the timeout of the settings, and all waits for one reply by what they
    /// bring (`ReadingPace`).
    ///
    /// - Parameter seconds: how long its first byte may take; nil for the timeout of the settings.
    /// - Returns: false when that time has passed without a byte, and the session goes on. Never with nil.
    nonisolated(nonsending) func awaitResponse(within seconds: Int?) async throws(MailFailure) -> Bool {
        guard !isOver else { throw .sessionIsOver }
        var isAtRest = false
        do throws(MailFailure) {
            while try !framer.next() {
                if let compression, compression.hasMore {
                    framer.feed(try compression.expand())
                    continue
                }
                isAtRest = seconds != nil && framer.isBetweenResponses
                let received = try await channel.receive(
                    within: isAtRest ? seconds : isLeaving ? Self.farewellSeconds : nil)
                let chunk = received.bytes
                if !isAtRest, !pace.note(waited: received.waited, bytes: chunk.count) {
                    throw MailFailure(
                        .timedOut, kind: .transient, "The server answers too slowly to ever end",
                        detail: place, remedy: "It is tried again later by itself.")
                }
                guard !chunk.isEmpty else {
                    throw MailFailure(
                        .connectionLost, kind: .transient, "The server closed the connection",
                        detail: framer.isBetweenResponses ? place : "\(place), in the middle of a response",
                        remedy: "It is tried again later by itself.")
                }
                if let compression { compression.feed(chunk) } else { framer.feed(chunk) }
            }
        } catch {
            if isAtRest, error.code == .timedOut { return false }
            end()
            throw error
        }
        return true
    }

    /// Reads the response that `awaitResponse` found whole.
    func readResponse() throws(MailFailure) -> Response {
        trace?.note(.received, framer.text)
        let response = ResponseParser.parse(framer.text, literals: framer.literals)
        responseBytes = framer.literals.reduce(framer.text.count) { $0 + $1.content.count }
        if !response.bringsData { discountResponse() }
        guard unaskedBytes <= IMAPLimits.unaskedBytes else {
            end()
            throw .violation("more than \(IMAPLimits.unaskedBytes) bytes that nobody has asked for")
        }
        sights.note(response)
        count.note(response)
        if let words = response.alert { alert = words }
        switch response {
        case .capability(let names): capabilities = Capabilities(names)
        case .identification(let fields): serverID = fields
        case .namespace(let found): namespaces = found
        case .status(let reply) where reply.kind == .bye: throw goodbye(reply)
        case .status(let reply), .tagged(_, let reply):
            // The next command has all its time; a tag that nobody has sent gives none.
            if case .tagged(let tag, _) = response, unanswered.remove(tag) != nil {
                pace.restart()
                unaskedBytes = 0
            }
            if let openValidity, reply.codeName == "UIDVALIDITY",
                reply.codeNumber != UInt64(openValidity.rawValue)
            {
                end()
                throw MailFailure(
                    .uidValidityChanged, kind: .transient, "The folder's UIDs have changed their meaning",
                    detail: place, remedy: "It is opened anew by the next poll.")
            }
            if reply.codeName == "CAPABILITY" {
                capabilities = Capabilities(reply.code.split(separator: " ").dropFirst().map(String.init))
            }
        default: break
        }
        return response
    }

    /// The message in whose content the stream has ended, with what came of it.
    var brokenMessage: SuspectMessage? {
        guard let (text, content) = framer.brokenLiteral,
            let (uid, isBody) = ResponseParser.broken(text)
        else { return nil }
        return SuspectMessage(uid: uid, beginning: isBody && content.count > 0 ? content : nil)
    }

    private func goodbye(_ reply: StatusReply) -> MailFailure {
        end()
        let detail = "\(place): \(reply.words)"
        // The sign-in was accepted: whatever the words remind of, nothing is wrong with the password.
        if let failure = ServerRefusal(reading: reply.words)?.failure(detail: detail),
            failure.kind != .credential
        {
            return failure
        }
        return MailFailure(
            .serverClosed, kind: .transient, "The server ended the session", detail: detail,
            remedy: "It is tried again later by itself.")
    }

    /// Runs commands in one flight; `note` sees every untagged response. Returns the tagged replies in
    /// the order of the commands.
    nonisolated(nonsending) func run(
        _ commands: [IMAPCommand], note: (Response) -> Void = { _ in }
    ) async throws(MailFailure) -> [StatusReply] {
        let questions = introduction
        introduction = []
        let tags = try await send(questions + commands)
        var replies: [[UInt8]: StatusReply] = [:]
        while replies.count < tags.count {
            let response = try await nextResponse()
            if case .tagged(let tag, let reply) = response {
                if tags.contains(tag) { replies[tag] = reply }
            } else {
                note(response)
            }
        }
        for (question, tag) in zip(questions, tags) {
            if case .enableQResync = question { resyncs = replies[tag]?.kind == .ok }
        }
        return tags.dropFirst(questions.count).compactMap { replies[$0] }
    }

    nonisolated(nonsending) func run(
        _ command: IMAPCommand, note: (Response) -> Void = { _ in }
    ) async throws(MailFailure) -> StatusReply {
        try await run([command], note: note)[0]
    }

    nonisolated(nonsending) func demandOK(
        _ command: IMAPCommand, note: (Response) -> Void = { _ in }
    ) async throws(MailFailure) {
        let reply = try await run(command, note: note)
        if reply.kind != .ok { throw refusal(reply) }
    }

    /// A NO or BAD as a failure; the session goes on.
    func refusal(_ reply: StatusReply) -> MailFailure {
        let detail = "\(place): \(reply.words)"
        if ["NONEXISTENT", "TRYCREATE"].contains(reply.codeName) {
            return MailFailure(
                .folderMissing, kind: .needsPerson, "The server has no such folder", detail: detail,
                remedy: "List the account's folders and correct the name.")
        }
        // SERVERBUG is about what was asked for, not about the moment.
        if reply.codeName != "SERVERBUG", let refusal = ServerRefusal(reading: reply.words),
            refusal != .loginRefused
        {
            return refusal.failure(detail: detail)
        }
        return MailFailure(
            .commandRefused, kind: reply.kind == .bad ? .permanent : .transient,
            "The server refused a command", detail: detail)
    }
}
