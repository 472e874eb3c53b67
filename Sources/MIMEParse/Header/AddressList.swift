public import MailModel

/// An address-list (RFC 5322, 3.4 and 4.4) as mail really writes it: groups are
/// flattened, comments and routes dropped, brackets may be missing, semicolons
/// separate too. Display names are decoded after the structure is read, so that
/// an encoded word can never add an address.
public struct AddressList {
    private let text: HeaderText
    private let limit: Int

    /// Reads at most `limit` mailboxes from one field.
    public init(fallbackLabel: [UInt8]? = nil, limit: Int = MailLimits.standard.addresses) {
        text = HeaderText(fallbackLabel: fallbackLabel)
        self.limit = limit
    }

    /// The mailboxes in order. What is no address is left out and noted.
    public func parse(_ value: UnsafeRawBufferPointer, defects: inout DefectLog) -> [Mailbox] {
        var reader = AddressListReader(bytes: value, text: text, limit: limit, defects: defects)
        reader.read()
        defects = reader.defects
        return reader.mailboxes
    }
}

private struct AddressListReader {
    /// A run of octets between blanks or specials; quoted ones are no syntax.
    struct Word {
        var bytes: [UInt8]
        var isQuoted: Bool
        var hasSpaceBefore: Bool
    }

    let bytes: UnsafeRawBufferPointer
    let text: HeaderText
    let limit: Int
    var defects: DefectLog
    var mailboxes: [Mailbox] = []

    private var index = 0
    private var words: [Word] = []
    private var comment: [UInt8]?
    /// The words between angle brackets, once there were any.
    private var angle: [Word]?
    private var hasSpace = false
    /// No closing quote follows: quotes are mere characters from here on.
    private var quotesAreOpen = false
    /// Whether one quotation mark of the value has no counterpart; nil where nobody asked yet.
    private var marksAreOdd: Bool?
    /// Likewise for the parentheses of comments.
    private var commentsAreOpen = false
    /// Up to here nothing ends a domain literal that begins behind `index`.
    private var literalsSeen = 0
    /// Likewise for characters of ISO-2022-JP.
    private var shiftsSeen = 0

    init(bytes: UnsafeRawBufferPointer, text: HeaderText, limit: Int, defects: DefectLog) {
        self.bytes = bytes
        self.text = text
        self.limit = limit
        self.defects = defects
    }

    mutating func read() {
        while index < bytes.count {
            if mailboxes.count >= limit {
                defects.note(.addressLimit)
                return
            }
            switch bytes[index] {
            case Octet.comma, Octet.semicolon:
                finish()
                index += 1
            case Octet.colon:
                // A group's name ends; behind an address it is an odd separator.
                if angle != nil || words.contains(where: { !$0.isQuoted && $0.bytes.contains(Octet.at) }) {
                    finish()
                }
                clear()
                index += 1
            case Octet.less:
                if angle != nil { finish() }
                index += 1
                readAngle()
            case Octet.greater:
                index += 1
            default:
                if let word = readWord() {
                    // Text behind the brackets without a comma: the next mailbox, or noise.
                    if angle != nil, word.bytes.contains(Octet.at) { finish() }
                    words.append(word)
                }
            }
        }
        finish()
    }

    private mutating func clear() {
        words = []
        angle = nil
        comment = nil
        hasSpace = false
    }

    /// The next word, or nil when white space, a comment or a stray octet was passed.
    private mutating func readWord() -> Word? {
        let byte = bytes[index]
        if Octet.isSpace(byte) || byte == 0 {
            hasSpace = true
            index += 1
            return nil
        }
        if byte == Octet.openParenthesis {
            readComment()
            hasSpace = true
            return nil
        }
        let spaceBefore = hasSpace
        hasSpace = false
        if byte == Octet.quote {
            guard let quoted = readQuoted() else {
                index += 1
                hasSpace = spaceBefore
                return nil
            }
            return Word(bytes: quoted, isQuoted: true, hasSpaceBefore: spaceBefore)
        }
        if byte == Octet.openBracket, let close = endOfLiteral() {
            let literal = Array(bytes[index...close])
            index = close + 1
            return Word(bytes: literal, isQuoted: false, hasSpaceBefore: spaceBefore)
        }
        var atom: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            if byte == Octet.equals, let end = bytes.endOfEncodedWord(from: index) {
                atom.append(contentsOf: bytes[index..<end])
                index = end
                continue
            }
            if byte == Octet.escape, let end = endOfShifted(from: index) {
                atom.append(contentsOf: bytes[index..<end])
                index = end
                continue
            }
            if Octet.isSpace(byte) || byte == 0 || Self.isSpecial(byte) { break }
            if byte == Octet.openBracket, endOfLiteral() != nil { break }
            if byte == Octet.backslash, index + 1 < bytes.count, !Octet.isSpace(bytes[index + 1]) {
                index += 1
            }
            atom.append(bytes[index])
            index += 1
        }
        if atom.isEmpty {
            index += 1
            return nil
        }
        return Word(bytes: atom, isQuoted: false, hasSpaceBefore: spaceBefore)
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case Octet.openParenthesis, Octet.less, Octet.greater, Octet.comma, Octet.semicolon, Octet.colon,
            Octet.quote:
            true
        default: false
        }
    }

    /// The content of the quoted string at `index`, which is then behind it.
    private mutating func readQuoted() -> [UInt8]? {
        if quotesAreOpen { return nil }
        var content: [UInt8] = []
        // No backslash stands behind an octet of the upper half, so that each is one.
        var isPlain = true
        var cursor = index + 1
        while cursor < bytes.count {
            let byte = bytes[cursor]
            if byte == Octet.escape, let end = endOfShifted(from: cursor) {
                content += bytes[cursor..<end]
                cursor = end
                continue
            }
            if byte == Octet.quote {
                if !isPlain, AddressSyntax.holdsAddress(content), !bytes.hasAngle(behind: cursor),
                    let whole = readWithoutEscapes()
                {
                    return whole
                }
                if holdsMailbox(content), hasOddMarks() {
                    // The mark that should close the name is missing: this one opens the next.
                    marksAreOdd = false
                    defects.note(.unreadableAddress)
                    return nil
                }
                index = cursor + 1
                return content
            }
            if byte == Octet.backslash, cursor + 1 < bytes.count {
                if bytes[cursor - 1] >= 0x80 { isPlain = false }
                cursor += 1
                content.append(bytes[cursor])
            } else if byte != Octet.cr, byte != Octet.lf {
                content.append(byte)
            }
            cursor += 1
        }
        if !isPlain, let whole = readWithoutEscapes() { return whole }
        quotesAreOpen = true
        defects.note(.unreadableAddress)
        return nil
    }

    /// The quoted string at `index` where a backslash is the second octet of a character (Shift_JIS, Big5, GBK), and
    /// hides no quotation mark: an address in brackets must follow.
    private mutating func readWithoutEscapes() -> [UInt8]? {
        let start = index + 1
        guard let end = bytes.offset(of: Octet.quote, from: start, to: bytes.count),
            bytes.hasAngle(behind: end),
            !UTF8Text.isValid(bytes.slice(start..<end))
        else { return nil }
        index = end + 1
        return bytes[start..<end].filter { $0 != Octet.cr && $0 != Octet.lf }
    }

    /// Behind characters of two octets in ISO-2022-JP, which may look like any sign; nil where they do not end, or a
    /// blank stands among them.
    private mutating func endOfShifted(from start: Int) -> Int? {
        guard start >= shiftsSeen, start + 3 < bytes.count, bytes[start + 1] == Octet.dollar else {
            return nil
        }
        var cursor = start + 2
        while cursor + 2 < bytes.count {
            let byte = bytes[cursor]
            if byte == Octet.escape {
                if bytes[cursor + 1] == Octet.openParenthesis { return cursor + 3 }
                guard bytes[cursor + 1] == Octet.dollar else { break }
            } else if byte <= Octet.space || byte >= 0x7F {
                break
            }
            cursor += 1
        }
        shiftsSeen = cursor
        return nil
    }

    /// Whether `<…@…>` stands there, and a comma behind it.
    private func holdsMailbox(_ content: [UInt8]) -> Bool {
        guard let open = content.firstIndex(of: Octet.less),
            let close = content[open...].firstIndex(of: Octet.greater),
            content[open..<close].contains(Octet.at)
        else { return false }
        return content[close...].dropFirst().first { !Octet.isSpace($0) } == Octet.comma
    }

    /// Whether the quotation marks of the value cannot pair. Looked at once.
    private mutating func hasOddMarks() -> Bool {
        if let known = marksAreOdd { return known }
        var count = 0
        for (index, byte) in bytes.enumerated() where byte == Octet.quote {
            if index == 0 || bytes[index - 1] != Octet.backslash { count += 1 }
        }
        marksAreOdd = count % 2 == 1
        return count % 2 == 1
    }

    private mutating func readComment() {
        if commentsAreOpen {
            index += 1
            return
        }
        var depth = 0
        var content: [UInt8] = []
        var cursor = index
        while cursor < bytes.count {
            let byte = bytes[cursor]
            if byte == Octet.backslash, cursor + 1 < bytes.count {
                content.append(bytes[cursor + 1])
                cursor += 2
                continue
            }
            cursor += 1
            if byte == Octet.openParenthesis {
                depth += 1
                if depth == 1 { continue }
            } else if byte == Octet.closeParenthesis {
                depth -= 1
                if depth == 0 {
                    comment = content
                    index = cursor
                    return
                }
            }
            content.append(byte)
        }
        // Never closed: a comment to the end would hide addresses.
        commentsAreOpen = true
        index += 1
    }

    private mutating func endOfLiteral() -> Int? {
        var cursor = max(index + 1, literalsSeen)
        let end = min(bytes.count, index + 256)
        defer { literalsSeen = max(literalsSeen, cursor) }
        while cursor < end {
            let byte = bytes[cursor]
            if byte == Octet.closeBracket { return cursor }
            if byte == Octet.less || byte == Octet.greater || byte == Octet.comma || byte == Octet.at {
                return nil
            }
            cursor += 1
        }
        return nil
    }

    /// The words up to the closing bracket, or to whatever shows that it is missing.
    private mutating func readAngle() {
        let outer = words
        let outerSpace = hasSpace
        var inner: [Word] = []
        hasSpace = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == Octet.greater {
                index += 1
                break
            }
            if byte == Octet.less || byte == Octet.semicolon { break }
            if byte == Octet.comma || byte == Octet.colon {
                // Part of a route (RFC 5322, 4.4), else the end.
                guard byte == Octet.colon || inner.first?.bytes.first == Octet.at else { break }
                if byte == Octet.colon { inner = [] }
                index += 1
                continue
            }
            if let word = readWord() { inner.append(word) }
        }
        words = outer
        hasSpace = outerSpace
        angle = inner
    }

    /// Ends the mailbox that was being read.
    private mutating func finish() {
        defer { clear() }
        if let angle, let address = address(in: angle, from: 0, joinsDots: true)?.address {
            append(address, name: words)
            return
        }
        let candidates = words + (angle ?? [])
        guard !candidates.isEmpty else { return }
        var isFound = false
        var start = 0
        while let (address, used) = address(in: candidates, from: start, joinsDots: false) {
            append(address, name: isFound ? [] : Array(candidates[..<used.lowerBound]))
            isFound = true
            start = used.upperBound
            if mailboxes.count >= limit { break }
        }
        if isFound { return }
        if let inner = angle, inner.count == 1, inner[0].isQuoted,
            let address = string(inner[0].bytes).flatMap(EmailAddress.init)
        {
            append(address, name: words)
            return
        }
        // A whole address in quotes, and nothing else: `"a@b.example"`, `"Name <a@b.example>"`.
        if angle?.isEmpty ?? true, words.count == 1, words[0].isQuoted {
            let quoted = words[0].bytes
            let open = quoted.lastIndex(of: Octet.less)
            let inner =
                open.map { quoted.last == Octet.greater ? quoted[($0 + 1)...].dropLast() : [] } ?? quoted[...]
            if let address = string(Array(inner)).flatMap(EmailAddress.init) {
                let name = Word(bytes: Array(quoted[..<(open ?? 0)]), isQuoted: true, hasSpaceBefore: false)
                append(address, name: open == nil ? [] : [name])
                return
            }
        }
        defects.note(.unreadableAddress)
    }

    private mutating func append(_ address: EmailAddress, name words: [Word]) {
        guard mailboxes.count < limit else {
            defects.note(.addressLimit)
            return
        }
        var name: [UInt8] = []
        for word in words {
            if word.hasSpaceBefore, !name.isEmpty { name.append(Octet.space) }
            name.append(contentsOf: word.bytes)
        }
        if name.isEmpty, let comment { name = comment }
        let displayName = name.isEmpty ? "" : text.decode(name, defects: &defects)
        mailboxes.append(Mailbox(displayName: displayName.isEmpty ? nil : displayName, address: address))
    }

    /// The first addr-spec among the words from `first` on, and which words it takes.
    /// Blanks around dots and the at sign are obsolete syntax; others separate.
    private mutating func address(
        in words: [Word], from first: Int, joinsDots: Bool
    ) -> (address: EmailAddress, used: Range<Int>)? {
        var start = first
        while start < words.count {
            var end = start + 1
            var hasAt = Self.hasAt(words[start])
            while end < words.count {
                let word = words[end]
                let last = words[end - 1]
                let first = word.isQuoted ? 0 : word.bytes.first
                let previous = last.isQuoted ? 0 : last.bytes.last
                let joins =
                    !word.hasSpaceBefore || first == Octet.at || previous == Octet.at
                    || (first == Octet.dot && (joinsDots || hasAt))
                    || (previous == Octet.dot && (joinsDots || hasAt))
                    || (first == Octet.dot && word.bytes.count == 1)
                    || (previous == Octet.dot && last.bytes.count == 1)
                guard joins else { break }
                if Self.hasAt(word) { hasAt = true }
                end += 1
            }
            if hasAt, let address = addrSpec(Array(words[start..<end])) { return (address, start..<end) }
            start = end
        }
        return nil
    }

    private static func hasAt(_ word: Word) -> Bool { !word.isQuoted && word.bytes.contains(Octet.at) }

    private mutating func addrSpec(_ words: [Word]) -> EmailAddress? {
        var local: [UInt8] = []
        var domain: [UInt8] = []
        var isDomain = false
        for word in words {
            guard !word.isQuoted, let at = word.bytes.lastIndex(of: Octet.at) else {
                if isDomain { domain += word.bytes } else { local += word.bytes }
                continue
            }
            if isDomain {
                // The last at sign separates; earlier ones belong to the local part.
                local += [Octet.at] + domain
                domain = []
            }
            local += word.bytes[..<at]
            domain = Array(word.bytes[(at + 1)...])
            isDomain = true
        }
        // Brackets and quotes that belong to a sentence around a bare address.
        while let last = domain.last,
            last == Octet.apostrophe || last == Octet.closeParenthesis
                || (last == Octet.closeBracket && domain.first != Octet.openBracket)
        {
            domain.removeLast()
            if last == Octet.closeBracket, local.first == Octet.openBracket, words.first?.isQuoted != true {
                local.removeFirst()
            }
        }
        // Brackets that a web form wrote as entities.
        if domain.count > 3, domain.suffix(3).elementsEqual("&gt".utf8) { domain.removeLast(3) }
        // In a quoted local part it is the writer's own.
        if local.first == Octet.apostrophe, local.count > 1, words.first?.isQuoted != true {
            local.removeFirst()
        }
        guard !local.isEmpty, !domain.isEmpty, let localPart = string(local), let domainName = string(domain)
        else { return nil }
        return EmailAddress(localPart: localPart, domain: domainName)
    }

    /// The octets as text; nil when control characters stand among them.
    private mutating func string(_ octets: [UInt8]) -> String? {
        for byte in octets where byte < 0x20 || byte == 0x7F { return nil }
        return octets.withUnsafeBytes { raw in
            if raw.isASCII { return String(decoding: raw, as: UTF8.self) }
            if UTF8Text.isValid(raw) { return Self.visible(String(decoding: raw, as: UTF8.self)) }
            // As they stand: a decoded word could hold what is syntax in an address.
            var utf8: [UInt8] = []
            text.appendPlain(raw, into: &utf8, defects: &defects)
            for byte in utf8 where byte < 0x20 || byte == 0x7F { return nil }
            return Self.visible(String(decoding: utf8, as: UTF8.self))
        }
    }

    /// Without the marks and blanks that nobody sees, which come along when an address is copied
    /// out of a document; nil when nothing else is there. A blank of ASCII is the writer's own, in quotes.
    private static func visible(_ text: String) -> String? {
        let seen = text.unicodeScalars.filter {
            $0.isASCII || (!$0.properties.isDefaultIgnorableCodePoint && !$0.properties.isWhitespace)
        }
        return seen.allSatisfy(\.properties.isWhitespace) ? nil : String(String.UnicodeScalarView(seen))
    }
}
