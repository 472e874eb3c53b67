import Archive
import Foundation
import MIMEParse
import MailModel
import MailSend

/// The words of another message within a reply or a forwarded mail. Pure.
///
/// Its text is taken, never its HTML: what a stranger wrote must not load or run anything in a mail of ours.
struct QuotedMessage {
    /// Characters that are quoted at most; the reader has the message itself.
    static let limit = 200_000

    let message: ParsedMessage
    var zone = TimeZone.current

    // MARK: - Reply

    /// Under a reply's own text: who wrote it and when, and every line behind `>`.
    func answered(below own: String) -> String {
        var lines = own.isEmpty ? [] : [own.trimmedEnd, ""]
        lines.append(attribution)
        lines += words.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.isEmpty ? ">" : line.hasPrefix(">") ? ">" + line : "> " + line
        }
        return lines.joined(separator: "\n") + "\n"
    }

    func answered(belowHTML own: String) -> String {
        Self.insert(
            """
            <div><br>\(Self.escaped(attribution))<blockquote type="cite" style="margin:0 0 0 0.8ex;\
            border-left:1px solid #ccc;padding-left:1ex">\(Self.escaped(words))</blockquote></div>
            """, atEndOf: own)
    }

    // MARK: - Forwarding

    func forwarded(below own: String) -> String {
        let start = own.isEmpty ? "" : own.trimmedEnd + "\n\n"
        return start + heading.joined(separator: "\n") + "\n\n" + words + "\n"
    }

    func forwarded(belowHTML own: String) -> String {
        Self.insert(
            "<div><br>\(Self.escaped(heading.joined(separator: "\n")))<br><br>\(Self.escaped(words))</div>",
            atEndOf: own)
    }

    var replySubject: String { Self.subject(message.subject, marked: "Re", known: ["re"]) }
    var forwardSubject: String { Self.subject(message.subject, marked: "Fwd", known: ["fwd", "fw"]) }

    // MARK: - Parts

    private static func subject(_ subject: String?, marked mark: String, known: [String]) -> String {
        let subject = subject?.asForeignLine ?? ""
        let start = subject.lowercased()
        return known.contains { start.hasPrefix($0 + ":") } ? subject : "\(mark): \(subject)"
    }

    /// Lines end in LF; nothing stands behind the last one.
    private var words: String {
        let text = [message.text, message.furtherText].compactMap { $0 }.joined(separator: "\n\n").trimmedEnd
        let start = text.prefix(Self.limit)
        return start.endIndex == text.endIndex ? text : start + "\n…"
    }

    private var isCyrillic: Bool {
        [message.subject, message.text.map { String($0.prefix(2000)) }].compactMap { $0 }
            .contains { $0.unicodeScalars.contains { (0x400...0x4FF).contains($0.value) } }
    }

    private var author: String? { message.from.first.map(Self.written) }

    /// A line that mail programs know as the beginning of a quotation.
    private var attribution: String {
        let when = message.date.map { date($0) + ", " } ?? ""
        return when + (author ?? "?") + (isCyrillic ? " пишет:" : " wrote:")
    }

    private var heading: [String] {
        let names =
            isCyrillic
            ? ("Пересылаемое сообщение", "От", "Дата", "Тема", "Кому", "Копия")
            : ("Forwarded message", "From", "Date", "Subject", "To", "Cc")
        var lines = ["-------- \(names.0) --------"]
        if let author { lines.append("\(names.1): \(author)") }
        if let when = message.date { lines.append("\(names.2): \(date(when))") }
        if let subject = message.subject { lines.append("\(names.3): \(subject)") }
        for (name, people) in [(names.4, message.to), (names.5, message.cc)] where !people.isEmpty {
            lines.append("\(name): \(people.prefix(50).map(Self.written).joined(separator: ", "))")
        }
        return lines
    }

    private static func written(_ mailbox: Mailbox) -> String {
        mailbox.displayName.map { "\($0) <\(mailbox.address.addrSpec)>" } ?? mailbox.address.addrSpec
    }

    private func date(_ time: UnixTime) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute],
            from: Date(timeIntervalSince1970: TimeInterval(time.rawValue)))
        func two(_ number: Int?) -> String {
            let text = String(number ?? 0)
            return text.count < 2 ? "0" + text : text
        }
        return
            "\(two(parts.day)).\(two(parts.month)).\(parts.year ?? 0) \(two(parts.hour)):\(two(parts.minute))"
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count + text.utf8.count / 16)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "<br>\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// In front of the document's end, where it has one.
    static func insert(_ part: String, atEndOf html: String) -> String {
        guard let end = html.range(of: "</body", options: [.caseInsensitive, .backwards]) else {
            return html + part
        }
        return html[..<end.lowerBound] + part + html[end.lowerBound...]
    }
}

extension Signature {
    /// Behind the line that mail programs know (RFC 3676, 4.3).
    func below(_ own: String) -> String {
        text.map { own.trimmedEnd + "\n\n-- \n" + $0.trimmedEnd + "\n" } ?? own
    }

    func below(html own: String) -> String {
        let part = html ?? text.map { QuotedMessage.escaped($0.trimmedEnd) }
        return part.map { QuotedMessage.insert("<div><br>-- <br>\($0)</div>", atEndOf: own) } ?? own
    }
}

extension String {
    fileprivate var trimmedEnd: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
