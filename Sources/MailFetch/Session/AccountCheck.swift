public import MailModel
public import MailTransport

/// Tries an account's servers, changing nothing, and says what was found or what is wrong.
public enum AccountCheck {
    /// What signing in over IMAP has shown.
    public struct IMAPFindings: Sendable, Hashable {
        public var capabilities: Capabilities
        /// What the server calls itself (RFC 2971).
        public var serverID: [String: String]
        public var folderCount: Int
        public var inboxMessages: UInt32
        /// The folder that sent mail is read from; nil when none could be recognised and one has to be named.
        public var sentFolder: FolderName?
    }

    public struct Report: Sendable {
        public var imap: Result<IMAPFindings, MailFailure>
        /// The server's answer to NOOP after signing in; nil when the account has no SMTP server.
        public var smtp: Result<String, MailFailure>?

        public var isGood: Bool {
            if case .failure = imap { return false }
            if case .failure = smtp { return false }
            return true
        }
    }

    /// Both at the same time: IMAP up to reading INBOX's state, SMTP up to NOOP and QUIT.
    public static func run(
        imap: ConnectionSettings, smtp: ConnectionSettings?, preset: ProviderPreset = .custom,
        loop: NetworkLoop, trace: WireTrace? = nil
    ) async -> Report {
        async let imapResult = tryIMAP(imap, loop, trace)
        async let smtpResult = trySMTP(smtp, loop)
        return Report(
            imap: await imapResult.mapError { preset.explaining($0) },
            smtp: await smtpResult?.mapError { preset.explaining($0) })
    }

    private static func tryIMAP(
        _ settings: ConnectionSettings, _ loop: NetworkLoop, _ trace: WireTrace?
    ) async -> Result<IMAPFindings, MailFailure> {
        do throws(MailFailure) {
            let session = try await IMAPSession.connect(settings, loop: loop, trace: trace)
            let folders = try await session.folders()
            let inbox = try await session.examine(.inbox)
            let findings = IMAPFindings(
                capabilities: session.capabilities, serverID: session.serverID, folderCount: folders.count,
                inboxMessages: inbox.exists, sentFolder: folders.first { $0.role == .sent }?.name)
            await session.logout()
            return .success(findings)
        } catch {
            return .failure(error)
        }
    }

    private static func trySMTP(
        _ settings: ConnectionSettings?, _ loop: NetworkLoop
    ) async -> Result<String, MailFailure>? {
        guard let settings else { return nil }
        do throws(MailFailure) {
            let channel = try await loop.connect(settings, .smtp)
            defer { channel.close() }
            try await channel.send(Array("NOOP\r\n".utf8))
            let reply = try await smtpReply(channel, within: settings.timeoutSeconds)
            guard reply.hasPrefix("2") else {
                throw ServerRefusal(reading: reply)?.failure(detail: reply)
                    ?? MailFailure(
                        .commandRefused, kind: .transient, "The server refused a command", detail: reply)
            }
            // The answer to QUIT says nothing more about the account.
            try await channel.send(Array("QUIT\r\n".utf8))
            _ = try? await smtpReply(channel, within: settings.timeoutSeconds)
            return .success(
                channel.hasSignedIn
                    ? reply : "\(reply) (it offers no sign-in: the password was not tried)")
        } catch {
            return .failure(error)
        }
    }

    /// One reply (RFC 5321, 4.2), its last line; lines that continue have a hyphen behind the code.
    private static func smtpReply(
        _ channel: ByteChannel, within seconds: Int
    ) async throws(MailFailure) -> String {
        var bytes: [UInt8] = []
        var waited = Duration.zero
        while bytes.count < 64 << 10 {
            let left = .seconds(seconds) - waited
            guard left > .zero else {
                throw MailFailure(
                    .timedOut, kind: .transient, "The server answers too slowly to ever end",
                    remedy: "It is tried again later by itself.")
            }
            let received = try await channel.receive(within: max(1, Int(left.components.seconds)))
            waited += received.waited
            guard !received.bytes.isEmpty else { break }
            bytes += received.bytes
            guard bytes.last == 0x0A,
                let line = bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).last
            else { continue }
            if line.count == 3 || (line.count > 3 && line[line.startIndex + 3] != UInt8(ascii: "-")) {
                return String(decoding: line.prefix(500), as: UTF8.self)
            }
        }
        throw MailFailure(
            .connectionLost, kind: .transient, "The server closed the connection instead of answering",
            remedy: "It is tried again later by itself.")
    }
}
