import Archive
import MIMEParse
import MailModel
import Matcher
import Worker

/// A message as text, read anew from its original, with the words of an edit.
struct MessagePage {
    let workplace: Workplace

    func show(_ id: ArchivedMessageID) async throws {
        let message = try workplace.archive.message(id)
        guard message.disclosure == .everything else { return Terminal.print(Self.withheld(message)) }
        let parsed: ParsedMessage
        switch try await workplace.reading(of: id) {
        case .read(let message): parsed = message
        case .unreadable(let loss):
            return Terminal.print(
                "Date: \(message.date?.shortText ?? "-")\n\n"
                    + "The message could not be read: the process that read it \(loss.words).\n"
                    + "Its bytes are kept as they came: mailworker message original \(id)")
        }
        var lines: [String] = []
        for (name, mailboxes) in [
            ("From", parsed.from), ("To", parsed.to), ("Cc", parsed.cc), ("Bcc", parsed.bcc),
        ] where !mailboxes.isEmpty {
            lines.append("\(name): \(mailboxes.map(\.text).joined(separator: ", "))")
        }
        if let check = message.senderCheck { lines.append("Sender: \(check.words)") }
        if message.category != .personal { lines.append("Kind: \(message.category.words)") }
        lines.append("Date: \(message.date?.shortText ?? "-")")
        lines.append("Subject: \(parsed.subject ?? "(no subject)")")
        for (index, attachment) in parsed.attachments.enumerated() {
            lines.append(
                "Attachment \(index + 1): \(attachment.filename ?? "(no name)"), \(attachment.contentType), "
                    + "\(attachment.size) bytes")
        }
        if let edited = message.edited { lines.append(edited.words(id)) }
        lines += message.returned.map(\.words)
        lines += message.reportsOn.map(\.origin)
        lines += parsed.special?.lines ?? []
        if !parsed.defects.isEmpty {
            lines.append("Odd: \(parsed.defects.map(\.rawValue).joined(separator: ", "))")
        }
        lines.append("")
        lines.append(parsed.text ?? "(no readable text)")
        if let further = parsed.furtherText { lines += ["", further] }
        Terminal.print(Terminal.sanitized(lines.joined(separator: "\n")))
    }

    /// What colleagues see of a message whose text its user keeps to themselves.
    private static func withheld(_ message: ArchivedMessage) -> String {
        var lines: [String] = []
        for (name, role) in [("From", ParticipantRole.from), ("To", .to), ("Cc", .cc), ("Bcc", .bcc)] {
            let parties = message.participants.filter { $0.role == role }.map { party in
                party.name.map { "\($0) <\(party.address)>" } ?? party.address
            }
            if !parties.isEmpty { lines.append("\(name): \(parties.joined(separator: ", "))") }
        }
        if let check = message.senderCheck { lines.append("Sender: \(check.words)") }
        lines.append("Date: \(message.date?.shortText ?? "-")")
        if message.disclosure == .people { lines.append("Subject: \(message.subject ?? "(no subject)")") }
        lines += [
            "",
            message.disclosure == .people
                ? "Its user keeps the text of this mail from colleagues."
                : "Its user shows colleagues no more than that there was this mail.",
        ]
        return Terminal.sanitized(lines.joined(separator: "\n"))
    }
}

extension Workplace {
    /// The message as people are shown it.
    func reading(of id: ArchivedMessageID) async throws(MailFailure) -> ParseOutcome {
        try await ShownMessages(archive: archive, parsing: configuration.parsing(atMost: 1)).read(id)
    }
}

extension EditNote {
    func words(_ id: ArchivedMessageID) -> String {
        "Edited: \(parts.joined(separator: " and ")) by \(person), \(at.shortText)"
            + (mayReadOriginal ? "; what came: mailworker message original \(id)" : "")
    }
}

extension MessageCategory {
    var words: String {
        switch self {
        case .personal: "personal"
        case .list: "mail of a list or a newsletter"
        case .automatic: "automatic: a program sent it"
        case .report: "a report of a mail system"
        }
    }

    /// A subject with what the mail is, where no person wrote it.
    func marked(_ subject: String?) -> String {
        (self == .personal ? "" : "[\(rawValue)] ") + (subject ?? "(no subject)")
    }
}

extension Mailbox {
    var text: String { displayName.map { "\($0) <\(address.addrSpec)>" } ?? address.addrSpec }
}
