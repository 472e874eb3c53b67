import Crypto
import MIMEParse
public import MailModel

/// Makes a message out of a draft (RFC 5322, 2045 to 2047, 2183, 2231, 2387, 6532).
///
/// The same draft gives the same octets. What `MIMEParser` reads from them is the draft again,
/// with white space, line ends and domains in their one form.
public enum Composer {
    /// - Throws: a `compose.…` failure that names what cannot be written. Nothing is left out
    ///   silently, but for identifiers of the thread that no field may hold.
    public static func compose(
        _ draft: MailDraft, limits: ComposerLimits = .standard
    ) throws(MailFailure) -> ComposedMail {
        let people = try Recipients(draft, limits: limits)
        var header = try header(of: draft, people, limits: limits)
        let isUTF8 = !header.bytes.allSatisfy { $0 < 0x80 }

        let body = try body(of: draft, limits: limits)
        header.field("MIME-Version", ["1.0"])
        body.writeFields(into: &header)
        var writer = PieceWriter()
        writer.append(header.bytes)
        writer.append(UInt8.lineEnd)
        body.writeContent(into: &writer)
        writer.finish()

        var bcc = HeaderWriter()
        if !people.bcc.isEmpty { bcc.mailboxes("Bcc", people.bcc) }
        return ComposedMail(
            messageID: draft.messageID, envelope: people.envelope, bccField: bcc.bytes,
            needsSMTPUTF8: isUTF8 || people.envelope.needsSMTPUTF8, size: writer.size, pieces: writer.pieces)
    }

    // MARK: Header

    private static func header(
        of draft: MailDraft, _ people: Recipients, limits: ComposerLimits
    ) throws(MailFailure) -> HeaderWriter {
        var header = HeaderWriter()
        guard let date = MailDateText.text(draft.date, zoneMinutes: draft.zoneMinutes) else { throw .badDate }
        header.field("Date", [date])
        header.mailboxes("From", [people.from])
        if !people.replyTo.isEmpty { header.mailboxes("Reply-To", people.replyTo) }
        if !people.to.isEmpty { header.mailboxes("To", people.to) }
        if !people.cc.isEmpty { header.mailboxes("Cc", people.cc) }
        // Filters look down upon mail that names no destination at all.
        if people.to.isEmpty, people.cc.isEmpty { header.field("To", ["undisclosed-recipients:;"]) }
        guard Grammar.isIdentifier(draft.messageID.rawValue), draft.messageID.rawValue.contains("@") else {
            throw .badMessageID
        }
        header.field("Message-ID", ["<\(draft.messageID.rawValue)>"])
        let replies = identifiers(draft.thread.inReplyTo, limit: limits.references)
        if !replies.isEmpty { header.field("In-Reply-To", replies) }
        let references = identifiers(draft.thread.references, limit: limits.references)
        if !references.isEmpty { header.field("References", references) }
        guard let subject = Grammar.line(draft.subject) else { throw .controlCharacter(in: "subject") }
        guard subject.utf8.count <= limits.lineBytes else {
            throw .overlong("subject", limit: limits.lineBytes)
        }
        if !subject.isEmpty { header.unstructured("Subject", subject) }
        var written: Set<String> = []
        for field in draft.fields {
            guard written.insert(field.name.lowercased()).inserted else { throw .badField(field.name) }
            try field.write(into: &header, limits: limits)
        }
        return header
    }

    /// Those that may be written, each once; of too many the first and the last ones.
    private static func identifiers(_ identifiers: [MessageID], limit: Int) -> [String] {
        var seen: Set<String> = []
        let usable = identifiers.map(\.rawValue).filter {
            Grammar.isIdentifier($0) && seen.insert($0).inserted
        }
        let kept = usable.count <= limit ? usable : usable.prefix(1) + usable.suffix(limit - 1)
        return kept.map { "<\($0)>" }
    }

    // MARK: Body

    /// mixed around related around alternative, each only where it has something to hold.
    private static func body(of draft: MailDraft, limits: ComposerLimits) throws(MailFailure) -> MailPart {
        guard draft.attachments.count + draft.inlineImages.count <= limits.enclosures else {
            throw .overlong("attachments", limit: limits.enclosures)
        }
        let boundaries = Boundaries(draft.messageID)
        var body = try texts(of: draft, boundaries, limits: limits)
        var files = draft.attachments
        if draft.html == nil {
            files = draft.inlineImages + files
        } else if !draft.inlineImages.isEmpty {
            var parts = [body]
            var seen: Set<String> = []
            for image in draft.inlineImages {
                guard let id = image.contentID, seen.insert(id).inserted else {
                    throw .badContentID(image.contentID ?? "")
                }
                parts.append(
                    try MailPart(image, disposition: "inline", boundaries.prefix, limits: limits))
            }
            body = .multipart(
                "related", boundary: boundaries[1], type: body.mediaType, parts: parts)
        }
        guard !files.isEmpty else { return body }
        var parts = [body]
        for file in files {
            parts.append(try MailPart(file, disposition: "attachment", boundaries.prefix, limits: limits))
        }
        return .multipart("mixed", boundary: boundaries[0], type: nil, parts: parts)
    }

    private static func texts(
        of draft: MailDraft, _ boundaries: Boundaries, limits: ComposerLimits
    ) throws(MailFailure) -> MailPart {
        guard max(draft.text?.utf8.count ?? 0, draft.html?.utf8.count ?? 0) <= limits.textBytes else {
            throw .overlong("text", limit: limits.textBytes)
        }
        guard let html = draft.html else { return .text("text/plain", TextBody(draft.text ?? "")) }
        let text = draft.text ?? readableText(of: html, limits: limits)
        return .multipart(
            "alternative", boundary: boundaries[2], type: nil,
            parts: [.text("text/plain", TextBody(text)), .text("text/html", TextBody(html))])
    }

    private static func readableText(of html: String, limits: ComposerLimits) -> String {
        var text: [UInt8] = []
        _ = HTMLText.convert(Array(html.utf8), limit: limits.textBytes, into: &text)
        return String(decoding: text, as: UTF8.self)
    }
}

/// The delimiters of one message's multiparts. `=_` occurs in no quoted-printable or base64
/// text, plain texts with such lines are encoded, and so are enclosed messages: no content can
/// end a part.
private struct Boundaries {
    let prefix: String

    init(_ messageID: MessageID) {
        let digest = SHA256.hash(data: Array(messageID.rawValue.utf8))
        let hex = digest.prefix(12).map { byte in
            String(
                decoding: [HexDigits.upper[Int(byte >> 4)], HexDigits.upper[Int(byte & 15)]], as: UTF8.self)
        }
        prefix = "=_" + hex.joined()
    }

    /// The outermost multipart has level 0. All are equally long: none is the beginning of another.
    subscript(level: Int) -> String { "\(prefix)_\(level)" }
}

/// Everybody that a draft names, checked.
private struct Recipients {
    let from: CheckedMailbox
    let replyTo: [CheckedMailbox]
    let to: [CheckedMailbox]
    let cc: [CheckedMailbox]
    let bcc: [CheckedMailbox]
    let envelope: Envelope

    init(_ draft: MailDraft, limits: ComposerLimits) throws(MailFailure) {
        guard draft.to.count + draft.cc.count + draft.bcc.count <= limits.recipients,
            draft.replyTo.count <= limits.recipients
        else { throw .overlong("recipients", limit: limits.recipients) }
        from = try CheckedMailbox(draft.from, limits: limits)
        replyTo = try Self.checked(draft.replyTo, limits)
        to = try Self.checked(draft.to, limits)
        cc = try Self.checked(draft.cc, limits)
        bcc = try Self.checked(draft.bcc, limits)
        var seen: Set<String> = []
        let recipients = (to + cc + bcc).map(\.path).filter { seen.insert($0.folded).inserted }
        guard !recipients.isEmpty else { throw .noRecipient }
        let sender: SMTPPath? =
            switch draft.returnPath {
            case .author: from.path
            case .address(let address): try SMTPPath(address)
            case .null: nil
            }
        envelope = Envelope(sender: sender, recipients: recipients)
    }

    private static func checked(
        _ mailboxes: [Mailbox], _ limits: ComposerLimits
    ) throws(MailFailure) -> [CheckedMailbox] {
        var result: [CheckedMailbox] = []
        result.reserveCapacity(mailboxes.count)
        for mailbox in mailboxes { result.append(try CheckedMailbox(mailbox, limits: limits)) }
        return result
    }
}
