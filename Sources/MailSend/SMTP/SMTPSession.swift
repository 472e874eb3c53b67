import Crypto
public import MailModel
public import MailTransport

/// A session with an account's SMTP server (RFC 5321), spoken over a connection that is signed in.
///
/// Used by one task at a time, for any number of mails after each other. We speak the protocol ourselves
/// because the answer to each recipient, and whether the end of the data went out, decide what becomes of a
/// mail; a library that returns one result for all hides both.
public final class SMTPSession {
    public private(set) var capabilities = SMTPCapabilities([])
    /// False when the connection is of no more use.
    public private(set) var isOpen = true
    /// Mails that were handed over on this connection.
    public private(set) var sentCount = 0

    private let channel: ByteChannel
    private let place: String
    private let timeoutSeconds: Int
    private let limits: SMTPLimits
    private var reader = SMTPReplyReader()
    /// The server has a sender, and perhaps recipients, of a mail that came to no end. It would take the next mail's
    /// recipients for that one's (Postfix: "nested MAIL command"), so RSET goes before the next MAIL.
    private var isTransactionOpen = false

    /// Signs in, where the server asks for it, and learns what it offers.
    ///
    /// - Throws: what `NetworkLoop.connect` throws, and `smtp.refused`.
    nonisolated(nonsending) public static func connect(
        _ settings: ConnectionSettings, loop: NetworkLoop, limits: SMTPLimits = SMTPLimits()
    ) async throws(MailFailure) -> SMTPSession {
        let session = SMTPSession(try await loop.connect(settings, .smtp), settings, limits)
        do throws(MailFailure) {
            try await session.introduce()
        } catch {
            session.close()
            throw error
        }
        return session
    }

    private init(_ channel: ByteChannel, _ settings: ConnectionSettings, _ limits: SMTPLimits) {
        self.channel = channel
        self.limits = limits
        timeoutSeconds = settings.timeoutSeconds
        place = "\(settings.endpoint.host):\(settings.endpoint.port)"
    }

    deinit { channel.close() }

    /// Ends at once.
    public func close() {
        isOpen = false
        channel.close()
    }

    /// Says goodbye; a server that does not answer is left all the same.
    nonisolated(nonsending) public func quit() async {
        guard isOpen else { return }
        do throws(MailFailure) {
            _ = try await reply(to: SMTPCommand.quit.bytes, within: min(timeoutSeconds, 5))
        } catch {}
        close()
    }

    nonisolated(nonsending) private func introduce() async throws(MailFailure) {
        var answer = try await reply(to: SMTPCommand.ehlo.bytes)
        if answer.isPositive {
            capabilities = SMTPCapabilities(answer.lines)
            return
        }
        // OpenSMTPD was greeted before the sign-in, and wants no second greeting. It goes on without extensions:
        // what it offered then was said to the transport and not to us.
        if answer.code == 503 { return }
        if answer.isPermanent, !answer.closesConnection {
            // A server of the time before extensions.
            answer = try await reply(to: SMTPCommand.helo.bytes)
            if answer.isPositive { return }
        }
        throw refusal(answer)
    }

    private func refusal(_ reply: SMTPReply) -> MailFailure {
        let detail = "\(place): \(reply.text)"
        return ServerRefusal(reading: reply.text)?.failure(detail: detail)
            ?? MailFailure(
                .smtpRefused, kind: reply.isPermanent ? .needsPerson : .transient,
                "The mail server refused the session", detail: detail,
                remedy: "Ask the mail server's administrator when it stays so.",
                retryAfterSeconds: StatedDelay.seconds(in: reply.text))
    }

    // MARK: - One mail

    /// Hands one mail over.
    ///
    /// Never throws: whatever happens is in the result, and `isOpen` tells whether the session can go on.
    /// - Parameter beforeData: called when the server is ready for the data, with the recipients that it has
    ///   accepted and before the end of the data is sent. When it throws, the server does not get the mail.
    nonisolated(nonsending) public func transmit(
        _ mail: SMTPMail, beforeData: @Sendable ([Int]) async throws(MailFailure) -> Void
    ) async -> Transmission {
        if let failure = unsendable(mail) {
            return Transmission(recipientReplies: [:], ending: .unsendable(failure))
        }
        var dialogue = Dialogue()
        do throws(MailFailure) {
            // What was said behind the answer to the mail before would pass for the answer to this one.
            guard !reader.isWithinReply else { throw .unaskedReply(place) }
            let isReady =
                capabilities.pipelining
                ? try await offerAtOnce(mail, &dialogue) : try await offerInTurn(mail, &dialogue)
            guard isReady else { return dialogue.result }
        } catch {
            close()
            // When the two sides are out of step, nobody knows whom a reply was about.
            let replies = error.code == .notAMailServer ? [:] : dialogue.recipientReplies
            return Transmission(recipientReplies: replies, ending: .broken(dialogue.stage, error))
        }
        let ending = await sendData(mail, dialogue, beforeData)
        if case .accepted = ending { sentCount += 1 }
        return Transmission(recipientReplies: dialogue.recipientReplies, ending: ending)
    }

    private struct Dialogue {
        var stage = SMTPStage.mail
        var recipientReplies: [Int: SMTPReply] = [:]
        var refusal: (SMTPStage, SMTPReply)?

        var accepted: [Int] { recipientReplies.filter { $0.value.isPositive }.keys.sorted() }

        var result: Transmission {
            Transmission(
                recipientReplies: recipientReplies,
                ending: refusal.map { .refused($0.0, $0.1) } ?? .nobodyAccepted)
        }
    }

    private func unsendable(_ mail: SMTPMail) -> MailFailure? {
        let needsUTF8 =
            mail.needsSMTPUTF8 || mail.sender?.needsSMTPUTF8 == true
            || mail.recipients.contains(where: \.needsSMTPUTF8)
        if needsUTF8, !capabilities.smtpUTF8 { return .utf8NotOffered(place) }
        if let limit = capabilities.sizeLimit, mail.size > limit { return .tooLarge(mail.size, limit: limit) }
        return nil
    }

    private func commands(_ mail: SMTPMail) -> (mail: SMTPCommand, recipients: [SMTPCommand]) {
        var parameters = SMTPCommand.MailParameters()
        if capabilities.size { parameters.size = mail.size }
        parameters.smtpUTF8 =
            capabilities.smtpUTF8
            && (mail.needsSMTPUTF8 || mail.sender?.needsSMTPUTF8 == true
                || mail.recipients.contains(where: \.needsSMTPUTF8))
        if capabilities.dsn { parameters.envelopeID = mail.envelopeID }
        return (
            .mail(mail.sender, parameters), mail.recipients.map { .rcpt($0, dsn: capabilities.dsn) }
        )
    }

    /// MAIL, every RCPT and DATA in one flight (RFC 2920).
    /// - Returns: whether the server waits for the data of at least one recipient.
    nonisolated(nonsending) private func offerAtOnce(
        _ mail: SMTPMail, _ dialogue: inout Dialogue
    ) async throws(MailFailure) -> Bool {
        let commands = commands(mail)
        let reset = isTransactionOpen ? SMTPCommand.rset.bytes : []
        var first = try await reply(
            to:
                reset + commands.mail.bytes + commands.recipients.flatMap(\.bytes) + SMTPCommand.data.bytes)
        if isTransactionOpen {
            try noteReset(first)
            first = try await reply()
        }
        try demandVerdict(first)
        isTransactionOpen = first.isPositive
        if !first.isPositive { dialogue.refusal = (.mail, first) }
        if endsSession(first) { return false }
        dialogue.stage = .rcpt
        for index in mail.recipients.indices {
            let answer = try await reply()
            try demandVerdict(answer)
            // After a refused MAIL the others only say that there is no mail.
            guard dialogue.refusal == nil else {
                if endsSession(answer) { return false }
                continue
            }
            if endsSession(answer) {
                dialogue.refusal = (.rcpt, answer)
                return false
            }
            dialogue.recipientReplies[index] = answer
        }
        dialogue.stage = .data
        let answer = try await reply()
        guard answer.code == 354 else {
            if answer.isPositive { throw .notAnSMTPReply("DATA was answered with \(answer.code)") }
            try demandVerdict(answer)
            if dialogue.refusal == nil, !dialogue.accepted.isEmpty { dialogue.refusal = (.data, answer) }
            _ = endsSession(answer)
            return false
        }
        guard dialogue.refusal == nil, !dialogue.accepted.isEmpty else {
            // It waits for data although there is nobody of ours to have it (RFC 2920, 3.1). An empty message would
            // bring both sides together again; but it is not ours to say that nobody receives it.
            close()
            return false
        }
        return true
    }

    nonisolated(nonsending) private func offerInTurn(
        _ mail: SMTPMail, _ dialogue: inout Dialogue
    ) async throws(MailFailure) -> Bool {
        let commands = commands(mail)
        if isTransactionOpen { try noteReset(try await reply(to: SMTPCommand.rset.bytes)) }
        let first = try await reply(to: commands.mail.bytes)
        try demandVerdict(first)
        isTransactionOpen = first.isPositive
        guard first.isPositive else {
            dialogue.refusal = (.mail, first)
            _ = endsSession(first)
            return false
        }
        dialogue.stage = .rcpt
        for (index, command) in commands.recipients.enumerated() {
            let answer = try await reply(to: command.bytes)
            try demandVerdict(answer)
            if endsSession(answer) {
                dialogue.refusal = (.rcpt, answer)
                return false
            }
            dialogue.recipientReplies[index] = answer
        }
        guard !dialogue.accepted.isEmpty else { return false }
        dialogue.stage = .data
        let answer = try await reply(to: SMTPCommand.data.bytes)
        guard answer.code == 354 else {
            if answer.isPositive { throw .notAnSMTPReply("DATA was answered with \(answer.code)") }
            try demandVerdict(answer)
            dialogue.refusal = (.data, answer)
            _ = endsSession(answer)
            return false
        }
        return true
    }

    /// The content, its end, and the answer to it.
    nonisolated(nonsending) private func sendData(
        _ mail: SMTPMail, _ dialogue: Dialogue,
        _ beforeData: @Sendable ([Int]) async throws(MailFailure) -> Void
    ) async -> Transmission.Ending {
        var stuffing = DotStuffing()
        var output: [UInt8] = []
        var (isSending, wasSent) = (false, false)
        var size = 0
        var hash = SHA256()
        do throws(MailFailure) {
            switch mail.content {
            case .bytes(let bytes):
                size = bytes.count
                hash.update(data: bytes)
                try stuffing.append(bytes, to: &output)
            case .pieces(let read):
                var number = 0
                while true {
                    let piece = try await read(number)
                    if piece.isEmpty { break }
                    // Whatever is sent here still lacks its end.
                    if output.count >= SMTPLimits.writeBytes {
                        isSending = true
                        try await channel.send(output)
                        (isSending, wasSent) = (false, true)
                        output.removeAll(keepingCapacity: true)
                    }
                    try stuffing.append(piece, to: &output)
                    size += piece.count
                    hash.update(data: piece)
                    number += 1
                }
            }
            guard size == mail.size else { throw .incompleteContent(size, of: mail.size) }
            if let digest = mail.digest, digest != Array(hash.finalize()) { throw .changedContent }
            try stuffing.finish(into: &output)
            try await beforeData(dialogue.accepted)
            if let ending = await answerBeforeEnd(hasData: wasSent) { return ending }
        } catch {
            // Without its end the server must forget it all.
            let answer = isSending ? await earlyAnswer() : nil
            close()
            return answer ?? (isSending ? .broken(.endOfData, error) : .abandoned(error))
        }
        do throws(MailFailure) {
            let answer = try await reply(to: output, within: max(timeoutSeconds, limits.endOfDataSeconds))
            _ = endsSession(answer)
            if answer.isPositive {
                isTransactionOpen = false
                return .accepted(answer)
            }
            if answer.isTransient || answer.isPermanent { return .refused(.endOfData, answer) }
            close()
            return .unanswered(.notAnSMTPReply("the end of the data was answered with \(answer.code)"))
        } catch {
            let ending = await earlyAnswer() ?? .unanswered(error)
            close()
            return ending
        }
    }

    /// What the server has said of the mail before its end has gone out. It then never gets the end: taken for the answer to
    /// it, this would make a mail sent that the server refuses, or tried again one that it has.
    ///
    /// - Parameter hasData: a part of the data has gone out, and may have been answered meanwhile.
    nonisolated(nonsending) private func answerBeforeEnd(hasData: Bool) async -> Transmission.Ending? {
        do throws(MailFailure) {
            if hasData, !reader.isWithinReply {
                let received = try await channel.receive(within: 0)
                guard !received.bytes.isEmpty else { throw closedByServer }
                reader.feed(received.bytes)
            }
            guard reader.isWithinReply else { return nil }
            let answer = try reader.next()
            close()
            guard let answer, answer.isTransient || answer.isPermanent else { throw .unaskedReply(place) }
            return .refused(.endOfData, answer)
        } catch {
            // Nothing has come, which is how it should be.
            if error.code == .timedOut { return nil }
            close()
            return .broken(.endOfData, error)
        }
    }

    /// A server that breaks off in the middle often says why first.
    nonisolated(nonsending) private func earlyAnswer() async -> Transmission.Ending? {
        guard !reader.isWithinReply, let answer = try? await reply(within: 1) else { return nil }
        return answer.isTransient || answer.isPermanent ? .refused(.endOfData, answer) : nil
    }

    /// - Throws: when the server holds on to the mail before: nothing more is to be said in this session.
    private func noteReset(_ reply: SMTPReply) throws(MailFailure) {
        guard reply.isPositive else { throw refusal(reply) }
        isTransactionOpen = false
    }

    /// - Throws: for a reply that asks for more where nothing more is to come; it refuses nobody.
    private func demandVerdict(_ reply: SMTPReply) throws(MailFailure) {
        guard reply.isPositive || reply.isTransient || reply.isPermanent else {
            throw .notAnSMTPReply("a command was answered with \(reply.code)")
        }
    }

    /// Notes a reply after which the server is gone.
    private func endsSession(_ reply: SMTPReply) -> Bool {
        if reply.closesConnection { close() }
        return reply.closesConnection
    }

    // MARK: - Replies

    private var closedByServer: MailFailure {
        MailFailure(
            .connectionLost, kind: .transient, "The server closed the connection", detail: place,
            remedy: "It is tried again later by itself.")
    }

    /// The next reply, the whole of it within the time.
    ///
    /// - Parameter said: what is said before the wait for it; empty: nothing.
    nonisolated(nonsending) private func reply(
        to said: [UInt8] = [], within seconds: Int? = nil
    ) async throws(MailFailure) -> SMTPReply {
        var said = said
        guard said.isEmpty || !reader.isWithinReply else { throw .unaskedReply(place) }
        if let reply = try reader.next() { return reply }
        let allowed = seconds ?? timeoutSeconds
        var waited = Duration.zero
        while true {
            // A server that sends a byte now and then does not get all the time in the world.
            let left = allowed - Int(waited.components.seconds)
            guard left > 0 else {
                throw MailFailure(
                    .timedOut, kind: .transient, "The server did not answer in time", detail: place,
                    remedy: "It is tried again later by itself.")
            }
            let received =
                said.isEmpty
                ? try await channel.receive(within: left) : try await channel.ask(said, within: left)
            said = []
            waited += received.waited
            guard !received.bytes.isEmpty else { throw closedByServer }
            reader.feed(received.bytes)
            if let reply = try reader.next() { return reply }
        }
    }
}
