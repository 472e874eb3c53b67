/// A media type (RFC 2045, 5.1) with its parameters.
struct ContentType {
    enum Kind {
        case plain, html, otherText, multipart, message, other
    }

    /// `type/subtype` in lower case.
    var name: String
    var kind: Kind
    var parameters: Parameters?
    /// False when the field was missing or said nothing usable, so that a default stands here.
    var isDeclared: Bool

    static let plain = ContentType(name: "text/plain", kind: .plain, parameters: nil, isDeclared: false)
    static let rfc822 = ContentType(
        name: "message/rfc822", kind: .message, parameters: nil, isDeclared: false)

    init(name: String, kind: Kind, parameters: Parameters?, isDeclared: Bool) {
        self.name = name
        self.kind = kind
        self.parameters = parameters
        self.isDeclared = isDeclared
    }

    /// Reads a field's value; `standard` stands in for one that says nothing usable.
    init(
        _ value: UnsafeRawBufferPointer, standard: ContentType, parameterLimit: Int, defects: inout DefectLog
    ) {
        if !Self.hasSubtype(value), let repaired = Self.withoutLoneReturns(value) {
            defects.note(.malformedParameter)
            self = repaired.withUnsafeBytes {
                ContentType($0, standard: standard, parameterLimit: parameterLimit, defects: &defects)
            }
            return
        }
        if let repaired = Self.withoutBlanksAroundSlash(value) {
            self = repaired.withUnsafeBytes {
                ContentType($0, standard: standard, parameterLimit: parameterLimit, defects: &defects)
            }
            return
        }
        var value = value.trimmed()
        // The type in quotation marks, which are for parameters.
        if value.first == Octet.quote { value = value.slice(1..<value.count) }
        var end = 0
        while end < value.count, value[end] != Octet.semicolon, !Octet.isSpace(value[end]),
            value[end] != Octet.openParenthesis, value[end] != Octet.quote, value[end] != Octet.comma
        {
            end += 1
        }
        var name = value.slice(0..<end)
        // A comma for the semicolon.
        if end < value.count, value[end] == Octet.quote || value[end] == Octet.comma { end += 1 }
        let slash = name.firstIndex(of: Octet.slash)
        if let equals = name.firstIndex(of: Octet.equals), equals < slash ?? name.count {
            // A parameter where the type should stand.
            defects.note(.malformedParameter)
            name = name.slice(0..<0)
            end = 0
        }
        let rest = value.slice(end..<value.count)
        parameters =
            rest.isEmpty ? nil : Parameters(rest: rest, limit: parameterLimit, defects: &defects)
        guard let slash, slash > 0, slash < name.count - 1,
            name.lastIndex(of: Octet.slash) == slash
        else {
            self.name = standard.name
            kind = standard.kind
            isDeclared = false
            if name.equalsIgnoringCase("text") {
                self.name = "text/plain"
                kind = .plain
            } else if name.equalsIgnoringCase("html") {
                self.name = "text/html"
                kind = .html
            } else if name.isEmpty, parameters?.raw("boundary") != nil {
                // Only multiparts have one.
                self.name = "multipart/mixed"
                kind = .multipart
            } else if !name.isEmpty {
                defects.note(.malformedParameter)
            }
            return
        }
        isDeclared = true
        // RFC 6838, 4.2: nobody registers longer ones, and ten thousand of a quarter megabyte fill the memory.
        self.name = name.slice(0..<min(name.count, Self.maximumName)).lowercasedString()
        let type = name.slice(0..<slash)
        if type.equalsIgnoringCase("text") {
            let subtype = name.slice((slash + 1)..<name.count)
            kind =
                subtype.equalsIgnoringCase("plain")
                ? .plain
                : subtype.equalsIgnoringCase("html") ? .html : Self.nearlyText[self.name] ?? .otherText
        } else if type.equalsIgnoringCase("multipart") {
            kind = .multipart
        } else if type.equalsIgnoringCase("message") {
            kind = .message
        } else {
            kind = Self.nearlyText[self.name] ?? .other
        }
    }

    private static let maximumName = 255

    /// What web forms write for the types of text.
    private static let nearlyText: [String: Kind] = [
        "plain/text": .plain, "text/text": .plain, "text/txt": .plain, "html/text": .html, "text/htm": .html,
    ]

    /// The value with its type in one word; nil where it is, or where that is no type. RFC 822
    /// allowed blanks between any two words.
    private static func withoutBlanksAroundSlash(_ value: UnsafeRawBufferPointer) -> [UInt8]? {
        let value = value.trimmed()
        var end = 0
        while end < value.count, Octet.isLetter(value[end]) || value[end] == Octet.hyphen { end += 1 }
        var slash = end
        while slash < value.count, Octet.isSpace(value[slash]) { slash += 1 }
        guard end > 0, slash + 1 < value.count, value[slash] == Octet.slash,
            slash > end || Octet.isSpace(value[slash + 1])
        else { return nil }
        let rest = value.slice((slash + 1)..<value.count).trimmed()
        guard let first = rest.first, Octet.isLetter(first) else { return nil }
        return Array(value[..<end]) + [Octet.slash] + rest
    }

    /// Whether the first word is more than half a type.
    private static func hasSubtype(_ value: UnsafeRawBufferPointer) -> Bool {
        var hasSlash = false
        for byte in value.trimmed() {
            if byte == Octet.semicolon || Octet.isSpace(byte) { return false }
            if hasSlash { return true }
            hasSlash = byte == Octet.slash
        }
        return false
    }

    /// The value without returns that end no line, where there are any: damage in
    /// transport, which would hide the parts of a multipart.
    private static func withoutLoneReturns(_ value: UnsafeRawBufferPointer) -> [UInt8]? {
        func isLone(_ index: Int) -> Bool {
            value[index] == Octet.cr && index + 1 < value.count && value[index + 1] != Octet.lf
        }
        guard value.offset(of: Octet.cr, from: 0, to: value.count) != nil,
            value.indices.contains(where: isLone)
        else { return nil }
        return value.indices.lazy.filter { !isLone($0) }.map { value[$0] }
    }

    /// Whether a subtype of text that we do not know is one that people read (RFC 2046, 4.1.4): neither another
    /// form of content that is read elsewhere, nor code.
    var isReadableText: Bool { kind == .otherText && !Self.codes.contains(name) }

    private static let codes: Set<String> = [
        "text/calendar", "text/x-vcalendar", "text/vcard", "text/x-vcard", "text/directory",
        "text/rfc822-headers", "text/x-amp-html", "text/rtf", "text/css", "text/javascript", "text/xml",
    ]

    /// Whether a file is named.
    var hasName: Bool {
        parameters.map { AttachmentNames.hasName($0, "name") || AttachmentNames.hasName($0, "filename") }
            ?? false
    }

    /// The charset parameter's label.
    var charsetLabel: [UInt8]? { parameters?.raw("charset")?.bytes }
}

/// A Content-Transfer-Encoding (RFC 2045, section 6).
enum TransferEncoding {
    case identity, base64, quotedPrintable, uuencode, yenc

    /// Stands in digests: never another one.
    var word: String {
        switch self {
        case .identity: ""
        case .base64: "base64"
        case .quotedPrintable: "quoted-printable"
        case .uuencode: "uuencode"
        case .yenc: "yenc"
        }
    }

    init(_ value: UnsafeRawBufferPointer, defects: inout DefectLog) {
        var start = 0
        let value = value.trimmed()
        while start < value.count, value[start] == Octet.quote { start += 1 }
        var end = start
        while end < value.count, !Octet.isSpace(value[end]), value[end] != Octet.semicolon,
            value[end] != Octet.quote, value[end] != Octet.openParenthesis, value[end] != Octet.comma
        {
            end += 1
        }
        let token = value.slice(start..<end)
        if token.equalsIgnoringCase("base64") || token.equalsIgnoringCase("b64")
            || token.equalsIgnoringCase("base-64")
            || token.equalsIgnoringCase("x-base64") || value.equalsIgnoringCase("base 64")
        {
            self = .base64
        } else if token.equalsIgnoringCase("quoted-printable")
            || token.equalsIgnoringCase("quotedprintable") || token.equalsIgnoringCase("quoted_printable")
            || token.equalsIgnoringCase("qp") || value.equalsIgnoringCase("quoted printable")
        {
            self = .quotedPrintable
        } else if token.equalsIgnoringCase("x-uuencode") || token.equalsIgnoringCase("uuencode")
            || token.equalsIgnoringCase("x-uue") || token.equalsIgnoringCase("uue")
        {
            self = .uuencode
        } else if token.equalsIgnoringCase("x-yenc") || token.equalsIgnoringCase("yenc") {
            self = .yenc
        } else {
            self = .identity
            let isKnown =
                token.isEmpty || token.equalsIgnoringCase("7bit") || token.equalsIgnoringCase("8bit")
                || token.equalsIgnoringCase("binary") || token.equalsIgnoringCase("7-bit")
                || token.equalsIgnoringCase("8-bit")
            if !isKnown { defects.note(.unknownTransferEncoding) }
        }
    }
}
