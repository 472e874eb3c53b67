import Archive
import MailModel

/// One mail of the outbox for people.
enum OutboxPage {
    static func recipientLines(_ item: OutboxItem) -> [String] {
        var lines: [String] = []
        for recipient in item.recipients {
            let reply = recipient.reply.map { " (\($0))" } ?? ""
            lines.append("  \(recipient.address): \(recipient.state.rawValue)\(reply)")
            for report in recipient.reports {
                let words = [report.action ?? "report", report.failure, report.status, report.diagnostic]
                lines.append(
                    "    came back: \(words.compactMap { $0 }.joined(separator: ", ")) (message \(report.message)"
                        + (report.isVouched
                            ? ")" : "; whoever had the mail may have written it: not counted)"))
            }
        }
        return lines
    }

    static func text(_ item: OutboxItem, pause: SendPause?) -> String {
        var lines = [
            "outbox \(item.id): \(item.state.rawValue)", "account: \(item.accountName)",
            "subject: \(item.subject ?? "(no subject)")", "message-id: <\(item.messageID.rawValue)>",
            "queued: \(item.createdAt.shortText) by \(item.requestedBy)", "attempts: \(item.attempts)",
        ]
        if let next = item.nextTry { lines.append("next try: \(next.shortText)") }
        if let reason = item.reason { lines.append("reason: \(reason)") }
        if let remedy = item.remedy {
            lines.append("remedy: \(remedy.replacing(" ID", with: " \(item.id)"))")
        }
        if let pause, [.queued, .retry].contains(item.state) {
            lines.append("the account \(pause.waitText)")
        }
        if let message = item.message { lines.append("in the archive: message \(message)") }
        if let error = item.filingError {
            lines.append("in no history yet, and tried again by itself: \(error)")
        }
        if item.copy != "none" {
            lines.append("copy in Sent: \(item.copy)" + (item.copyError.map { " (\($0))" } ?? ""))
        }
        lines.append("recipients:")
        lines += recipientLines(item)
        if !item.replies.isEmpty {
            lines.append("answers:")
            lines += item.replies.map { reply in
                "  \(reply.at.shortText) attempt \(reply.attempt), \(reply.stage)"
                    + (reply.recipient.map { ", \($0)" } ?? "") + ": \(reply.text)"
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension ReturnedMail {
    private var outcome: String {
        [action ?? "report", failure, status, diagnostic].compactMap { $0 }.joined(separator: ", ")
    }

    /// At the mail that was sent.
    var words: String { "Came back for \(address): \(outcome) (message \(report))" }

    /// At the report itself.
    var origin: String {
        let mail = [message.map { "message \($0)" }, item.map { "outbox \($0)" }].compactMap { $0 }
        return "Reports on \(mail.joined(separator: ", ")), to \(address): \(outcome)"
    }
}
