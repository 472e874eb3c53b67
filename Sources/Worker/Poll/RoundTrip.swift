public import Archive
import MailFetch
public import MailModel
import MailSend
import MailTransport

/// Proves that an account sends and receives: a marked mail to its own address, handed to its SMTP server, and
/// found again in its mailbox by its Message-ID.
///
/// The mail goes past the outbox: it is tried once, while a person watches, and never again.
public struct RoundTrip: Sendable {
    public struct Report: Sendable {
        /// The SMTP server's answer to the mail, and seconds from the connection on.
        public var sent: Result<(answer: String, seconds: Double), MailFailure>
        /// Where it was found, and seconds from that answer on; nil when it was not sent.
        public var arrived: Result<(folder: FolderName, seconds: Double), MailFailure>?
        public var messageID: MessageID

        public var failure: MailFailure? {
            if case .failure(let failure) = sent { return failure }
            if case .failure(let failure) = arrived { return failure }
            return nil
        }
    }

    private let archive: Archive
    private let settings: PollSettings
    /// Seconds that the mail may take.
    public var patienceSeconds: Int
    /// Between two looks into the mailbox.
    public var pauseMilliseconds = 1_000

    public init(archive: Archive, settings: PollSettings, patienceSeconds: Int = 60) {
        self.archive = archive
        self.settings = settings
        self.patienceSeconds = patienceSeconds
    }

    /// - Throws: what keeps the attempt from being made, such as an account without SMTP server.
    public func run(_ account: Account) async throws(MailFailure) -> Report {
        guard let endpoint = account.settings.smtp else {
            throw MailFailure(
                .badSettings, kind: .needsPerson, "The account has no SMTP server",
                detail: account.settings.name,
                remedy: "Name one: mailworker account edit \(account.settings.name) --smtp-host HOST.")
        }
        let mail = try mail(for: account)
        let loop = try NetworkLoop()
        let signIn = AccountSignIn(archive: archive, loop: loop, settings: settings)
        var report = Report(sent: .failure(.notTried), messageID: mail.messageID)
        let start = ContinuousClock.now
        var answeredAt = start
        do throws(MailFailure) {
            let session = try await signIn.open(account, to: endpoint) { connection throws(MailFailure) in
                try await SMTPSession.connect(connection, loop: loop)
            }
            let answer = try await hand(mail, to: session)
            report.sent = .success((answer, start.secondsUntilNow))
            answeredAt = .now
            await session.quit()
        } catch {
            report.sent = .failure(account.provider.explaining(error))
            return report
        }
        do throws(MailFailure) {
            report.arrived = .success(
                try await find(mail.messageID, of: account, since: answeredAt, signIn))
        } catch {
            report.arrived = .failure(account.provider.explaining(error))
        }
        return report
    }

    private func mail(for account: Account) throws(MailFailure) -> ComposedMail {
        guard let address = account.settings.email else {
            throw MailFailure(
                .badSettings, kind: .needsPerson, "The account has no address",
                detail: account.settings.name,
                remedy: "Give it one: mailworker account edit \(account.settings.name) --email ADDRESS.")
        }
        let issued = IssuedMessageID(key: try archive.issuingKey())
        let mailbox = Mailbox(address: address)
        var draft = MailDraft(
            from: mailbox, date: archive.time, messageID: issued.make(domain: address.domain))
        draft.to = [mailbox]
        draft.subject = "mailworker: this mailbox sends and receives"
        draft.text =
            "This mail was sent to its own sender by `mailworker account check --send`. It may be deleted.\n"
        // No automatic answer is to follow it.
        draft.fields = [
            .autoSubmitted(.generated), .noAutoResponse,
            .custom(name: "X-Mailworker-Check", value: "round-trip"),
        ]
        return try Composer.compose(draft)
    }

    private func hand(_ mail: ComposedMail, to session: SMTPSession) async throws(MailFailure) -> String {
        let bytes = try mail.bytes()
        let transmission = await session.transmit(
            SMTPMail(
                sender: mail.envelope.sender, recipients: mail.envelope.recipients,
                envelopeID: mail.messageID.rawValue, needsSMTPUTF8: mail.needsSMTPUTF8, size: bytes.count,
                content: .bytes(bytes))
        ) { _ in }
        switch transmission.ending {
        case .accepted(let reply): return reply.text
        case .refused(_, let reply): throw .notTaken(reply)
        case .nobodyAccepted:
            guard let reply = transmission.recipientReplies[0] else { throw .notTried }
            throw .notTaken(reply)
        case .broken(_, let failure), .unanswered(let failure), .unsendable(let failure),
            .abandoned(let failure):
            throw failure
        }
    }

    /// Looks into INBOX, and when it is not there into Junk, until it is somewhere or the time is over.
    private func find(
        _ messageID: MessageID, of account: Account, since start: ContinuousClock.Instant,
        _ signIn: AccountSignIn
    ) async throws(MailFailure) -> (folder: FolderName, seconds: Double) {
        let session = try await signIn.openMailbox(account)
        let listed = try await session.folders()
        let places = [FolderRole.inbox, .junk].compactMap { role in listed.first { $0.role == role } }
        while true {
            for place in places where try await SentFolder(place, on: session).contains(messageID) {
                await session.logout()
                guard place.role == .inbox else { throw .arrivedAsJunk(place.name) }
                return (place.name, start.secondsUntilNow)
            }
            guard start.secondsUntilNow < Double(patienceSeconds) else { break }
            do {
                try await Task.sleep(for: .milliseconds(pauseMilliseconds))
            } catch {
                throw MailFailure(.cancelled, kind: .transient, "The check was cancelled")
            }
        }
        await session.logout()
        throw .didNotArrive(account, patienceSeconds)
    }
}

extension ContinuousClock.Instant {
    fileprivate var secondsUntilNow: Double {
        let duration = ContinuousClock.now - self
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}

extension MailFailure.Code {
    /// A mail to oneself was taken by the server and not found in the mailbox.
    public static let roundTripFailed = Self("round-trip-failed")
}

extension MailFailure {
    fileprivate static let notTried = MailFailure(
        .roundTripFailed, kind: .transient, "The server did not answer for the recipient",
        remedy: "Try again; if it stays so, look at what the server says with --trace.")

    fileprivate static func notTaken(_ reply: SMTPReply) -> MailFailure {
        if let refusal = ServerRefusal(reading: reply.text) { return refusal.failure(detail: reply.text) }
        return MailFailure(
            .roundTripFailed, kind: reply.isPermanent ? .needsPerson : .transient,
            "The SMTP server did not take a mail from this account to itself", detail: reply.text,
            remedy:
                "Check that the account's address is the one of its login, and that the server lets it send"
                + " under it.")
    }

    fileprivate static func arrivedAsJunk(_ folder: FolderName) -> MailFailure {
        MailFailure(
            .roundTripFailed, kind: .needsPerson, "The mail arrived, but as junk", detail: folder.rawValue,
            remedy: "Mail from here will look like that to others too: have the domain's SPF, DKIM and DMARC"
                + " records checked.")
    }

    fileprivate static func didNotArrive(_ account: Account, _ seconds: Int) -> MailFailure {
        MailFailure(
            .roundTripFailed, kind: .needsPerson, "The mail was sent and did not arrive in INBOX",
            detail: "after \(seconds) s",
            remedy:
                "Check that \(account.settings.email?.addrSpec ?? "the account's address") is delivered to this"
                + " mailbox, that no filter moves it, and the mail server's queue.")
    }
}
