import MIMEParse
import MailModel

extension SpecialContent {
    /// What `message show` says of it, in words, one line each.
    var lines: [String] {
        var lines: [String] = []
        if let protection { lines.append(protection.line) }
        for event in calendar?.events ?? [] { lines += event.lines(method: calendar?.method) }
        if let deliveryReport { lines += deliveryReport.lines }
        if let readReceipt { lines.append(readReceipt.line) }
        if let abuseReport { lines.append(abuseReport.line) }
        for contact in contacts { lines.append(contact.line) }
        return lines
    }
}

extension Protection {
    fileprivate var line: String {
        let name =
            switch kind {
            case .smime: "S/MIME"
            case .pgp, .pgpInline: "PGP"
            }
        let words = [isSigned ? "signed" : nil, isEncrypted ? "encrypted" : nil].compactMap(\.self)
        let files = signatureAttachments.map { String($0 + 1) }.joined(separator: ", ")
        return "Protection: \(words.joined(separator: " and ")) with \(name), not verified"
            + (files.isEmpty ? "" : " (attachment \(files) is the signature)")
    }
}

extension CalendarEvent {
    fileprivate func lines(method: String?) -> [String] {
        var lines = ["Event: \(summary ?? "(no summary)")" + (method.map { " (\($0.lowercased()))" } ?? "")]
        if let start {
            lines.append(
                "  When: \(start.text)"
                    + (end.map { " to \($0.text)" } ?? duration.map { ", for \($0)" } ?? ""))
        }
        if let recurrence { lines.append("  Repeats: \(recurrence)") }
        if let location { lines.append("  Where: \(location)") }
        if let organiser { lines.append("  Organiser: \(organiser.text)") }
        for attendee in attendees {
            lines.append(
                "  Attendee: \(attendee.text)" + (attendee.answer.map { ", \($0.lowercased())" } ?? ""))
        }
        return lines
    }
}

extension CalendarTime {
    fileprivate var text: String {
        if isAllDay { return local }
        return local.replacing("T", with: " ") + (zone.map { " \($0)" } ?? "")
    }
}

extension CalendarParty {
    fileprivate var text: String {
        guard let name, name != address else { return address ?? "-" }
        return address.map { "\(name) <\($0)>" } ?? name
    }
}

extension DeliveryReport {
    fileprivate var lines: [String] {
        var lines = recipients.map { recipient in
            "Delivery: \(recipient.action?.rawValue ?? "unknown") for "
                + (recipient.finalRecipient ?? recipient.originalRecipient ?? "-")
                + (recipient.status.map { ", \($0.text)" } ?? "")
                + (recipient.diagnostic.map { ": \($0)" } ?? "")
                + (recipient.willRetryUntil.map { ", tried until \($0.shortText)" } ?? "")
        }
        if let id = original?.messageID {
            lines.append("  About: <\(id.rawValue)> \(original?.subject ?? "")")
        }
        return lines
    }
}

extension ReadReceipt {
    fileprivate var line: String {
        "Receipt: \(disposition)" + (finalRecipient.map { " by \($0)" } ?? "")
            + (originalMessageID.map { ", about <\($0.rawValue)>" } ?? "")
    }
}

extension AbuseReport {
    fileprivate var line: String {
        "Complaint: \(feedbackType)"
            + (originalRecipients.isEmpty ? "" : " by \(originalRecipients.joined(separator: ", "))")
            + (original?.messageID.map { ", about <\($0.rawValue)>" } ?? "")
    }
}

extension VCard {
    fileprivate var line: String {
        let words = [name, title, organisation].compactMap(\.self) + emails + phones.map(\.number)
        return "Contact: \(words.joined(separator: ", "))"
    }
}
