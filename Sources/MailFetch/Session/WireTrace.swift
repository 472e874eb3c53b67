/// Receives what goes over the wire after sign-in, line by line: commands as sent, responses with
/// each message's content left out, be it a literal (its announcement `{123}` stays) or a quoted string.
///
/// Sign-in is not part of it, so no secret can be. E-mail addresses are masked unless asked for; folder
/// names, and what servers say, may be personal all the same: keep traces like mail.
public struct WireTrace: Sendable {
    public enum Direction: String, Sendable {
        case sent = "C"
        case received = "S"
    }

    private let showsAddresses: Bool
    private let sink: @Sendable (Direction, [UInt8]) -> Void

    /// - Parameter sink: called in order, on the session's task, with a line without its CRLF.
    public init(
        showingAddresses: Bool = false, _ sink: @escaping @Sendable (Direction, [UInt8]) -> Void
    ) {
        showsAddresses = showingAddresses
        self.sink = sink
    }

    func note(_ direction: Direction, _ line: [UInt8]) {
        // Long lists of numbers tell nothing more at full length.
        let line = direction == .received ? Self.withoutContent(line) : line
        let shown = line.count > 8_192 ? Array(line.prefix(8_192)) + Array("...".utf8) : line
        sink(direction, showsAddresses ? shown : AddressMask.masked(shown))
    }

    /// A server may send a message, or a part of one, as a quoted string.
    static func withoutContent(_ line: [UInt8]) -> [UInt8] {
        let found = ["BODY[", "RFC822 ", "RFC822.TEXT ", "RFC822.HEADER ", "ENVELOPE "].compactMap {
            line.firstRange(ofWord: $0)
        }
        // From the first quoted one on nothing is shown.
        for item in found.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard let quote = line[item.upperBound...].firstIndex(of: UInt8(ascii: "\"")) else { break }
            // What stands between is the section, an offset, and a blank.
            if line[item.upperBound..<quote].contains(UInt8(ascii: "{")) { continue }
            return line[...quote] + Array("...".utf8)
        }
        return line
    }
}

extension [UInt8] {
    /// In whatever case.
    fileprivate func firstRange(ofWord word: String) -> Range<Int>? {
        let word = Array(word.utf8)
        guard count >= word.count else { return nil }
        for start in 0...(count - word.count)
        where self[start..<start + word.count].elementsEqual(word, by: { $0 & 0xDF == $1 & 0xDF }) {
            return start..<start + word.count
        }
        return nil
    }
}
