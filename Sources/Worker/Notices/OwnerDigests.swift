public import Archive
public import MIMEParse
public import MailModel
import MailSend

/// Tells owners by mail that contacts of theirs have written: at most one mail in a while, with everything since the
/// last one.
///
/// Each event is in exactly one mail, however often the process is killed: first a transaction puts it into a digest,
/// then the digest's mail is queued under a key of its number, which queues one mail however often it is done.
public struct OwnerDigests: Sendable {
    public struct Settings: Sendable, Hashable {
        /// The account that the mails go out through.
        public var account: String
        /// Between two mails to one user.
        public var minutes: Int

        public init(account: String, minutes: Int = 60) {
            self.account = account
            self.minutes = minutes
        }
    }

    private let archive: Archive
    private let parsing: any MessageParsing
    private let submission: MailSubmission.Settings
    private let settings: Settings

    public init(
        archive: Archive, parsing: any MessageParsing, submission: MailSubmission.Settings, settings: Settings
    ) {
        self.archive = archive.seen(by: .administrator)
        self.parsing = parsing
        self.submission = submission
        self.settings = settings
    }

    /// Queues the mails that are due.
    ///
    /// - Returns: how many were queued, and what kept others from it; those are tried again with the next call.
    public func run() async throws(MailFailure) -> (queued: Int, failures: [MailFailure]) {
        try archive.openDigests(every: Int64(settings.minutes) * 60)
        var queued = 0
        var failures: [MailFailure] = []
        for digest in try archive.digestsToQueue() {
            do throws(MailFailure) {
                if try await queue(digest) { queued += 1 }
            } catch {
                if archive.stopFailure != nil { throw error }
                failures.append(error)
            }
        }
        return (queued, failures)
    }

    /// What the idempotency keys of digests begin with; nobody else's do, whose mail would pass for a digest that is queued.
    static let keyPrefix = "owner-digest:"

    private func queue(_ digest: OpenDigest) async throws(MailFailure) -> Bool {
        // As the owner may see it now, not as it was when the mail came.
        let events = try archive.seen(by: .user(digest.user)).events(of: digest.id)
        let key = Self.keyPrefix + "\(digest.id)"
        if events.isEmpty {
            let known = try archive.outboxReceipt(forKey: key)
            try archive.noteDigest(digest.id, queuedAs: known?.item)
            return known != nil
        }
        let text = DigestText(events: events)
        var request = MailRequest(account: settings.account, to: [digest.address.addrSpec])
        request.subject = text.subject
        request.text = text.text
        request.kind = .automatic
        request.idempotencyKey = key
        request.keyStandsForAnyWords = true
        request.isReturnedToNobody = true
        let mail = MailSubmission(archive: archive, parsing: parsing, settings: submission)
        do throws(MailFailure) {
            let item = try await mail.submit(request, by: "mailworker").receipt.item
            try archive.noteDigest(digest.id, queuedAs: item)
            return true
        } catch {
            // Somebody to whom no automatic mail goes reads the list of events instead.
            guard error.code == .recipientSuppressed else { throw error }
            try archive.noteDigest(digest.id, queuedAs: nil)
            return false
        }
    }
}
