/// The parameters of one field (RFC 2045, 5.1), names in lower case, values as raw
/// octets unless RFC 2231 said their charset.
public struct Parameters: Sendable {
    struct Value {
        var bytes: [UInt8]
        /// What the grammar of quoted pairs makes of the value, where that differs: in
        /// `bytes`, a backslash before an ordinary character stands for itself, since
        /// senders put paths in quotes.
        var unescaped: [UInt8]?
        /// The charset that an extended value named; nil for a plain one.
        var charset: [UInt8]?
        var isExtended: Bool

        init() {
            bytes = []
            isExtended = false
        }

        init(_ piece: Piece) {
            bytes = piece.value
            unescaped = piece.unescaped
            isExtended = false
        }
    }

    private var values: [(name: String, value: Value)] = []

    func raw(_ name: String) -> Value? {
        for entry in values where entry.name == name { return entry.value }
        return nil
    }

    var isEmpty: Bool { values.isEmpty }

    /// Each with the octets of its value, by name: their order says nothing.
    func forEach(_ body: (_ name: String, _ bytes: [UInt8]) -> Void) {
        for entry in values.sorted(by: { $0.name < $1.name }) { body(entry.name, entry.value.bytes) }
    }

    /// One parameter that stood in a field of its own.
    init(name: String, value: [UInt8]) {
        var whole = Value()
        whole.bytes = value
        values = [(name, whole)]
    }

    /// The names that somebody asks for. Ten thousand parts that kept all of theirs would fill the memory.
    private static let known: Set<String> = [
        "boundary", "charset", "delsp", "filename", "format", "method", "name", "protocol", "report-type",
        "smime-type",
    ]
    /// Octets of a value that are kept: more than the longest name of a file has. A boundary counts as a whole.
    private static let maximumValue = 4096

    private mutating func keep(_ value: Value, as name: String) {
        var value = value
        if name != "boundary", value.bytes.count > Self.maximumValue {
            value.bytes = Array(value.bytes.prefix(Self.maximumValue))
        }
        if let unescaped = value.unescaped, unescaped.count > Self.maximumValue {
            value.unescaped = Array(unescaped.prefix(Self.maximumValue))
        }
        values.append((name, value))
    }

    /// Reads the parameters of a structured field such as Content-Disposition, behind
    /// its value proper. Never fails: what does not fit is left out and noted.
    public init(field: UnsafeRawBufferPointer, limit: Int = 200, defects: inout DefectLog) {
        var start = 0
        while start < field.count, Octet.isSpace(field[start]) { start += 1 }
        let valueStart = start
        while start < field.count, field[start] != Octet.semicolon, !Octet.isSpace(field[start]),
            field[start] != Octet.equals
        {
            start += 1
        }
        // A parameter where the value should stand.
        if start < field.count, field[start] == Octet.equals { start = valueStart }
        self.init(rest: field.slice(start..<field.count), limit: limit, defects: &defects)
    }

    /// Reads what follows the value proper. Senders forget the first semicolon.
    init(rest: UnsafeRawBufferPointer, limit: Int, defects: inout DefectLog) {
        var pieces: [Piece] = []
        var scanner = ParameterScanner(bytes: rest)
        while let piece = scanner.next() {
            if pieces.count == limit {
                defects.note(.fieldLimit)
                break
            }
            pieces.append(piece)
        }
        if scanner.isMalformed { defects.note(.malformedParameter) }
        assemble(pieces, defects: &defects)
    }

    /// One parameter as written: `name*3*=value` has section 3 and is extended.
    struct Piece {
        var name: String
        var section: Int?
        var isExtended: Bool
        var value: [UInt8]
        var unescaped: [UInt8]?
    }

    /// Joins continuations and undoes percent-encoding (RFC 2231). A gap in the
    /// numbering ends nothing: what is there is joined in order.
    private mutating func assemble(_ pieces: [Piece], defects: inout DefectLog) {
        guard pieces.contains(where: { $0.section != nil || $0.isExtended }) else {
            for piece in pieces where Self.known.contains(piece.name) && raw(piece.name) == nil {
                keep(Value(piece), as: piece.name)
            }
            return
        }
        var names: [String] = []
        var groups: [String: [Piece]] = [:]
        for piece in pieces {
            if groups[piece.name] == nil { names.append(piece.name) }
            groups[piece.name, default: []].append(piece)
        }
        for name in names {
            guard Self.known.contains(name), let group = groups[name] else { continue }
            // An extended form says more than a plain one of the same name.
            var sections = group.filter { $0.section != nil }
            if let whole = group.first(where: { $0.isExtended && $0.section == nil }) {
                sections = [whole]
            } else if sections.isEmpty {
                keep(Value(group[0]), as: name)
                continue
            }
            var ordered: [Piece] = []
            for piece in sections.enumerated().sorted(by: {
                ($0.element.section ?? 0, $0.offset) < ($1.element.section ?? 0, $1.offset)
            }) where ordered.last?.section == nil || ordered.last?.section != piece.element.section {
                ordered.append(piece.element)
            }
            for (index, piece) in ordered.enumerated() where (piece.section ?? 0) != index {
                defects.note(.malformedParameter)
                break
            }
            keep(Parameters.join(ordered, defects: &defects), as: name)
        }
    }

    private static func join(_ pieces: [Piece], defects: inout DefectLog) -> Value {
        var value = Value()
        // Whether the first octet of the value proper, and the last one, are quotation marks as they stand.
        var beginsQuoted = false
        var endsQuoted = false
        // Whether the value proper begins as an encoded word does, as it stands: percent-encoded its signs belong to it.
        var beginsAsWord = false
        // Encoded sections in a row, decoded together: programs cut within `%D0` too.
        var encoded: [UInt8] = []
        for (index, piece) in pieces.enumerated() {
            var bytes = piece.value[...]
            endsQuoted = bytes.last == Octet.quote
            if index > 0, let charset = value.charset { bytes = withoutPrefix(bytes, charset) }
            guard piece.isExtended else {
                percentDecode(encoded, into: &value.bytes)
                encoded = []
                value.bytes += bytes
                continue
            }
            value.isExtended = true
            if index == 0 {
                if let first = bytes.firstIndex(of: Octet.apostrophe),
                    let second = bytes[(first + 1)...].firstIndex(of: Octet.apostrophe)
                {
                    value.charset = Array(bytes[..<first])
                    bytes = bytes[(second + 1)...]
                } else {
                    defects.note(.malformedParameter)
                    // One apostrophe was forgotten.
                    if let only = bytes.firstIndex(of: Octet.apostrophe),
                        Charset(label: bytes[..<only]) != nil
                    {
                        value.charset = Array(bytes[..<only])
                        bytes = bytes[(only + 1)...]
                    }
                }
            }
            if index == 0 {
                beginsQuoted = bytes.first == Octet.quote
                beginsAsWord = bytes.dropFirst(beginsQuoted ? 1 : 0).starts(with: [
                    Octet.equals, Octet.question,
                ])
            }
            encoded += bytes
        }
        percentDecode(encoded, into: &value.bytes)
        // Quotation marks around the value proper, behind charset and language; encoded ones belong to it.
        if value.isExtended, value.bytes.count > 2, beginsQuoted, endsQuoted {
            value.bytes.removeFirst()
            value.bytes.removeLast()
        }
        if value.isExtended, beginsAsWord,
            value.bytes.suffix(2) == [Octet.question, Octet.equals]
        {
            // Both ways of naming a charset at once: the encoded words say what it is.
            defects.note(.malformedParameter)
            value.isExtended = false
            value.charset = nil
        }
        return value
    }

    /// A section without the charset, which only the first should name and some
    /// programs repeat.
    private static func withoutPrefix(_ bytes: ArraySlice<UInt8>, _ charset: [UInt8]) -> ArraySlice<UInt8> {
        let prefix = charset + [Octet.apostrophe, Octet.apostrophe]
        guard !charset.isEmpty, bytes.count >= prefix.count,
            zip(bytes, prefix).allSatisfy({ Octet.lowercased($0) == Octet.lowercased($1) })
        else { return bytes }
        return bytes.dropFirst(prefix.count)
    }

    private static func percentDecode(_ bytes: [UInt8], into result: inout [UInt8]) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == Octet.percent, index + 2 < bytes.endIndex,
                let high = Octet.hexValue(bytes[index + 1]), let low = Octet.hexValue(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
    }
}

/// Cuts `; name=value` pairs out of a field, minding quotes and comments.
struct ParameterScanner {
    let bytes: UnsafeRawBufferPointer
    private var index: Int
    private(set) var isMalformed = false
    private var isInsidePair = false
    /// See `Parameters.Value`; of the value that was read last.
    private var unescaped: [UInt8]?

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        index = 0
        skipBlanksAndComments()
        isInsidePair = index < bytes.count && bytes[index] != Octet.semicolon
    }

    mutating func next() -> Parameters.Piece? {
        while index < bytes.count {
            if isInsidePair {
                isInsidePair = false
                isMalformed = true
            } else if bytes[index] == Octet.semicolon {
                index += 1
            } else {
                index += 1
                continue
            }
            skipBlanksAndComments()
            let nameStart = index
            while index < bytes.count, bytes[index] != Octet.equals, bytes[index] != Octet.semicolon {
                index += 1
            }
            let name = bytes.slice(nameStart..<index).trimmed()
            guard index < bytes.count, bytes[index] == Octet.equals else {
                if !name.isEmpty { isMalformed = true }
                continue
            }
            index += 1
            skipBlanksAndComments()
            unescaped = nil
            let value = readValue()
            if name.isEmpty {
                isMalformed = true
                continue
            }
            return piece(name: name, value: value)
        }
        return nil
    }

    private func piece(name: UnsafeRawBufferPointer, value: [UInt8]) -> Parameters.Piece {
        var end = name.count
        var isExtended = false
        if end > 0, name[end - 1] == Octet.asterisk {
            isExtended = true
            end -= 1
        }
        var section: Int?
        if let star = name.slice(0..<end).lastIndex(of: Octet.asterisk), end - star > 1, end - star <= 6 {
            var number = 0
            var isNumber = true
            for digit in name[(star + 1)..<end] {
                guard Octet.isDigit(digit) else {
                    isNumber = false
                    break
                }
                number = number * 10 + Int(digit - 0x30)
            }
            if isNumber {
                section = number
                end = star
            }
        }
        return Parameters.Piece(
            name: name.slice(0..<end).lowercasedString(), section: section, isExtended: isExtended,
            value: value, unescaped: unescaped)
    }

    private mutating func readValue() -> [UInt8] {
        guard index < bytes.count else { return [] }
        var value: [UInt8] = []
        if bytes[index] == Octet.quote {
            index += 1
            // Offsets in the value of backslashes that the grammar takes for escapes.
            var escapes: [Int] = []
            var closing: Int?
            while index < bytes.count {
                if bytes[index] == Octet.quote {
                    let end = closing ?? closingQuote(from: index)
                    if index >= end { break }
                    // Inner ones that nobody escaped.
                    closing = end
                    isMalformed = true
                }
                var byte = bytes[index]
                if byte == Octet.backslash, index + 1 < bytes.count {
                    if bytes[index + 1] == Octet.quote || bytes[index + 1] == Octet.backslash {
                        index += 1
                        byte = bytes[index]
                    } else {
                        escapes.append(value.count)
                    }
                }
                if byte != Octet.cr, byte != Octet.lf { value.append(byte) }
                index += 1
            }
            if !escapes.isEmpty { unescaped = Self.removing(escapes, from: value) }
            if index == bytes.count {
                isMalformed = true
            } else {
                index += 1
            }
            skip(to: Octet.semicolon)
            return value
        }
        if let value = readEscapedQuotes() { return value }
        let start = index
        while index < bytes.count, bytes[index] != Octet.semicolon { index += 1 }
        // Unquoted values with spaces are against the grammar and common.
        let text = bytes.slice(start..<index).trimmed()
        if text.contains(where: Octet.isBlank) { isMalformed = true }
        value.reserveCapacity(text.count)
        for byte in text where byte != Octet.cr && byte != Octet.lf { value.append(byte) }
        return value
    }

    /// A value within quotation marks that were escaped for nothing (`\\"name.pdf\\"`), as PHP writes them
    /// out of a string in apostrophes; nil where there is none.
    private mutating func readEscapedQuotes() -> [UInt8]? {
        func isMark(_ place: Int) -> Bool {
            place + 1 < bytes.count && bytes[place] == Octet.backslash && bytes[place + 1] == Octet.quote
        }
        guard isMark(index) else { return nil }
        var close = index + 2
        while close < bytes.count, bytes[close] != Octet.cr, bytes[close] != Octet.lf, !isMark(close) {
            close += 1
        }
        guard isMark(close), close > index + 2 else { return nil }
        let value = Array(bytes[(index + 2)..<close])
        index = close + 2
        isMalformed = true
        skip(to: Octet.semicolon)
        return value
    }

    /// The quotation mark that ends a value whose first unescaped one is at `start`: that one,
    /// unless the value goes on behind it and ends with another, as a name with a name in
    /// quotation marks does. Behind a mark that another parameter follows there is an equals sign.
    private func closingQuote(from start: Int) -> Int {
        var next = start + 1
        while next < bytes.count, Octet.isBlank(bytes[next]) { next += 1 }
        guard next < bytes.count, bytes[next] != Octet.semicolon, bytes[next] != Octet.openParenthesis,
            bytes[next] != Octet.cr, bytes[next] != Octet.lf
        else { return start }
        while next < bytes.count, bytes[next] != Octet.semicolon, bytes[next] != Octet.equals { next += 1 }
        if next < bytes.count, bytes[next] == Octet.equals { return start }
        while next > start + 1, Octet.isSpace(bytes[next - 1]) { next -= 1 }
        return bytes[next - 1] == Octet.quote ? next - 1 : start
    }

    /// Nil where a backslash may be half of a character (Shift_JIS, ISO-2022).
    private static func removing(_ escapes: [Int], from value: [UInt8]) -> [UInt8]? {
        let isText = value.allSatisfy { $0 < 0x80 && $0 != 0x1B }
        guard isText else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(value.count)
        var start = 0
        for escape in escapes {
            result += value[start..<escape]
            start = escape + 1
        }
        return result + value[start...]
    }

    private mutating func skipBlanksAndComments() {
        while index < bytes.count {
            if Octet.isSpace(bytes[index]) {
                index += 1
            } else if bytes[index] == Octet.openParenthesis {
                skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() {
        var depth = 0
        while index < bytes.count {
            switch bytes[index] {
            case Octet.openParenthesis: depth += 1
            case Octet.closeParenthesis: depth -= 1
            case Octet.backslash: index += 1
            default: break
            }
            index += 1
            if depth == 0 { return }
        }
        index = min(index, bytes.count)
    }

    /// To the next `byte` outside quotes and comments, or the end.
    private mutating func skip(to byte: UInt8) {
        var inQuotes = false
        while index < bytes.count {
            let current = bytes[index]
            if current == Octet.backslash {
                index += 1
            } else if current == Octet.quote {
                inQuotes.toggle()
            } else if current == byte, !inQuotes {
                return
            }
            index += 1
        }
        index = min(index, bytes.count)
    }
}
