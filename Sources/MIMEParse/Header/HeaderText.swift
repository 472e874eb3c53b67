import MailModel

/// Unstructured header text: encoded words (RFC 2047) in the shapes that mail
/// really has, raw 8-bit octets, and UTF-8 (RFC 6532).
///
/// What comes out is text, never syntax: structure is read before decoding.
public struct HeaderText {
    /// The charset that the message declares for its body; it stands in for raw octets.
    let fallbackLabel: [UInt8]?

    public init(fallbackLabel: [UInt8]? = nil) {
        self.fallbackLabel = fallbackLabel
    }

    /// The value unfolded, decoded, white space collapsed to single blanks and trimmed.
    public func decode(_ value: UnsafeRawBufferPointer, defects: inout DefectLog) -> String {
        // Most values are plain ASCII: nothing to decode.
        if value.isASCII, nextWordStart(value, from: 0) == nil { return Self.collapsed(value) }
        var utf8: [UInt8] = []
        decode(value, into: &utf8, defects: &defects)
        return utf8.withUnsafeBytes(Self.collapsed)
    }

    public func decode(_ value: [UInt8], defects: inout DefectLog) -> String {
        value.withUnsafeBytes { decode($0, defects: &defects) }
    }

    /// Appends the decoded value in UTF-8, without CR and LF.
    func decode(_ value: UnsafeRawBufferPointer, into result: inout [UInt8], defects: inout DefectLog) {
        var plainStart = 0
        var search = 0
        // The octets of adjacent words of one charset: characters are split across words.
        var pending: [UInt8] = []
        var pendingLabel: [UInt8] = []
        var hasPending = false
        // Their base64 as one text: some programs cut that without regard to its groups.
        var joined: [UInt8] = []
        var isCut = false
        var isAllBase64 = true
        var tail: EncodedWord.Tail?

        func flush() {
            guard hasPending else { return }
            if isCut, isAllBase64, let octets = Self.rejoined(joined, pendingLabel, insteadOf: pending) {
                pending = octets
            }
            joined = []
            isCut = false
            isAllBase64 = true
            pending.withUnsafeBytes {
                TextDecoder.decode($0, label: pendingLabel, into: &result, defects: &defects)
            }
            pending = []
            hasPending = false
        }

        while let start = nextWordStart(value, from: search) {
            let end = tail ?? EncodedWord.Tail(value)
            tail = end
            guard let word = EncodedWord(value, at: start, tail: end) else {
                search = start + 2
                continue
            }
            if word.isMalformed { defects.note(.malformedEncodedWord) }
            let between = value.slice(plainStart..<start)
            let isAdjacent = hasPending && between.allSatisfy(Octet.isSpace)
            if !isAdjacent {
                flush()
                appendPlain(between, into: &result, defects: &defects)
            } else if !Self.sameLabel(pendingLabel, word.label) {
                flush()
            }
            // Only a word that is not the last one is cut.
            if hasPending, !joined.isEmpty, !Self.isWholeGroups(joined) { isCut = true }
            if word.isBase64 {
                joined.append(contentsOf: value.slice(word.text))
            } else {
                isAllBase64 = false
            }
            word.decode(value, into: &pending, defects: &defects)
            pendingLabel = word.label
            hasPending = true
            plainStart = word.end
            search = word.end
        }
        flush()
        appendPlain(value.slice(plainStart..<value.count), into: &result, defects: &defects)
    }

    private static func isWholeGroups(_ base64: [UInt8]) -> Bool {
        base64.last == Octet.equals || base64.count % 4 == 0
    }

    /// The octets of several words read as one text in base64, where that makes UTF-8, or Cyrillic words,
    /// and the words by themselves do not.
    private static func rejoined(
        _ base64: [UInt8], _ label: [UInt8], insteadOf octets: [UInt8]
    ) -> [UInt8]? {
        guard let charset = Charset(label: label) else { return nil }
        let isUTF8 = charset.kind == .utf8
        guard isUTF8 ? !octets.withUnsafeBytes(UTF8Text.isValid) : CyrillicGuess.isCyrillic(charset) else {
            return nil
        }
        var decoder = Base64Decoder()
        var result: [UInt8] = []
        base64.withUnsafeBytes { decoder.decode($0, into: &result) }
        decoder.finish(into: &result)
        if isUTF8 { return result.withUnsafeBytes(UTF8Text.isValid) ? result : nil }
        // Every octet is a letter of some kind; which of them follow one another tells.
        func score(_ octets: [UInt8]) -> Double {
            octets.withUnsafeBytes { CyrillicGuess.score(of: $0, in: charset) } ?? -100
        }
        return score(result) > score(octets) ? result : nil
    }

    private func nextWordStart(_ value: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var cursor = start
        while let equals = value.offset(of: Octet.equals, from: cursor, to: value.count) {
            if equals + 1 < value.count, value[equals + 1] == Octet.question { return equals }
            cursor = equals + 1
        }
        return nil
    }

    /// Words that name no charset may be of two. `utf-8` and `UTF8` are one.
    private static func sameLabel(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        if one.isEmpty || other.isEmpty { return false }
        if one.elementsEqual(other, by: { Octet.lowercased($0) == Octet.lowercased($1) }) { return true }
        guard let charset = Charset(label: one) else { return false }
        return charset == Charset(label: other)
    }

    /// Appends raw octets in UTF-8, without CR and LF; encoded words among them stay as they are.
    func appendPlain(
        _ bytes: UnsafeRawBufferPointer, into result: inout [UInt8], defects: inout DefectLog
    ) {
        guard !bytes.isEmpty else { return }
        let start = result.count
        if bytes.isASCII {
            result.append(contentsOf: bytes)
        } else if UTF8Text.isValid(bytes) {
            result.append(contentsOf: bytes)
            defects.note(.rawEightBitHeader)
        } else {
            defects.note(.rawEightBitHeader)
            decodeRaw(bytes, into: &result, defects: &defects)
        }
        var kept = start
        for index in start..<result.count where result[index] != Octet.cr && result[index] != Octet.lf {
            result[kept] = result[index]
            kept += 1
        }
        result.removeLast(result.count - kept)
    }

    /// 8-bit octets that are not UTF-8: the body's charset if it can be theirs, else a guess.
    private func decodeRaw(
        _ bytes: UnsafeRawBufferPointer, into result: inout [UInt8], defects: inout DefectLog
    ) {
        if !UTF8Text.isDamaged(bytes), let fallbackLabel, let charset = Charset(label: fallbackLabel),
            charset.kind == .singleByte || charset.kind == .multiByte,
            CyrillicGuess.correction(of: charset, for: bytes) == nil
        {
            let start = result.count
            if charset.decode(bytes, into: &result) { return }
            result.removeLast(result.count - start)
        }
        TextDecoder.decode(bytes, label: nil, into: &result, defects: &defects)
    }

    /// White space to single blanks, none at the ends; other control characters dropped.
    static func collapsed(_ utf8: UnsafeRawBufferPointer) -> String {
        String(unsafeUninitializedCapacity: utf8.count) { result in
            var count = 0
            var hasSpace = false
            for byte in utf8 {
                if Octet.isSpace(byte) {
                    hasSpace = count > 0
                    continue
                }
                if byte < 0x20 || byte == 0x7F { continue }
                if hasSpace {
                    result[count] = Octet.space
                    count += 1
                    hasSpace = false
                }
                result[count] = byte
                count += 1
            }
            return count
        }
    }
}

/// One `=?charset?encoding?text?=` (RFC 2047, section 2).
struct EncodedWord {
    var label: [UInt8]
    private(set) var isBase64: Bool
    private(set) var text: Range<Int>
    /// Offset behind the word.
    var end: Int
    /// Cut off before its `?=`, or with blanks inside.
    var isMalformed: Bool

    /// Where the last `?=` and the last white space of a value stand. Found once for all
    /// its words: a word that looked for its own end would, with many beginnings and no
    /// end, look through the whole value each time.
    struct Tail {
        private(set) var close = -1
        private(set) var space = -1

        init(_ value: UnsafeRawBufferPointer) {
            var index = value.count
            while index > 0, close < 0 || space < 0 {
                index -= 1
                if space < 0, Octet.isSpace(value[index]) { space = index }
                if close < 0, value[index] == Octet.question, index + 1 < value.count,
                    value[index + 1] == Octet.equals
                {
                    close = index
                }
            }
        }
    }

    /// Reads a word at `start`, where `=?` stands. Words may hold blanks and be
    /// longer than the RFC's 75 octets; one that is cut off ends at the value's end.
    init?(_ value: UnsafeRawBufferPointer, at start: Int, tail: Tail) {
        let labelStart = start + 2
        let labelLimit = min(value.count, labelStart + 64)
        guard let labelEnd = value.offset(of: Octet.question, from: labelStart, to: labelLimit),
            labelEnd + 2 < value.count, value[labelEnd + 2] == Octet.question
        else { return nil }
        switch value[labelEnd + 1] {
        case 0x42, 0x62: isBase64 = true
        case 0x51, 0x71: isBase64 = false
        default: return nil
        }
        var label = value.slice(labelStart..<labelEnd)
        // RFC 2231, section 5: a language after an asterisk.
        if let star = label.firstIndex(of: Octet.asterisk) { label = label.slice(0..<star) }
        label = label.trimmed()
        guard !label.contains(where: Octet.isSpace) else { return nil }
        self.label = Array(label)
        let textStart = labelEnd + 3
        var cursor = textStart
        while cursor <= tail.close,
            let question = value.offset(of: Octet.question, from: cursor, to: value.count)
        {
            if question + 1 < value.count, value[question + 1] == Octet.equals {
                text = textStart..<question
                end = question + 2
                isMalformed = value.slice(text).contains(where: Octet.isSpace)
                return
            }
            // Another word begins behind a blank: the end of this one was lost.
            if question >= textStart + 2, value[question - 1] == Octet.equals,
                Octet.isSpace(value[question - 2]), Self.begins(value, at: question - 1)
            {
                var last = question - 1
                while last > textStart, Octet.isSpace(value[last - 1]) { last -= 1 }
                text = textStart..<last
                end = last
                isMalformed = true
                return
            }
            cursor = question + 1
        }
        // Cut off: believed only where nothing but the word's own letters follow.
        guard textStart < value.count, tail.space < textStart else { return nil }
        text = textStart..<value.count
        end = value.count
        isMalformed = true
    }

    /// Whether `=?charset?B?` or `=?charset?Q?` stands there.
    private static func begins(_ value: UnsafeRawBufferPointer, at start: Int) -> Bool {
        let limit = min(value.count, start + 66)
        guard let labelEnd = value.offset(of: Octet.question, from: start + 2, to: limit),
            labelEnd + 2 < value.count, value[labelEnd + 2] == Octet.question
        else { return false }
        let encoding = value[labelEnd + 1] | 0x20
        return encoding == UInt8(ascii: "b") || encoding == UInt8(ascii: "q")
    }

    /// Appends the octets that the word stands for.
    func decode(_ value: UnsafeRawBufferPointer, into result: inout [UInt8], defects: inout DefectLog) {
        let bytes = value.slice(text)
        if isBase64 {
            var decoder = Base64Decoder()
            decoder.decode(bytes, into: &result)
            decoder.finish(into: &result)
            if decoder.isDamaged { defects.note(.malformedEncodedWord) }
            return
        }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == Octet.underscore {
                result.append(Octet.space)
            } else if byte == Octet.equals, index + 2 < bytes.count,
                let high = Octet.hexValue(bytes[index + 1]), let low = Octet.hexValue(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 2
            } else if byte == Octet.equals, let next = Self.behindSoftBreak(bytes, index) {
                defects.note(.malformedEncodedWord)
                index = next
                continue
            } else if byte != Octet.cr, byte != Octet.lf {
                if byte == Octet.equals { defects.note(.malformedEncodedWord) }
                result.append(byte)
            }
            index += 1
        }
    }

    /// Behind `=` and a line end with the blanks of its fold: the soft line break of bodies,
    /// which programs that encode a subject like a body put into words.
    private static func behindSoftBreak(_ bytes: UnsafeRawBufferPointer, _ equals: Int) -> Int? {
        var index = equals + 1
        var hasLineEnd = false
        while index < bytes.count, Octet.isSpace(bytes[index]) {
            if bytes[index] == Octet.lf { hasLineEnd = true }
            index += 1
        }
        return hasLineEnd ? index : nil
    }

    /// Whether a word that breaks off at a soft line break (`=`) is open behind a line of a field's value, be it that
    /// the blank is missing which would make the next line a part of it.
    ///
    /// - Parameter wasOpen: the same for the line before. Each line is looked at once: there may be many.
    static func isOpen(behind line: UnsafeRawBufferPointer, _ wasOpen: Bool) -> Bool {
        // Neither a beginning nor an end, as in most lines.
        if line.offset(of: Octet.equals, from: 0, to: line.count) == nil { return wasOpen }
        var hasEnd = false
        var index = line.count - 1
        while index > 0 {
            index -= 1
            if line[index] == Octet.question, line[index + 1] == Octet.equals { hasEnd = true }
            guard line[index] == Octet.equals, line[index + 1] == Octet.question else { continue }
            // `=?charset?Q?`, and no end of the word behind it.
            let word = line.slice((index + 2)..<line.count)
            guard let label = word.firstIndex(of: Octet.question), label + 2 < word.count,
                word[label + 1] | 0x20 == 0x71, word[label + 2] == Octet.question
            else { return false }
            let text = word.slice((label + 3)..<word.count)
            return !zip(text, text.dropFirst()).contains { $0 == Octet.question && $1 == Octet.equals }
        }
        return wasOpen && !hasEnd
    }
}
