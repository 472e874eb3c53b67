import MailModel

/// Makes the readable text of a message out of its text leaves.
struct BodyText {
    let limits: MailLimits
    var utf8: [UInt8] = []
    init(limits: MailLimits) { self.limits = limits }

    var isFull: Bool { utf8.count >= limits.textBytes }

    /// Appends a plain text leaf, already decoded to octets of its charset.
    mutating func appendPlain(
        _ octets: UnsafeRawBufferPointer, _ type: ContentType, label: [UInt8]?, defects: inout DefectLog
    ) {
        var text: [UInt8] = []
        TextDecoder.decode(octets, label: label, into: &text, defects: &defects)
        Self.normaliseLines(&text)
        if let format = type.parameters?.raw("format")?.bytes,
            format.withUnsafeBytes({ $0.trimmed().equalsIgnoringCase("flowed") })
        {
            let deletes =
                type.parameters?.raw("delsp")?.bytes.withUnsafeBytes {
                    $0.trimmed().equalsIgnoringCase("yes")
                } ?? false
            text = FormatFlowed.unflowed(text, deletesSpace: deletes)
        }
        append(&text, defects: &defects)
    }

    /// Appends an HTML leaf, already decoded to octets of its charset.
    mutating func appendHTML(
        _ octets: UnsafeRawBufferPointer, label: [UInt8]?, defects: inout DefectLog
    ) {
        var html: [UInt8] = []
        var label = label
        if Self.namesNone(label, of: octets), let named = Self.metaCharset(octets) {
            if label != nil { defects.note(.mislabelledCharset) }
            label = named
        }
        TextDecoder.decode(octets, label: label, into: &html, defects: &defects)
        if html.withUnsafeBytes({ $0.offset(of: 0, from: 0, to: $0.count) }) != nil {
            html.removeAll { $0 == 0 }
        }
        Self.closeEntities(&html)
        var text: [UInt8] = []
        if !HTMLText.convert(html, limit: limits.textBytes, into: &text) { defects.note(.malformedHTML) }
        append(&text, defects: &defects)
    }

    private mutating func append(_ text: inout [UInt8], defects: inout DefectLog) {
        var end = text.count
        while end > 0, Octet.isSpace(text[end - 1]) { end -= 1 }
        guard end > 0 else { return }
        let gap = utf8.isEmpty ? 0 : 2
        let room = max(0, limits.textBytes - utf8.count - gap)
        let kept = UTF8Text.prefixLength(text[..<end], limit: room)
        if kept > 0, utf8.isEmpty {
            text.removeLast(text.count - kept)
            swap(&utf8, &text)
        } else if kept > 0 {
            utf8.append(contentsOf: repeatElement(Octet.lf, count: gap))
            utf8 += text[..<kept]
        }
        if kept < end { defects.note(.textLimit) }
    }

    /// CRLF, CRCRLF and lone CR to LF; NUL, a byte order mark in front and other control
    /// characters that no reader shows are dropped.
    private static func normaliseLines(_ text: inout [UInt8]) {
        let count = text.count
        let kept = text.withUnsafeMutableBufferPointer { bytes in
            var kept = 0
            var index = 0
            if count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { index = 3 }
            let raw = UnsafeMutableRawBufferPointer(bytes)
            while index < count {
                // Eight characters at once where none of them is a control character.
                if index + 8 <= count {
                    let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    let isBelow = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
                    if isBelow == 0 {
                        raw.storeBytes(of: word, toByteOffset: kept, as: UInt64.self)
                        index += 8
                        kept += 8
                        continue
                    }
                }
                let byte = bytes[index]
                index += 1
                if byte >= 0x20 || byte == Octet.lf || byte == Octet.tab {
                    bytes[kept] = byte
                    kept += 1
                } else if byte == Octet.cr {
                    if index < count, bytes[index] == Octet.lf { continue }
                    if index + 1 < count, bytes[index] == Octet.cr, bytes[index + 1] == Octet.lf { continue }
                    bytes[kept] = Octet.lf
                    kept += 1
                } else if byte == 0x0C || byte == 0x0B {
                    bytes[kept] = Octet.lf
                    kept += 1
                }
            }
            return kept
        }
        text.removeLast(count - kept)
    }

    /// Old entities stand without their semicolon in real mail ("&copy 2025"), and
    /// browsers read them; libxml2 wants it.
    ///
    /// Those that HTML 5 added it does not know at all.
    private static func closeEntities(_ html: inout [UInt8]) {
        var places: [(end: Int, entity: Int?)] = []
        html.withUnsafeBytes { bytes in
            var cursor = 0
            while let ampersand = bytes.offset(of: 0x26, from: cursor, to: bytes.count) {
                var end = ampersand + 1
                while end < bytes.count, end - ampersand < 8, Octet.isLetter(bytes[end]) { end += 1 }
                cursor = end
                let next = end < bytes.count ? bytes[end] : Octet.space
                if next == Octet.semicolon, end - ampersand > 2 {
                    let name = Array(bytes[(ampersand + 1)..<end])
                    if newEntities[name] != nil { places.append((end + 1, ampersand)) }
                    continue
                }
                let isOpen =
                    next != Octet.semicolon && next != Octet.equals && !Octet.isLetter(next)
                    && !Octet.isDigit(next)
                guard isOpen, openEntities.contains(Array(bytes[(ampersand + 1)..<end])) else { continue }
                places.append((end, nil))
            }
        }
        guard !places.isEmpty else { return }
        var result: [UInt8] = []
        result.reserveCapacity(html.count + places.count)
        var start = 0
        for place in places {
            if let entity = place.entity {
                result += html[start..<entity]
                result += newEntities[Array(html[(entity + 1)..<(place.end - 1)])] ?? []
            } else {
                result += html[start..<place.end]
                result.append(Octet.semicolon)
            }
            start = place.end
        }
        html = result + html[start...]
    }

    /// None of them is syntax.
    private static let newEntities: [[UInt8]: [UInt8]] = {
        let table = [
            "numero": "№", "check": "✓", "cross": "✗", "star": "☆", "starf": "★", "phone": "☎", "female": "♀",
            "male": "♂", "lbrack": "[", "lsqb": "[", "rbrack": "]", "rsqb": "]", "lbrace": "{", "lcub": "{",
            "rbrace": "}", "rcub": "}", "lpar": "(", "rpar": ")", "excl": "!", "quest": "?", "num": "#",
            "dollar": "$", "percnt": "%", "ast": "*", "plus": "+", "comma": ",", "period": ".", "sol": "/",
            "colon": ":", "semi": ";", "commat": "@", "lowbar": "_", "verbar": "|", "vert": "|", "dash": "‐",
            "hyphen": "‐", "horbar": "―", "hearts": "♥",
        ]
        return Dictionary(uniqueKeysWithValues: table.map { (Array($0.key.utf8), Array($0.value.utf8)) })
    }()

    private static let openEntities: Set<[UInt8]> = Set(
        [
            "nbsp", "copy", "reg", "amp", "lt", "gt", "quot", "laquo", "raquo", "sect", "deg", "plusmn",
            "middot",
        ]
        .map { Array($0.utf8) })

    /// Whether the part names no charset that could be that of its octets.
    private static func namesNone(_ label: [UInt8]?, of octets: UnsafeRawBufferPointer) -> Bool {
        guard let label else { return true }
        let kind = Charset(label: label)?.kind
        return (kind == nil || kind == .ascii) && !octets.isASCII && !UTF8Text.isValid(octets)
    }

    /// The charset that a document declares in its first kilobytes, where the part does not: in a `meta`
    /// element, or in the declaration of XML.
    private static func metaCharset(_ octets: UnsafeRawBufferPointer) -> [UInt8]? {
        let head = octets.slice(0..<min(octets.count, 2048))
        var cursor = 0
        while let equals = head.offset(of: Octet.equals, from: cursor, to: head.count) {
            cursor = equals + 1
            let isCharset = equals >= 7 && head.slice((equals - 7)..<equals).hasPrefixIgnoringCase("charset")
            let isXML =
                equals >= 8 && head.slice((equals - 8)..<equals).hasPrefixIgnoringCase("encoding")
                && head.trimmed().hasPrefixIgnoringCase("<?xml")
            guard isCharset || isXML else { continue }
            var label: [UInt8] = []
            while cursor < head.count, label.count < 40 {
                let byte = head[cursor]
                cursor += 1
                if Octet.isLetter(byte) || Octet.isDigit(byte) || byte == Octet.hyphen
                    || byte == Octet.underscore || byte == Octet.colon
                {
                    label.append(byte)
                } else if !label.isEmpty {
                    break
                }
            }
            return Charset(label: label) == nil ? nil : label
        }
        return nil
    }
}
