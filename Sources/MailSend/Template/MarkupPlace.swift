/// Where one is in HTML, as browsers read it (HTML, 13.2.5): literal octets go in one by one. Pure.
///
/// Two places are equal where whatever follows is read in the same way.
enum MarkupPlace: Hashable {
    case text
    /// Behind `<`, `</` or `<!`: what comes next decides what that is.
    case opening([UInt8])
    /// Behind `<!` or `<?`, up to the next `>`.
    case declaration
    /// With the hyphens, and then perhaps a `!`, that may be the beginning of its end; a 0 stands for its own beginning,
    /// behind which less is enough.
    case comment([UInt8])
    case elementName([UInt8])
    case element(Element, Part)
    /// Within quotes.
    case value(Element, attribute: String, quote: UInt8, address: MarkupAddress?)
    /// A script, a style sheet, a title, …, up to its own end tag, of which some has come perhaps.
    case raw(String, end: [UInt8])

    struct Element: Hashable {
        var name: String
        var isEnd: Bool
    }

    enum Part: Hashable {
        case between
        case name([UInt8])
        case afterName([UInt8])
        case beforeValue([UInt8])
        case unquoted
    }

    /// Elements of which the content is no markup.
    private static let unparsed: Set<String> = [
        "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript",
        "plaintext",
    ]

    /// The place behind one more octet.
    func after(_ byte: UInt8) -> MarkupPlace {
        switch self {
        case .text: byte == UInt8(ascii: "<") ? .opening([byte]) : .text
        case .opening(let begun): Self.opened(begun, byte)
        case .declaration: byte == UInt8(ascii: ">") ? .text : .declaration
        case .comment(let end): Self.inComment(end, byte)
        case .elementName(let begun):
            switch byte {
            case 0...0x20, UInt8(ascii: "/"): .element(Self.named(begun), .between)
            case UInt8(ascii: ">"): Self.behind(Self.named(begun))
            default: .elementName(begun + [byte])
            }
        case .element(let element, let part): Self.within(element, part, byte)
        case .value(let element, let attribute, let quote, let address):
            byte == quote
                ? .element(element, .between)
                : .value(element, attribute: attribute, quote: quote, address: address?.after(byte))
        case .raw(let name, let end): Self.inRaw(name, end, byte)
        }
    }

    private static func opened(_ begun: [UInt8], _ byte: UInt8) -> MarkupPlace {
        let isLetter = (byte | 0x20) &- 0x61 < 26
        switch begun.count {
        case 1:
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "!"): return .opening(begun + [byte])
            case UInt8(ascii: "?"): return .declaration
            case UInt8(ascii: "<"): return .opening([byte])
            default: return isLetter ? .elementName([byte]) : .text
            }
        default:
            if begun[1] == UInt8(ascii: "/") {
                if isLetter { return .elementName(Array("/".utf8) + [byte]) }
                return byte == UInt8(ascii: ">") ? .text : .declaration
            }
            guard byte == UInt8(ascii: "-") else { return byte == UInt8(ascii: ">") ? .text : .declaration }
            return begun.count == 3 ? .comment([0]) : .opening(begun + [byte])
        }
    }

    private static func inComment(_ end: [UInt8], _ byte: UInt8) -> MarkupPlace {
        let hyphens = Array("--".utf8)
        switch byte {
        case UInt8(ascii: ">") where end.count >= 2 || end == [0]: return .text
        case UInt8(ascii: "-"):
            if end == [0] { return .comment([0, byte]) }
            return .comment(end.count == 2 || end == [byte] ? hyphens : [byte])
        case UInt8(ascii: "!") where end == hyphens: return .comment(end + [byte])
        default: return .comment([])
        }
    }

    private static func named(_ begun: [UInt8]) -> Element {
        let isEnd = begun.first == UInt8(ascii: "/")
        return Element(name: lowercased(isEnd ? begun.dropFirst() : begun[...]), isEnd: isEnd)
    }

    private static func behind(_ element: Element) -> MarkupPlace {
        unparsed.contains(element.name) && !element.isEnd ? .raw(element.name, end: []) : .text
    }

    private static func within(_ element: Element, _ part: Part, _ byte: UInt8) -> MarkupPlace {
        let isSpace = byte <= 0x20
        if byte == UInt8(ascii: ">") { return behind(element) }
        switch part {
        case .between:
            return .element(element, isSpace || byte == UInt8(ascii: "/") ? .between : .name([byte]))
        case .name(let name):
            if isSpace { return .element(element, .afterName(name)) }
            if byte == UInt8(ascii: "/") { return .element(element, .between) }
            return .element(element, byte == UInt8(ascii: "=") ? .beforeValue(name) : .name(name + [byte]))
        case .afterName(let name):
            if isSpace { return .element(element, .afterName(name)) }
            if byte == UInt8(ascii: "/") { return .element(element, .between) }
            return .element(element, byte == UInt8(ascii: "=") ? .beforeValue(name) : .name([byte]))
        case .beforeValue(let name):
            if isSpace { return .element(element, .beforeValue(name)) }
            guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") else {
                return .element(element, .unquoted)
            }
            let attribute = lowercased(name[...])
            return .value(
                element, attribute: attribute, quote: byte,
                address: MarkupAddress.attributes.contains(attribute) ? .beginning([]) : nil)
        case .unquoted: return .element(element, isSpace ? .between : .unquoted)
        }
    }

    private static func inRaw(_ name: String, _ end: [UInt8], _ byte: UInt8) -> MarkupPlace {
        let whole = Array("</\(name)".utf8)
        if end.count == whole.count {
            if byte == UInt8(ascii: ">") { return .text }
            if byte <= 0x20 || byte == UInt8(ascii: "/") {
                return .element(Element(name: name, isEnd: true), .between)
            }
        } else if lowercased([byte]) == String(decoding: [whole[end.count]], as: UTF8.self) {
            return name == "plaintext" ? .raw(name, end: []) : .raw(name, end: end + [byte])
        }
        return .raw(name, end: byte == UInt8(ascii: "<") ? [byte] : [])
    }

    private static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

/// How far the value of an attribute has come that is an address (RFC 3986), and so what may follow.
enum MarkupAddress: Hashable {
    /// Scheme and host are not all there.
    case beginning([UInt8])
    /// What follows is neither of them.
    case fixed
    /// Of a kind in which nothing can be filled in: another scheme may be code, and a host may be anybody's.
    case other

    static let attributes: Set<String> = [
        "action", "archive", "background", "cite", "classid", "codebase", "data", "dynsrc", "formaction",
        "href",
        "icon", "longdesc", "lowsrc", "manifest", "ping", "poster", "profile", "src", "srcset", "usemap",
        "xlink:href",
    ]

    /// Schemes without a host.
    private static let hostless = ["mailto:", "tel:", "sms:", "cid:", "#"]
    private static let hosted = ["https://", "http://", "//"]

    func after(_ byte: UInt8) -> MarkupAddress {
        guard case .beginning(let begun) = self else { return self }
        // Browsers overlook white space before an address.
        if begun.isEmpty, byte <= 0x20 { return self }
        let text = String(decoding: begun + [byte], as: UTF8.self).lowercased()
        let isHost = Self.hosted.contains { text.hasPrefix($0) }
        // It could stand for any other character, or be read as one.
        guard byte > 0x20, byte < 0x7F || isHost, byte != UInt8(ascii: "&"), byte != UInt8(ascii: "\\") else {
            return .other
        }
        if Self.hostless.contains(text) { return .fixed }
        for scheme in Self.hosted where text.hasPrefix(scheme) {
            guard "/?#".utf8.contains(byte), text.utf8.count > scheme.utf8.count else { break }
            return text.utf8.count > scheme.utf8.count + 1 ? .fixed : .other
        }
        let isKnown = (Self.hostless + Self.hosted).contains { $0.hasPrefix(text) || text.hasPrefix($0) }
        return isKnown && text.utf8.count < 300 ? .beginning(begun + [byte]) : .other
    }
}
