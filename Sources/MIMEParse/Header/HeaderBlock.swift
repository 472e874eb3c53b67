import MailModel

/// The header fields that we read.
enum FieldName: UInt8 {
    case authenticationResults, autoSubmitted, bcc, cc, contentDisposition, contentID,
        contentTransferEncoding, contentType, date
    case from, inReplyTo, listID, listUnsubscribe, messageID, precedence, references, replyTo, returnPath
    case sender, subject, to, autoResponseSuppress, autoreply, mailingList, failedRecipients
    case followupTo, listPost, listUnsubscribePost, sunDataType, sunDataName, sunEncodingInfo, other

    /// RFC 5322 names compare without regard to case.
    init(_ name: UnsafeRawBufferPointer) {
        func named(_ word: StaticString) -> Bool { name.equalsIgnoringCase(word) }
        switch name.count {
        case 2: self = named("to") ? .to : named("cc") ? .cc : .other
        case 3: self = named("bcc") ? .bcc : .other
        case 4: self = named("from") ? .from : named("date") ? .date : .other
        case 6: self = named("sender") ? .sender : .other
        case 7: self = named("subject") ? .subject : named("list-id") ? .listID : .other
        case 8: self = named("reply-to") ? .replyTo : .other
        case 9: self = named("list-post") ? .listPost : .other
        case 10:
            self =
                named("message-id")
                ? .messageID
                : named("references")
                    ? .references
                    : named("precedence") ? .precedence : named("content-id") ? .contentID : .other
        case 11:
            self =
                named("in-reply-to")
                ? .inReplyTo
                : named("return-path")
                    ? .returnPath
                    : named("x-autoreply")
                        ? .autoreply : named("x-beenthere") ? .mailingList : .other
        case 12:
            self =
                named("content-type")
                ? .contentType
                : named("mailing-list") ? .mailingList : named("x-auto-reply") ? .autoreply : .other
        case 14: self = named("auto-submitted") ? .autoSubmitted : .other
        case 13: self = named("x-autorespond") ? .autoreply : .other
        case 15:
            self = named("x-sun-data-type") ? .sunDataType : named("x-sun-data-name") ? .sunDataName : .other
        case 16:
            self =
                named("list-unsubscribe")
                ? .listUnsubscribe : named("mail-followup-to") ? .followupTo : .other
        case 17: self = named("x-auto-reply-from") ? .autoreply : .other
        case 19:
            self =
                named("content-disposition")
                ? .contentDisposition
                : named("x-failed-recipients")
                    ? .failedRecipients : named("x-sun-encoding-info") ? .sunEncodingInfo : .other
        case 21: self = named("list-unsubscribe-post") ? .listUnsubscribePost : .other
        case 22: self = named("authentication-results") ? .authenticationResults : .other
        case 24: self = named("x-auto-response-suppress") ? .autoResponseSuppress : .other
        case 25: self = named("content-transfer-encoding") ? .contentTransferEncoding : .other
        default: self = .other
        }
    }
}

/// One field of a header block: where its value stands, folds included.
struct HeaderField {
    var name: FieldName
    var value: Range<Int>
}

/// The fields of one header block (RFC 5322, 2.2) as ranges of the message.
struct HeaderBlock {
    var fields: [HeaderField] = []
    /// First byte after the blank line, or of whatever ended the block.
    var bodyStart = 0
    /// The longest field in bytes, those beyond the limit included.
    var longestField = 0

    /// The first field of that name.
    func first(_ name: FieldName) -> Range<Int>? {
        for field in fields where field.name == name { return field.value }
        return nil
    }

    /// All fields of that name, in order.
    func all(_ name: FieldName) -> [Range<Int>] {
        fields.compactMap { $0.name == name ? $0.value : nil }
    }

    func contains(_ name: FieldName) -> Bool { first(name) != nil }
}

/// Reads one header block, tolerating what real mail has: a From_ line, lines
/// without a colon, 8-bit names, blanks before the colon, no blank line at the end.
struct HeaderReader {
    let bytes: UnsafeRawBufferPointer
    let limits: MailLimits

    /// Reads from `start`. `stopsAt` says whether a line that begins with `--`
    /// is a delimiter of a multipart around us; such a line ends the block.
    func read(
        from start: Int, isRoot: Bool, defects: inout DefectLog, stopsAt: (Int) -> Bool
    ) -> HeaderBlock {
        var block = HeaderBlock()
        var cursor = start
        let end = bytes.count
        var total = 0
        // Those that we read: the others must not hide sender and structure.
        var known = 0
        // The field being read, not yet stored: its name, and where its value began.
        var name: FieldName?
        var valueStart = 0
        var valueEnd = 0
        // Whether an encoded word is open at its end.
        var isInWord = false
        // The line before is one of blanks, which may be meant to end the block.
        var isBehindBlanks = false
        var ownBoundaries = DeclaredBoundaries()

        func store() {
            guard let name else { return }
            let length = valueEnd - valueStart
            if length > block.longestField { block.longestField = length }
            total += 1
            if name != .other { known += 1 }
            if total > limits.fields { defects.note(.headerLimit) }
            if (name == .other ? total : known) > limits.fields {
                return
            } else if length > limits.fieldBytes {
                defects.note(.fieldLimit)
                // The start of an endless field still says something.
                block.fields.append(
                    HeaderField(name: name, value: valueStart..<(valueStart + limits.fieldBytes)))
            } else {
                block.fields.append(HeaderField(name: name, value: valueStart..<valueEnd))
            }
        }

        while cursor < end {
            let line = bytes.line(from: cursor, to: end)
            // Programs that turn LF into CRLF twice write two returns.
            if line.end == cursor || line.end == cursor + 1 && bytes[cursor] == Octet.cr {
                cursor = line.next
                break
            }
            if line.end - start > limits.headerBlockBytes, cursor != start {
                // Beyond the limit nothing is read, but the body must still be found.
                defects.note(.headerLimit)
                store()
                name = nil
                block.bodyStart = skipToBlankLine(from: cursor, stopsAt: stopsAt)
                return block
            }
            let first = bytes[cursor]
            if Octet.isBlank(first) {
                if name != nil {
                    valueEnd = line.end
                    isInWord = EncodedWord.isOpen(behind: bytes.slice(cursor..<line.end), isInWord)
                    isBehindBlanks = isBlankLine(cursor..<line.end)
                } else if isBlankLine(cursor..<line.end) {
                    // White space alone before any field: an empty header block.
                    cursor = line.next
                    break
                } else {
                    defects.note(.malformedHeaderLine)
                }
                cursor = line.next
                continue
            }
            if first == Octet.hyphen {
                if stopsAt(cursor) { break }
                // Behind a type no line that begins so belongs to it.
                if name == .contentType {
                    store()
                    name = nil
                }
                if ownBoundaries.areDelimited(by: cursor..<line.end, block: block, bytes: bytes) {
                    // The empty line in front of the block's own first delimiter is missing.
                    defects.note(.malformedHeaderLine)
                    break
                }
            }
            // A value that ends within a word, at a soft line break, goes on in the next line.
            if name != nil, isInWord, bytes[valueEnd - 1] == Octet.equals, !isFieldAhead(cursor) {
                defects.note(.malformedHeaderLine)
                valueEnd = line.end
                isInWord = EncodedWord.isOpen(behind: bytes.slice(cursor..<line.end), isInWord)
                cursor = line.next
                continue
            }
            if name == .contentType || name == .contentDisposition,
                isParameter(cursor..<line.end, behind: valueStart..<valueEnd)
            {
                defects.note(.malformedHeaderLine)
                valueEnd = line.end
            } else if let colon = colonOfField(cursor..<line.end),
                // "Внимание: …" may begin the body where the empty line is missing.
                bytes.slice(cursor..<colon).isASCII || isFieldAheadOfOthers(line.next)
            {
                store()
                var nameEnd = colon
                while nameEnd > cursor, Octet.isBlank(bytes[nameEnd - 1]) { nameEnd -= 1 }
                name = FieldName(bytes.slice(cursor..<nameEnd))
                valueStart = colon + 1
                valueEnd = line.end
                isInWord = EncodedWord.isOpen(behind: bytes.slice(valueStart..<valueEnd), false)
            } else if isRoot, cursor == start, isEnvelopeLine(cursor..<line.end) {
                // mbox writes an envelope line in front; it is not part of the message.
            } else if !isBehindBlanks,
                isHeaderAhead(line.next)
                    || isContentFieldAhead(
                        line.next, hasType: name == .contentType || block.contains(.contentType),
                        stopsAt: stopsAt)
            {
                store()
                name = nil
                if !bytes.slice(cursor..<line.end).hasPrefixIgnoringCase(">from ") {
                    defects.note(.malformedHeaderLine)
                }
            } else if !isRoot, !isBehindBlanks, name == nil, block.fields.isEmpty,
                let fields = fieldsBehindBanner(line.next, stopsAt: stopsAt)
            {
                defects.note(.malformedHeaderLine)
                cursor = fields
                continue
            } else {
                defects.note(.malformedHeaderLine)
                break
            }
            isBehindBlanks = false
            cursor = line.next
        }
        store()
        block.bodyStart = cursor
        return block
    }

    /// The colon behind a field name; nil when the line is no field. A name may
    /// hold 8-bit octets, and blanks only at its end.
    private func colonOfField(_ line: Range<Int>) -> Int? {
        var index = line.lowerBound
        while index < line.upperBound {
            let byte = bytes[index]
            if byte == Octet.colon {
                return index > line.lowerBound && !isAddressOfPage(line, colon: index) ? index : nil
            }
            if Octet.isBlank(byte) {
                while index < line.upperBound, Octet.isBlank(bytes[index]) { index += 1 }
                guard index < line.upperBound, bytes[index] == Octet.colon else { return nil }
                return index
            }
            if byte < 0x21 || byte == 0x7F { return nil }
            index += 1
        }
        return nil
    }

    /// Whether a line begins with an address of a page, which has a colon too.
    private func isAddressOfPage(_ line: Range<Int>, colon: Int) -> Bool {
        guard colon + 2 < line.upperBound, bytes[colon + 1] == Octet.slash, bytes[colon + 2] == Octet.slash
        else { return false }
        let name = bytes.slice(line.lowerBound..<colon)
        return name.equalsIgnoringCase("http") || name.equalsIgnoringCase("https")
            || name.equalsIgnoringCase("ftp")
    }

    /// Whether a line without the blank of a fold goes on with the parameters of a field whose value
    /// ends with a semicolon.
    private func isParameter(_ line: Range<Int>, behind value: Range<Int>) -> Bool {
        var last = value.upperBound
        while last > value.lowerBound, Octet.isSpace(bytes[last - 1]) { last -= 1 }
        guard last > value.lowerBound, bytes[last - 1] == Octet.semicolon else { return false }
        var index = line.lowerBound
        while index < line.upperBound,
            Octet.isLetter(bytes[index]) || Octet.isDigit(bytes[index]) || bytes[index] == Octet.asterisk
        {
            index += 1
        }
        return index > line.lowerBound && index < line.upperBound && bytes[index] == Octet.equals
    }

    private func isEnvelopeLine(_ line: Range<Int>) -> Bool {
        let slice = bytes.slice(line)
        return slice.hasPrefixIgnoringCase("from ") || slice.hasPrefixIgnoringCase(">from ")
    }

    private func isBlankLine(_ line: Range<Int>) -> Bool {
        for index in line where !Octet.isBlank(bytes[index]) { return false }
        return true
    }

    /// A field that is none has few continuation lines.
    private static let maximumFolds = 20

    /// Whether the line at `lineStart` begins like a field: then the bad line before
    /// it is an accident, not the start of a body.
    private func isFieldAhead(_ lineStart: Int) -> Bool {
        // The bad line may be folded.
        var start = lineStart
        var folds = 0
        while start < bytes.count, Octet.isBlank(bytes[start]), folds < Self.maximumFolds {
            let line = bytes.line(from: start, to: bytes.count)
            if isBlankLine(start..<line.end) { return false }
            start = line.next
            folds += 1
        }
        return isField(at: start)
    }

    /// The same, where it is a field that mail has, or one of those stands before the next empty line: in a text
    /// without the empty line in front of it "Note: …" may follow a greeting.
    private func isHeaderAhead(_ lineStart: Int) -> Bool {
        guard isFieldAhead(lineStart) else { return false }
        var start = lineStart
        for _ in 0..<(2 * Self.maximumFolds) where start < bytes.count {
            let line = bytes.line(from: start, to: bytes.count)
            if isBlankLine(start..<line.end) { return false }
            if !Octet.isBlank(bytes[start]) {
                guard isField(at: start), let colon = colonOfField(start..<line.end) else { return false }
                if Self.isOfHeader(bytes.slice(start..<colon).trimmed()) { return true }
            }
            start = line.next
        }
        return false
    }

    /// Names of one word that we do not read, and mail has.
    private static let ofOneWord: Set<String> = [
        "received", "comments", "keywords", "encrypted", "status", "lines", "organization", "organisation",
        "priority", "importance", "sensitivity", "path", "newsgroups", "xref", "approved", "expires",
        "distribution", "supersedes", "control", "summary",
    ]

    private static func isOfHeader(_ name: UnsafeRawBufferPointer) -> Bool {
        if FieldName(name) != .other { return true }
        if name.contains(Octet.hyphen) { return !name.equalsIgnoringCase("e-mail") }
        return name.count < 20 && ofOneWord.contains(name.lowercasedString())
    }

    /// The same, behind a few fields whose names hold 8-bit octets.
    private func isFieldAheadOfOthers(_ lineStart: Int) -> Bool {
        var start = lineStart
        for _ in 0..<5 {
            if isFieldAhead(start) { return true }
            let line = bytes.line(from: start, to: bytes.count)
            guard start < bytes.count, colonOfField(start..<line.end) != nil else { return false }
            start = line.next
        }
        return false
    }

    /// Whether the line at `start` begins with the name of a field as programs write them.
    func isField(at start: Int) -> Bool {
        guard start < bytes.count else { return false }
        let line = bytes.line(from: start, to: min(bytes.count, start + 998))
        guard let colon = colonOfField(start..<line.end) else { return false }
        for index in start..<colon {
            let byte = bytes[index]
            if !(Octet.isLetter(byte) || Octet.isDigit(byte) || byte == Octet.hyphen || Octet.isBlank(byte)) {
                return false
            }
        }
        return true
    }

    /// Whether a field of MIME follows within a few lines that are none: it cannot be
    /// text. What begins with `--` may be the block's own delimiter once its type is known.
    private func isContentFieldAhead(_ lineStart: Int, hasType: Bool, stopsAt: (Int) -> Bool) -> Bool {
        var start = lineStart
        for _ in 0..<5 where start < bytes.count {
            let line = bytes.line(from: start, to: bytes.count)
            if isBlankLine(start..<line.end) { return false }
            if bytes[start] == Octet.hyphen, hasType || stopsAt(start) { return false }
            let text = bytes.slice(start..<line.end)
            let isMIME = text.hasPrefixIgnoringCase("content-") || text.hasPrefixIgnoringCase("mime-version")
            if isMIME, colonOfField(start..<line.end) != nil { return true }
            start = line.next
        }
        return false
    }

    /// Lines of a banner, or of a file's octets that a gateway put there, in front of a part's header.
    private static let maximumBanner = 200

    /// Where the header of a part begins that has many lines in front of it: at the first MIME field, where nothing but
    /// fields stands from there on up to an empty line.
    private func fieldsBehindBanner(_ lineStart: Int, stopsAt: (Int) -> Bool) -> Int? {
        var start = lineStart
        var found: Int?
        for _ in 0..<Self.maximumBanner where start < bytes.count {
            let line = bytes.line(from: start, to: bytes.count)
            if isBlankLine(start..<line.end) { return found }
            if bytes[start] == Octet.hyphen, stopsAt(start) { return nil }
            if found != nil {
                guard Octet.isBlank(bytes[start]) || isField(at: start) else { return nil }
            } else if bytes.slice(start..<line.end).hasPrefixIgnoringCase("content-"), isField(at: start) {
                found = start
            }
            start = line.next
        }
        return nil
    }

    private func skipToBlankLine(from start: Int, stopsAt: (Int) -> Bool) -> Int {
        var cursor = start
        while cursor < bytes.count {
            let line = bytes.line(from: cursor, to: bytes.count)
            if line.end == cursor { return line.next }
            if bytes[cursor] == Octet.hyphen, stopsAt(cursor) { return cursor }
            cursor = line.next
        }
        return cursor
    }
}

/// The boundaries that a block declares for itself. Each of its Content-Type fields is read once, and only where a
/// line looks like a delimiter.
private struct DeclaredBoundaries {
    private static let maximumTypes = 4

    private var boundaries: [[UInt8]] = []
    private var fieldsSeen = 0

    mutating func areDelimited(by line: Range<Int>, block: HeaderBlock, bytes: UnsafeRawBufferPointer) -> Bool
    {
        let text = bytes.slice(line).trimmed()
        guard text.count > 2, text[1] == Octet.hyphen else { return false }
        while fieldsSeen < block.fields.count {
            let field = block.fields[fieldsSeen]
            fieldsSeen += 1
            guard field.name == .contentType, boundaries.count < Self.maximumTypes else { continue }
            // What is odd in the type is noted when the entity reads it.
            var defects = DefectLog()
            let type = ContentType(
                bytes.slice(field.value), standard: .plain,
                parameterLimit: MailLimits.standard.parameters, defects: &defects)
            if type.kind == .multipart, let boundary = type.parameters?.raw("boundary")?.bytes,
                !boundary.isEmpty
            {
                boundaries.append(boundary)
            }
        }
        return boundaries.contains {
            text.count == $0.count + 2 && text.slice(2..<text.count).elementsEqual($0)
        }
    }
}
