public import Archive
import Foundation
public import MIMEParse
import MailFetch
public import MailModel
import MailSend
import MailTransport
import Matcher

/// Takes a mail in: checks who may send what to whom, makes the message, and queues it with all its bytes.
public struct MailSubmission: Sendable {
    public struct Settings: Sendable {
        /// Seconds in which a mail can still be cancelled before it is tried.
        public var undoSeconds: Int64 = 5
        /// Recipients of one user in an hour.
        public var userHourlyRecipients = 500
        /// The largest message, in bytes.
        public var messageBytes = MailLimits.standard.messageBytes

        public init() {}
    }

    /// The answer: the queued mail, and what its sender should know.
    public struct Outcome: Sendable {
        public var receipt: Archive.OutboxReceipt
        public var warnings: [String]
    }

    private let archive: Archive
    private let parsing: any MessageParsing
    private let settings: Settings

    public init(archive: Archive, parsing: any MessageParsing, settings: Settings) {
        self.archive = archive
        self.parsing = parsing
        self.settings = settings
    }

    /// - Parameters:
    ///   - person: who asks, for the record.
    ///   - isImmediate: the sender waits for the answer, so there is no time to undo it.
    /// - Throws: `rights.missing`, `send.identity`, `send.cap`, `send.suppressed`, `send.no-server`, `send.answers-automatic`,
    ///   `send.time`, what the composer refuses, `send.key-reused`, and `unknown.…` for what does not exist.
    public func submit(
        _ request: MailRequest, by person: String, isImmediate: Bool = false
    ) async throws(MailFailure) -> Outcome {
        if !request.keyStandsForAnyWords, let key = request.idempotencyKey,
            key.hasPrefix(OwnerDigests.keyPrefix)
        {
            throw MailFailure(
                .invalidValue, kind: .permanent, "Idempotency keys of this kind are mailworker's own",
                detail: key,
                remedy: "Choose one that does not begin with \(OwnerDigests.keyPrefix)")
        }
        let asked = self.asked(request)
        if let key = request.idempotencyKey, let known = try archive.outboxReceipt(forKey: key, of: asked) {
            return Outcome(receipt: known, warnings: [])
        }
        if let at = request.at { try check(at, archive.time) }
        let account = try archive.sendingAccount(named: request.account)
        let from = try sender(of: request, account)
        let drafting = MailDrafting(
            archive: archive, parsing: parsing, messageBytes: settings.messageBytes)
        let draft = try await drafting.draft(request, of: account, from: from)
        let composed = try Composer.compose(draft)
        guard composed.size <= settings.messageBytes else {
            throw .mailOverLimit(composed.size, limit: settings.messageBytes)
        }
        let warnings = try standings(composed, kind: request.kind)
        let now = archive.time
        var queued = OutboxDraft(
            account: account.id, requestedBy: person, messageID: composed.messageID,
            sender: Self.isReturnedToNobody(request, account) ? nil : composed.envelope.sender?.address,
            recipients: Self.recipients(composed, draft), content: try Self.bytes(of: composed),
            notBefore: max(
                request.at ?? now, isImmediate ? now : now.advanced(bySeconds: settings.undoSeconds)))
        queued.user = account.settings.user
        queued.idempotencyKey = request.idempotencyKey
        queued.request = asked
        queued.subject = draft.subject.isEmpty ? nil : draft.subject
        queued.kind = request.kind
        queued.needsUTF8 = composed.needsSMTPUTF8
        queued.blindField = composed.bccField
        let receipt = try archive.queueMail(queued, userHourlyLimit: settings.userHourlyRecipients)
        return Outcome(receipt: receipt, warnings: warnings)
    }

    /// Whoever names a time that is long past means another one, and what has gone out cannot be taken back.
    private func check(_ at: UnixTime, _ now: UnixTime) throws(MailFailure) {
        let hour: Int64 = 3600
        guard at >= now.advanced(bySeconds: -300) else {
            throw .noTimeToSend("The time to send the mail at is past")
        }
        guard at <= now.advanced(bySeconds: 366 * 24 * hour) else {
            throw .noTimeToSend("The time to send the mail at is more than a year away")
        }
    }

    /// The same for the same request. Nil without a key, and where it stands for any words.
    private func asked(_ request: MailRequest) -> AskedMail? {
        guard request.idempotencyKey != nil, !request.keyStandsForAnyWords else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let words = try? encoder.encode(request) else { return nil }
        // What is missing or too large is refused where the mail is made.
        let digests = (request.inlineImages + request.attachments).map { path -> [UInt8]? in
            guard let file = try? OpenedFile(path: path), file.count <= settings.messageBytes else {
                return nil
            }
            return try? file.digest()
        }
        let files = digests.compactMap(\.self)
        return AskedMail(words: Array(words), files: files.count == digests.count ? files : nil)
    }

    private static func isReturnedToNobody(_ request: MailRequest, _ account: Account) -> Bool {
        request.isReturnedToNobody && request.kind != .single && account.provider == .custom
    }

    // MARK: - Who may

    private func sender(of request: MailRequest, _ account: Account) throws(MailFailure) -> Mailbox {
        guard account.settings.kind == .mailbox, account.settings.isEnabled, let own = account.settings.email
        else { throw .accountCannotSend(account) }
        guard account.settings.smtp != nil else { throw .noSMTPServer(account) }
        let name = account.settings.user.flatMap { user in
            (try? archive.users())?.first { $0.id == user }?.displayName
        }
        guard let text = request.from else { return Mailbox(displayName: name, address: own) }
        let wanted = try Mailbox(written: text)
        guard
            try archive.sendingIdentities(of: account).contains(where: {
                $0.lowercased == wanted.address.lowercased
            })
        else {
            throw MailFailure(
                .sendIdentity, kind: .permanent, "The address to send from is not one of the account's user",
                detail: wanted.address.addrSpec,
                remedy: "Send from an address of that user; see mailworker user list and account list.")
        }
        return wanted
    }

    /// Single mail goes with a warning; what a program sends does not go.
    private func standings(_ composed: ComposedMail, kind: OutboxKind) throws(MailFailure) -> [String] {
        var warnings: [String] = []
        for standing in try archive.standing(of: composed.envelope.recipients.map(\.address)) {
            let address = standing.address.addrSpec
            var words: [String] = []
            if !standing.doNotEmail.isEmpty {
                words.append("\(standing.doNotEmail.joined(separator: ", ")) (\(address)) must not be mailed")
            }
            if let suppression = standing.suppression {
                words.append("\(address) is suppressed: \(suppression.evidence)")
            }
            guard !words.isEmpty else { continue }
            guard kind == .single else {
                throw MailFailure(
                    .recipientSuppressed, kind: .permanent,
                    "Automatic and mass mail does not go to this recipient",
                    detail: words.joined(separator: "; "),
                    remedy: "Leave the recipient out, or write a single mail.")
            }
            warnings += words
        }
        return warnings
    }

    // MARK: - The message

    /// Each address once, as the envelope has it, with the field that it stood in.
    private static func recipients(_ composed: ComposedMail, _ draft: MailDraft) -> [OutboxDraft.Recipient] {
        let open = folded(draft.to)
        let copied = folded(draft.cc)
        return composed.envelope.recipients.map { path in
            let role: ParticipantRole =
                open.contains(path.folded) ? .to : copied.contains(path.folded) ? .cc : .bcc
            return OutboxDraft.Recipient(path.address, role)
        }
    }

    private static func folded(_ mailboxes: [Mailbox]) -> Set<String> {
        Set(mailboxes.compactMap { try? SMTPPath($0.address).folded })
    }

    /// Large messages go through a file, so that memory stays bounded.
    private static func bytes(of composed: ComposedMail) throws(MailFailure) -> MessageBytes {
        guard composed.size > MailLimits.standard.heapMessageBytes else {
            return MessageBytes(try composed.bytes())
        }
        guard let file = UnnamedFile() else { throw .noSpool() }
        try composed.write(to: file.descriptor)
        guard let mapped = MessageBytes(mapping: file.descriptor, count: composed.size) else {
            throw .noSpool()
        }
        return mapped
    }
}

extension Mailbox {
    /// `local@domain`, or `Name <local@domain>`. What is no word (RFC 5322, 3.4.1) before the @ stands in quotes:
    /// two addresses with a comma between them are not one.
    /// - Throws: `compose.address`.
    init(written text: String) throws(MailFailure) {
        var name: String?
        var isListed = false
        var address = text[...]
        if let open = text.lastIndex(of: "<"), text.hasSuffix(">") {
            address = text[text.index(after: open)...].dropLast()
            var words = text[..<open]
            while words.last == " " { words.removeLast() }
            while words.first == " " { words.removeFirst() }
            let quoted = Self.unquoted(words)
            isListed = quoted == nil && Self.holdsAnother(words)
            let own = quoted ?? String(words)
            name = own.isEmpty ? nil : own
        }
        while address.last == " " { address.removeLast() }
        while address.first == " " { address.removeFirst() }
        // U+FFFD stands for bytes that are no text: nobody wrote such an address.
        guard !isListed, !text.unicodeScalars.contains("\u{FFFD}"), let found = EmailAddress(address),
            Self.isQuoted(address) || Self.isWord(found.localPart)
        else {
            throw MailFailure(
                .badAddress, kind: .permanent, "This is not an e-mail address",
                detail: String(text.prefix(300)),
                remedy: "Write it as local@domain, or as Name <local@domain>.")
        }
        self.init(displayName: name, address: found)
    }

    /// What stands in quotes, where `text` is one quoted string (RFC 5322, 3.2.4) and nothing else.
    private static func unquoted(_ text: Substring) -> String? {
        var rest = text.unicodeScalars
        guard rest.popFirst() == "\"" else { return nil }
        var content = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == "\"" { return rest.isEmpty ? String(content) : nil }
            guard scalar == "\\" else {
                content.append(scalar)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            content.append(escaped)
        }
        return nil
    }

    /// Whether what stands as a name, and is not one quoted string, has an address before the last one: only that would get
    /// the mail.
    private static func holdsAnother(_ name: Substring) -> Bool {
        let marks = name.unicodeScalars.filter { "<>,;@".unicodeScalars.contains($0) }
        return marks.contains("<") || marks.contains(">") || marks.contains("@") && marks.count > 1
    }

    private static func isQuoted(_ address: Substring) -> Bool {
        address.lastIndex(of: "@").map { unquoted(address[..<$0]) != nil } == true
    }

    private static func isWord(_ local: String) -> Bool {
        !local.unicodeScalars.contains { "\"(),:;<>@[\\]".unicodeScalars.contains($0) }
    }
}

extension MailFailure.Code {
    /// From is not an address of the user.
    public static let sendIdentity = Self("send.identity")
    public static let accountCannotSend = Self("send.account")
    public static let answersAutomatic = Self("send.answers-automatic")
    public static let mailOverLimit = Self("send.too-large")
    public static let noTimeToSend = Self("send.time")
}

extension MailFailure {
    static func accountCannotSend(_ account: Account) -> MailFailure {
        MailFailure(
            .accountCannotSend, kind: .permanent, "The account cannot send mail",
            detail: account.settings.name,
            remedy: "Name an enabled mailbox account; see mailworker account list.")
    }

    static func mailOverLimit(_ size: Int, limit: Int) -> MailFailure {
        MailFailure(
            .mailOverLimit, kind: .permanent, "The mail is larger than a mail may be",
            detail: "\(size) bytes, at most \(limit)",
            remedy: "Send fewer or smaller attachments, or raise [limits] message_megabytes.")
    }

    static func noTimeToSend(_ summary: String) -> MailFailure {
        MailFailure(
            .noTimeToSend, kind: .permanent, summary,
            remedy: "Choose a time within a year from now, or none: then the mail goes out at once.")
    }

    static func noSpool() -> MailFailure {
        MailFailure(
            .systemResources, kind: .transient, "A large mail could not be put together on the disk",
            detail: UnnamedFile.usualDirectory,
            remedy: "Make room there, or set TMPDIR to a directory that has some.")
    }
}
