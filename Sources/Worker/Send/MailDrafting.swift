public import Archive
import MIMEParse
public import MailModel
import MailSend
import Matcher

/// Makes the draft of a mail out of what was asked for: the thread, the words of the message that is answered
/// or forwarded, the files.
struct MailDrafting: Sendable {
    let archive: Archive
    let parsing: any MessageParsing
    /// What the files of a mail may hold together.
    let messageBytes: Int

    /// A message of the archive, with its bytes.
    private struct Earlier {
        var message: ParsedMessage
        var original: MessageBytes
    }

    /// - Throws: `send.answers-automatic`, `send.too-large`, `send.unreadable-message`, `unknown.message`,
    ///   `send.answers-and-forwards` where a mail is to answer and to forward at once, `send.answers-nobody` where it is to
    ///   answer everybody and names no message, `send.contact-without-address`, and what files and addresses lead to.
    func draft(
        _ request: MailRequest, of account: Account, from: Mailbox
    ) async throws(MailFailure) -> MailDraft {
        guard request.replyToMessage == nil || request.forward == nil else {
            throw MailFailure(
                .answersAndForwards, kind: .permanent, "A mail cannot answer a message and forward one",
                remedy: "Send two mails.")
        }
        guard !request.replyAll || request.replyToMessage != nil else {
            throw MailFailure(
                .answersNobody, kind: .permanent, "A mail that answers everybody must name a message",
                remedy: "Name it with --reply-to-message ID.")
        }
        let issued = IssuedMessageID(key: try archive.issuingKey())
        // A mail that goes later is of that time: readers sort by it, and filters distrust an old one.
        var draft = MailDraft(
            from: from, date: max(archive.time, request.at ?? archive.time),
            messageID: issued.make(domain: from.address.domain))
        draft.to = try request.to.map { text throws(MailFailure) in try Mailbox(written: text) }
        draft.cc = try request.cc.map { text throws(MailFailure) in try Mailbox(written: text) }
        draft.bcc = try request.bcc.map { text throws(MailFailure) in try Mailbox(written: text) }
        draft.subject = request.subject ?? ""
        draft.text = request.text
        draft.html = request.html
        let named = try request.contact.map { text throws(MailFailure) in try archive.findContact(text) }
        if draft.to.isEmpty, let named { draft.to = [try Self.recipient(named)] }
        if let name = request.template { try fill(name, request, for: named, of: account, in: &draft) }
        if draft.text == nil, draft.html == nil { draft.text = "" }
        let pictures = try InlineImages(
            try request.inlineImages.map(enclosure), of: draft.messageID)
        draft.inlineImages = pictures.images
        draft.html = draft.html.map(pictures.naming)
        if request.signature, request.kind == .single, let signature = try archive.signature(of: account.id) {
            draft.text = draft.text.map { signature.below($0) }
            draft.html = draft.html.map { signature.below(html: $0) }
        }
        if let answered = try await earlier(request.replyToMessage) {
            try answer(answered.message, request, of: account, in: &draft)
        }
        if let forwarded = try await earlier(request.forward) {
            try await forward(forwarded, request, in: &draft)
        }
        draft.attachments += try request.attachments.map(enclosure)
        if request.kind != .single {
            draft.fields = [.autoSubmitted(.generated), .noAutoResponse]
            if request.kind == .mass { draft.fields.append(.bulk) }
        }
        return draft
    }

    private static func recipient(_ contact: Contact) throws(MailFailure) -> Mailbox {
        guard let address = contact.emails.first else { throw .contactWithoutAddress(contact) }
        return Mailbox(displayName: contact.name, address: address)
    }

    private func fill(
        _ name: String, _ request: MailRequest, for named: Contact?, of account: Account,
        in draft: inout MailDraft
    ) throws(MailFailure) {
        guard request.text == nil, request.html == nil, request.subject == nil else {
            throw MailFailure(
                .templateAndText, kind: .permanent,
                "A mail from a template has the template's subject and text",
                remedy: "Leave subject, text and HTML out, or the template.")
        }
        let recipient = draft.to.first?.address
        let filling = TemplateFilling(archive: archive)
        let date = draft.date
        let filled = { (contact: Contact?) throws(MailFailure) in
            try filling.fill(name, contact: contact, recipient: recipient, account: account, at: date)
        }
        let mail: MailTemplate.Filled
        if let named {
            mail = try filled(named)
        } else {
            let candidates =
                try recipient.map { address throws(MailFailure) in
                    try archive.contacts(withAddress: address)
                } ?? []
            mail = try filled(candidates.first)
            // Who is meant does not matter where it makes the same mail.
            for other in candidates.dropFirst() where try filled(other) != mail {
                throw .ambiguousRecipient(candidates)
            }
        }
        draft.subject = mail.subject
        draft.text = mail.text
        draft.html = mail.html
    }

    // MARK: - Earlier mail

    /// - Throws: `send.unreadable-message` for a message that cannot be read.
    private func earlier(_ number: String?) async throws(MailFailure) -> Earlier? {
        guard let number else { return nil }
        guard let id = ArchivedMessageID(number) else {
            throw MailFailure(
                .unknownMessage, kind: .permanent, "There is no such message", detail: number,
                remedy: "Name the id that history and message show.")
        }
        let readable = try archive.readable(id)
        guard
            case .read(let parsed)? = try await parsing.parse([readable.original]).first?.showing(
                readable.edit)
        else {
            throw MailFailure(
                .unreadableMessage, kind: .permanent, "The message could not be read",
                detail: "message \(id)",
                remedy: "Write a mail of its own.")
        }
        return Earlier(message: parsed, original: readable.original)
    }

    private func answer(
        _ message: ParsedMessage, _ request: MailRequest, of account: Account, in draft: inout MailDraft
    ) throws(MailFailure) {
        guard request.kind == .single || !Self.isAutomatic(message.automation) else {
            throw MailFailure(
                .answersAutomatic, kind: .permanent, "Automatic mail does not answer automatic mail",
                detail: request.replyToMessage.map { "message \($0)" }, remedy: "Let a person answer it.")
        }
        if let parent = message.messageID {
            draft.thread = ThreadPosition(
                answering: parent, references: message.references, inReplyTo: message.inReplyTo)
        }
        if draft.to.isEmpty || request.replyAll {
            let own = try archive.sendingIdentities(of: account) + [draft.from.address]
            let recipients = ReplyRecipients(
                to: message, toAll: request.replyAll, own: Set(own.map { CanonicalAddress($0) }))
            (draft.to, draft.cc) = recipients.beside(to: draft.to, cc: draft.cc, bcc: draft.bcc)
        }
        let quoted = QuotedMessage(message: message)
        if request.subject == nil { draft.subject = quoted.replySubject }
        guard request.quote else { return }
        draft.text = draft.text.map { quoted.answered(below: $0) }
        draft.html = draft.html.map { quoted.answered(belowHTML: $0) }
    }

    private func forward(
        _ earlier: Earlier, _ request: MailRequest, in draft: inout MailDraft
    ) async throws(MailFailure) {
        let quoted = QuotedMessage(message: earlier.message)
        if let parent = earlier.message.messageID {
            // It stands in the thread, and answers nobody.
            draft.thread.references = earlier.message.references.filter { $0 != parent } + [parent]
        }
        if request.subject == nil { draft.subject = quoted.forwardSubject }
        draft.text = draft.text.map { quoted.forwarded(below: $0) }
        draft.html = draft.html.map { quoted.forwarded(belowHTML: $0) }
        let size = earlier.message.attachments.reduce(0) { $0 + $1.size }
        guard size <= messageBytes else { throw .mailOverLimit(size, limit: messageBytes) }
        for (index, attachment) in earlier.message.attachments.enumerated() {
            guard let content = try await parsing.attachmentContent(index, of: earlier.original) else {
                throw MailFailure(
                    .unreadableMessage, kind: .permanent, "A file of the message could not be read",
                    detail: "file \(index + 1)",
                    remedy: "Save the message with: mailworker message original \(request.forward ?? "ID")."
                        + " Then attach that file to a mail of its own.")
            }
            draft.attachments.append(Self.enclosure(attachment, content))
        }
    }

    private static func enclosure(_ attachment: Attachment, _ content: [UInt8]) -> Enclosure {
        guard attachment.contentType != "message/rfc822" else {
            return Enclosure(message: .bytes(content), filename: attachment.filename)
        }
        return Enclosure(
            .bytes(content), filename: attachment.filename, type: try? MediaType(attachment.contentType))
    }

    private static func isAutomatic(_ automation: Automation) -> Bool {
        automation.isAutoSubmitted || automation.isDeliveryReport || automation.isBulk
            || automation.listID != nil || automation.signs.contains(.nullReturnPath)
    }

    // MARK: - Files

    private func enclosure(_ path: String) throws(MailFailure) -> Enclosure {
        let file = try OpenedFile(path: path)
        guard file.count <= messageBytes else { throw .mailOverLimit(file.count, limit: messageBytes) }
        return Enclosure(.file(file), filename: path.split(separator: "/").last.map(String.init))
    }
}

extension MailFailure.Code {
    static let templateAndText = Self("send.template-and-text")
    static let answersNobody = Self("send.answers-nobody")
    static let answersAndForwards = Self("send.answers-and-forwards")
    static let unreadableMessage = Self("send.unreadable-message")
    public static let contactWithoutAddress = Self("send.contact-without-address")
}

extension MailFailure {
    static func ambiguousRecipient(_ candidates: [Contact]) -> MailFailure {
        MailFailure(
            .ambiguousContact, kind: .permanent,
            "Several contacts have the recipient's address, and the template makes a mail of its own for each",
            detail: candidates.prefix(10).map { "\($0.id) \($0.name)" }.joined(separator: ", "),
            remedy: "Name the one who is meant: --contact NUMBER in place of --to, or \"contact\" in JSON.")
    }

    public static func contactWithoutAddress(_ contact: Contact) -> MailFailure {
        MailFailure(
            .contactWithoutAddress, kind: .permanent, "The contact has no address", detail: contact.name,
            remedy: "Give it one: mailworker contact edit.")
    }
}
