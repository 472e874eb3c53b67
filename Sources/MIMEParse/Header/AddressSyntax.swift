/// What tells syntax from text in a list of addresses, looking ahead.
extension UnsafeRawBufferPointer {
    /// End of the encoded word at `start`: within it, commas and the like are text.
    func endOfEncodedWord(from start: Int) -> Int? {
        let end = Swift.min(count, start + 1024)
        guard start + 1 < end, self[start + 1] == Octet.question else { return nil }
        var questions = 1
        var cursor = start + 2
        while cursor < end {
            let byte = self[cursor]
            if byte == Octet.less || byte == Octet.greater {
                // Of a word that is cut the end may be another one's.
                guard questions == 3, isWholeName(from: cursor, to: end) else { return nil }
            }
            if byte == Octet.question {
                questions += 1
                if questions > 3, cursor + 1 < end, self[cursor + 1] == Octet.equals { return cursor + 2 }
            }
            cursor += 1
        }
        return nil
    }

    /// Whether an encoded word goes on to its end, and nothing stands on the way that no word has or that begins
    /// another. The address must follow: one may stand in the word alone.
    private func isWholeName(from start: Int, to end: Int) -> Bool {
        var cursor = start
        while cursor < end {
            let byte = self[cursor]
            if Octet.isSpace(byte) || byte == Octet.comma { return false }
            if byte == Octet.question {
                return cursor + 1 < end && self[cursor + 1] == Octet.equals
                    && self[cursor - 1] != Octet.equals && hasAngle(behind: cursor + 1)
            }
            cursor += 1
        }
        return false
    }

    /// Whether an opening bracket stands behind what ends a name.
    func hasAngle(behind end: Int) -> Bool {
        var cursor = end + 1
        while cursor < count, Octet.isSpace(self[cursor]) { cursor += 1 }
        return cursor < count && self[cursor] == Octet.less
    }
}

enum AddressSyntax {
    /// Whether `<…@…>` stands there.
    static func holdsAddress(_ content: [UInt8]) -> Bool {
        guard let open = content.firstIndex(of: Octet.less),
            let close = content[open...].firstIndex(of: Octet.greater)
        else { return false }
        return content[open..<close].contains(Octet.at)
    }
}
