import MIMEParse
import Matcher

/// What a message says below its text about who wrote it: telephone numbers, then the short lines of the signature.
///
/// Quotations are left out, since what stands in them is somebody else's.
enum SignatureLines {
    /// Longer lines are disclaimers and slogans.
    static let longestLine = 80
    static let mostLines = 8
    /// Octets at the end of a text without a signature in which numbers are looked for.
    static let tail = 600

    /// One in a line; nil when there is nothing.
    static func text(of parsed: ParsedMessage) -> String? {
        guard let text = parsed.text else { return nil }
        guard let signature = parsed.split?.signatureText(in: text), !signature.isEmpty else {
            let own = parsed.split?.ownText(in: text) ?? text
            return joined(numbers(in: String(decoding: own.utf8.suffix(tail), as: UTF8.self)))
        }
        let head = String(decoding: signature.utf8.prefix(2 * tail), as: UTF8.self)
        let lines = head.split(whereSeparator: \.isNewline).map { $0.split(whereSeparator: \.isWhitespace) }
            .map { $0.joined(separator: " ") }
            .filter { $0.count <= longestLine && $0.contains(where: \.isLetter) }
        return joined(numbers(in: head) + lines.prefix(mostLines))
    }

    private static func numbers(in text: String) -> [String] {
        // Most mail has none, and this runs for every message.
        guard text.utf8.count(where: { (0x30...0x39).contains($0) }) >= 10 else { return [] }
        return PhoneNumber.all(in: text).map(\.digits)
    }

    private static func joined(_ lines: [String]) -> String? {
        lines.isEmpty ? nil : lines.joined(separator: "\n")
    }
}
