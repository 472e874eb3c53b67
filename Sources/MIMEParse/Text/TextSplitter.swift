/// Finds quotations and the signature in a text whose lines end in LF.
///
/// Careful by intent: what might be the author's own words is never called quoted. One pass
/// over the lines, plus a bounded look ahead at lines that may introduce a quotation.
struct TextSplitter {
    private struct Line {
        var range: Range<Int>
        /// Behind the line end.
        var next: Int
        var isBlank: Bool
        var isQuoted: Bool
    }

    private let bytes: UnsafeRawBufferPointer
    private var lines: [Line] = []

    /// A line that says something in words is shorter.
    private static let longestPhraseLine = 400
    /// Lines of a signature that a closing phrase begins, the phrase included.
    private static let longestSignature = 14
    /// Lines behind two hyphens that lack their blank, the hyphens included.
    private static let longestUnmarkedSignature = 20
    /// Octets of a quoted field's name, its colon and four asterisks included.
    private static let longestField = 32
    /// More lines than any letter has; beyond, nothing is split.
    private static let mostLines = 50_000

    /// Nil when the whole text is the author's own.
    static func split(_ text: String) -> TextSplit? {
        var text = text
        return text.withUTF8 { TextSplitter(UnsafeRawBufferPointer($0)).split() }
    }

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        var cursor = 0
        while cursor < bytes.count, lines.count < Self.mostLines {
            let line = bytes.line(from: cursor, to: bytes.count)
            let text = bytes.slice(cursor..<max(cursor, line.end)).trimmed()
            // mbox puts a mark before From_ at the start of a line; no quotation.
            // The bracket behind an address that was wrapped is none either.
            let isBracket = text.count == 2 && text.hasPrefixIgnoringCase(">:")
            let isQuoted =
                text.first == Octet.greater && !isBracket && !text.hasPrefixIgnoringCase(">from ")
            lines.append(
                Line(
                    range: cursor..<max(cursor, line.end), next: line.next, isBlank: text.isEmpty,
                    isQuoted: isQuoted))
            cursor = line.next
        }
    }

    private func split() -> TextSplit? {
        guard lines.count < Self.mostLines else { return nil }
        var quoted: [Range<Int>] = []
        /// Lines before this one are spoken for.
        var free = 0
        var index = 0
        while index < lines.count {
            if lines[index].isQuoted {
                let end = endOfQuotation(from: index)
                let start = introduction(before: index, notBefore: free) ?? index
                quoted.append(lines[start].range.lowerBound..<lines[end - 1].next)
                free = end
                index = end
            } else if initials(of: index) != nil, let start = introduction(before: index, notBefore: free),
                let end = endOfInitials(from: index)
            {
                quoted.append(lines[start].range.lowerBound..<lines[end - 1].next)
                free = end
                index = end
            } else if !lines[index].isBlank, beginsAnotherMessage(index) {
                quoted.append(lines[index].range.lowerBound..<bytes.count)
                break
            } else {
                index += 1
            }
        }
        let signature = signature(outside: quoted)
        return quoted.isEmpty && signature == nil ? nil : TextSplit(quoted: quoted, signature: signature)
    }

    /// Behind the last marked line of a run; blank lines within it belong to it.
    private func endOfQuotation(from start: Int) -> Int {
        var end = start + 1
        var cursor = end
        while cursor < lines.count, lines[cursor].isQuoted || lines[cursor].isBlank {
            cursor += 1
            if lines[cursor - 1].isQuoted { end = cursor }
        }
        return end
    }

    /// Behind the lines from `start` on that The Bat! marked with the initials of whom it quotes ("АП> …"), blank
    /// ones between them included; nil where there are not two of them.
    private func endOfInitials(from start: Int) -> Int? {
        guard let initials = initials(of: start) else { return nil }
        let mark = bytes.slice(initials)
        var found = 1
        var end = start + 1
        var cursor = end
        while cursor < lines.count {
            if self.initials(of: cursor).map({ bytes.slice($0).elementsEqual(mark) }) ?? false {
                found += 1
                end = cursor + 1
            } else if !lines[cursor].isBlank {
                break
            }
            cursor += 1
        }
        return found > 1 ? end : nil
    }

    /// Up to six letters at the start of a line, and a bracket behind them.
    private func initials(of index: Int) -> Range<Int>? {
        let line = lines[index].range
        guard !lines[index].isBlank, !lines[index].isQuoted,
            let bracket = bytes.offset(
                of: Octet.greater, from: line.lowerBound, to: min(line.upperBound, line.lowerBound + 13)),
            bracket > line.lowerBound,
            bytes.slice(line.lowerBound..<bracket).allSatisfy({ Octet.isLetter($0) || $0 >= 0x80 })
        else { return nil }
        return line.lowerBound..<bracket
    }

    /// The first of the one to three lines "On …, Ivan wrote:" above a marked line.
    private func introduction(before index: Int, notBefore limit: Int) -> Int? {
        var last = index - 1
        if last >= limit, lines[last].isBlank { last -= 1 }
        guard last >= limit, !lines[last].isBlank,
            endsWithWrote(last) || mentionsWrote(last) || isDatedSender(last...last)
                || (last > limit && !lines[last - 1].isBlank && isDatedSender((last - 1)...last))
        else { return nil }
        // The line may be folded; the date is in its first part.
        for first in stride(from: last, through: max(limit, last - 2), by: -1) {
            if lines[first].isBlank { break }
            if hasDigit(first) { return first }
        }
        return last
    }

    /// Whether everything from this line on is another message.
    private func beginsAnotherMessage(_ index: Int) -> Bool {
        let line = lines[index]
        guard line.range.count <= Self.longestPhraseLine else { return false }
        let trimmed = bytes.slice(line.range).trimmed()
        guard let first = trimmed.first else { return false }
        if first == Octet.hyphen || first == Octet.underscore || first == Octet.equals {
            if isSeparator(trimmed) { return true }
            // Outlook's rule above a quoted header.
            return trimmed.count >= 20 && trimmed.allSatisfy({ $0 == first }) && first != Octet.equals
                && nextWritten(after: index).map(isQuotedHeader) ?? false
        }
        if trimmed.last == Octet.colon {
            if LowercasedOctets.with(trimmed, QuotePhrases.introductions.contains) { return true }
            return isWholeIntroduction(index)
        }
        return trimmed.offset(of: Octet.colon, from: 0, to: min(trimmed.count, 64)) != nil
            && isQuotedHeader(index)
    }

    private func isSeparator(_ line: UnsafeRawBufferPointer) -> Bool {
        var start = 0
        var end = line.count
        while start < end, line[start] == Octet.hyphen || line[start] == Octet.space { start += 1 }
        while end > start, line[end - 1] == Octet.hyphen || line[end - 1] == Octet.space { end -= 1 }
        guard start >= 3, line.count - end >= 3 else { return false }
        return LowercasedOctets.with(line.slice(start..<end), QuotePhrases.separators.contains)
    }

    /// `From:` and at least two more fields in the lines behind it.
    private func isQuotedHeader(_ index: Int) -> Bool {
        guard field(index, among: QuotePhrases.firstFields) else { return false }
        var found = 0
        for next in (index + 1)..<max(index + 1, min(lines.count, index + 9)) {
            if field(next, among: QuotePhrases.furtherFields) { found += 1 }
        }
        return found >= 2 && (index > 0 || isOfMail(index))
    }

    /// Whether a block of fields at the very beginning is that of a mail, with a time or an address: a
    /// web form's report begins with name, day and subject of whoever filled it in.
    private func isOfMail(_ index: Int) -> Bool {
        lines[index..<min(lines.count, index + 9)].prefix { !$0.isBlank }.contains { line in
            let text = bytes.slice(line.range)
            return text.contains(Octet.at) || hasTime(text)
        }
    }

    private func field(_ index: Int, among names: PhraseList) -> Bool {
        let line = bytes.slice(lines[index].range)
        guard let colon = line.offset(of: Octet.colon, from: 0, to: min(line.count, 64)) else { return false }
        let name = line.slice(0..<(colon + 1)).trimmed()
        guard name.count <= Self.longestField, name.first == Octet.asterisk || names.mayBegin(name) else {
            return false
        }
        // The name may be in asterisks, which stand for bold type.
        guard name.offset(of: Octet.asterisk, from: 0, to: name.count) != nil else {
            return LowercasedOctets.with(name, names.contains)
        }
        let plain = name.filter { $0 != Octet.asterisk }
        return plain.withUnsafeBytes { LowercasedOctets.with($0, names.contains) }
    }

    /// A dated introduction with nothing marked behind it: top posting, the old mail below.
    private func isWholeIntroduction(_ index: Int) -> Bool {
        guard let next = nextWritten(after: index), !lines[next].isQuoted else { return false }
        for first in stride(from: index, through: max(0, index - 2), by: -1) where !lines[first].isBlank {
            if isDatedSender(first...index) { return first == index }
        }
        return false
    }

    /// A date, a time and an address, and either a verb of writing or nothing but a colon behind
    /// them: "01.06.2026, 10:00, "Ivan" <a@b.example>:".
    private func isDatedSender(_ range: ClosedRange<Int>) -> Bool {
        let whole = lines[range.lowerBound].range.lowerBound..<lines[range.upperBound].range.upperBound
        guard whole.count <= Self.longestPhraseLine else { return false }
        let text = bytes.slice(whole).trimmed()
        guard text.last == Octet.colon, text.contains(Octet.at), hasYear(text), hasTime(text) else {
            return false
        }
        return endsWithWrote(range.upperBound) || (text.count > 1 && isAddressEnd(text))
    }

    private func isAddressEnd(_ text: UnsafeRawBufferPointer) -> Bool {
        let end = text.slice(0..<(text.count - 1)).trimmed()
        return end.last == Octet.greater || end.last.map { Octet.isLetter($0) } ?? false
    }

    private func endsWithWrote(_ index: Int) -> Bool {
        let line = bytes.slice(lines[index].range).trimmed()
        guard line.last == Octet.colon, line.count <= Self.longestPhraseLine else { return false }
        let text = lowercased(line.slice(0..<(line.count - 1)).trimmed())
        return QuotePhrases.wrote.contains { phrase in
            text.hasSuffix(phrase)
                && (text.count == phrase.count
                    || text.dropLast(phrase.count).last.map { !$0.isLetter } ?? false)
        }
    }

    /// "Ivan wrote on 1 June:", which means nothing by itself, above marked lines does.
    private func mentionsWrote(_ index: Int) -> Bool {
        let line = bytes.slice(lines[index].range).trimmed()
        guard line.last == Octet.colon, line.count <= Self.longestPhraseLine, hasDigit(index) else {
            return false
        }
        let words = lowercased(line).split(separator: " ").map(String.init)
        return words.contains { QuotePhrases.wrote.contains($0) }
    }

    private func hasDigit(_ index: Int) -> Bool {
        bytes.slice(lines[index].range).contains(where: Octet.isDigit)
    }

    private func hasYear(_ text: UnsafeRawBufferPointer) -> Bool {
        var run = 0
        var value = 0
        for byte in text {
            if Octet.isDigit(byte) {
                run += 1
                value = run <= 4 ? value * 10 + Int(byte - 0x30) : 0
            } else {
                if run == 4, (1980...2100).contains(value) { return true }
                run = 0
                value = 0
            }
        }
        return false
    }

    private func hasTime(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count > 4 else { return false }
        for index in 1..<(text.count - 2) where text[index] == Octet.colon {
            if Octet.isDigit(text[index - 1]), Octet.isDigit(text[index + 1]), Octet.isDigit(text[index + 2])
            {
                return true
            }
        }
        return false
    }

    private func nextWritten(after index: Int) -> Int? {
        for next in (index + 1)..<max(index + 1, min(lines.count, index + 4)) where !lines[next].isBlank {
            return next
        }
        return nil
    }

    private func lowercased(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes, as: UTF8.self).lowercased()
    }

    // MARK: Signature

    private func signature(outside quoted: [Range<Int>]) -> Range<Int>? {
        // The author's last run of lines that is no quotation.
        var end = bytes.count
        var start = 0
        for range in quoted.reversed() {
            if range.upperBound >= end || isBlank(range.upperBound..<end) {
                end = range.lowerBound
            } else {
                start = range.upperBound
                break
            }
        }
        var first = 0
        while first < lines.count, lines[first].range.lowerBound < start { first += 1 }
        var behind = lines.count
        while behind > first, lines[behind - 1].next > end { behind -= 1 }
        for index in first..<behind {
            let line = bytes.slice(lines[index].range)
            guard line.count == 2 || line.count == 3 else { continue }
            // Without its blank it may be a divider, with the better half of the letter behind it.
            let isDashes =
                line.count == 2 ? behind - index <= Self.longestUnmarkedSignature : line[2] == Octet.space
            if isDashes, line.hasPrefixIgnoringCase("--") { return lines[index].range.lowerBound..<end }
        }
        let last = max(first, behind - Self.longestSignature)..<behind
        for index in last where !lines[index].isBlank {
            let line = bytes.slice(lines[index].range).trimmed()
            guard line.count <= 120 else { continue }
            let (isClosing, beginsSignature) = LowercasedOctets.with(line) { text in
                let isClosing = QuotePhrases.closings.contains(Self.withoutPunctuation(text))
                return (
                    isClosing,
                    isClosing || Self.closesWithName(text) || QuotePhrases.programs.hasBeginning(of: text)
                )
            }
            if beginsSignature {
                // Long lines behind it are text, not a name and a telephone number.
                guard last.allSatisfy({ $0 < index || lines[$0].range.count <= 200 }) else { continue }
                // A letter is not a signature alone.
                guard !isBlank(start..<lines[index].range.lowerBound) || !isClosing else { continue }
                return lines[index].range.lowerBound..<end
            }
        }
        return nil
    }

    /// "С уважением, Иван Петров" in one line.
    private static func closesWithName(_ text: LowercasedOctets) -> Bool {
        guard let comma = text.octets.offset(of: Octet.comma, from: 0, to: text.octets.count) else {
            return false
        }
        return QuotePhrases.closings.contains(text.prefix(comma)) && text.characterCount <= 60
    }

    private static func withoutPunctuation(_ text: LowercasedOctets) -> LowercasedOctets {
        var end = text.octets.count
        while end > 0 {
            switch text.octets[end - 1] {
            case Octet.comma, Octet.dot, Octet.semicolon, UInt8(ascii: "!"): end -= 1
            default: return text.prefix(end)
            }
        }
        return text.prefix(0)
    }

    private func isBlank(_ range: Range<Int>) -> Bool {
        range.isEmpty || bytes.slice(range).allSatisfy(Octet.isSpace)
    }
}
