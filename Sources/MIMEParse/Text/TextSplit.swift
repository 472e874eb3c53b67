/// What in a text its author did not write now: quotations of earlier mail, and the
/// signature. Offsets count UTF-8 octets of the text, which itself stays whole.
public struct TextSplit: Codable, Hashable, Sendable {
    /// Quoted mail with the lines that introduce it, in order, none overlapping.
    public var quoted: [Range<Int>]
    /// From the line that begins the signature to its end.
    public var signature: Range<Int>?

    public init(quoted: [Range<Int>], signature: Range<Int>?) {
        self.quoted = quoted
        self.signature = signature
    }

    /// The author's own words in `text`, from which this split was made.
    public func ownText(in text: String) -> String {
        var left = ""
        var cursor = 0
        for range in (quoted + (signature.map { [$0] } ?? [])).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            left += Self.piece(of: text, cursor..<max(cursor, range.lowerBound))
            cursor = max(cursor, range.upperBound)
        }
        return Self.trimmed(left + Self.piece(of: text, cursor..<max(cursor, text.utf8.count)))
    }

    /// The quotations in `text`, one after the other; nil without any.
    public func quotedText(in text: String) -> String? {
        guard !quoted.isEmpty else { return nil }
        return quoted.map { Self.trimmed(Self.piece(of: text, $0)) }.joined(separator: "\n")
    }

    public func signatureText(in text: String) -> String? {
        signature.map { Self.trimmed(Self.piece(of: text, $0)) }
    }

    private static func piece(of text: String, _ range: Range<Int>) -> String {
        let utf8 = text.utf8
        let count = utf8.count
        guard range.lowerBound >= 0, range.upperBound <= count else { return "" }
        let start = utf8.index(utf8.startIndex, offsetBy: range.lowerBound)
        let end = utf8.index(start, offsetBy: range.count)
        return String(decoding: utf8[start..<end], as: UTF8.self)
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        guard let first = text.firstIndex(where: { !isSpace($0) }),
            let last = text.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(text[first...last])
    }
}
