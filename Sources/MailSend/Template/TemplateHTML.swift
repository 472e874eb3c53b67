import MailModel

/// The tags of a template in HTML, told apart by where they stand. Character references make a value safe as text and
/// in most attributes; in an address it could still add a parameter, and in a script or at an address's beginning
/// anything.
struct TemplateHTML {
    /// Put around a tag that stands in an address, to have it escaped for that.
    let address: (before: String, after: String)

    private enum Place {
        case text, comment, element
        /// Within quotes.
        case value(attribute: String, quote: UInt8, isEmpty: Bool)
        /// Up to the end tag of that name.
        case raw(String)
    }

    private static let addresses: Set<String> = [
        "action", "background", "cite", "data", "formaction", "href", "poster", "src", "srcset", "xlink:href",
    ]

    /// The source with its tags in addresses marked.
    ///
    /// - Throws: `template.syntax` for a tag in a place where no escaping is enough.
    func marked(_ source: String) throws(MailFailure) -> String {
        let bytes = Array(source.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var place = Place.text
        var index = 0
        let end = Self.lastClose(in: bytes)
        while index < bytes.count {
            if index < end, let tag = Self.tag(in: bytes, at: index) {
                let isVariable = Self.isVariable(bytes[tag])
                let isAddress = isVariable ? try Self.isAddress(place, bytes[tag]) : false
                if isAddress { result += address.before.utf8 }
                result += bytes[tag]
                if isAddress { result += address.after.utf8 }
                if isVariable, case .value(let attribute, let quote, _) = place {
                    place = .value(attribute: attribute, quote: quote, isEmpty: false)
                }
                index = tag.upperBound
                continue
            }
            place = Self.place(after: place, bytes, index)
            result.append(bytes[index])
            index += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether a variable stands within an address.
    private static func isAddress(_ place: Place, _ tag: ArraySlice<UInt8>) throws(MailFailure) -> Bool {
        let name = String(decoding: tag.prefix(60), as: UTF8.self)
        switch place {
        case .text, .comment: return false
        case .element: throw .templateSyntax("\(name) within an element, and not in the quotes of a value")
        case .raw(let element): throw .templateSyntax("\(name) within a \(element)")
        case .value(let attribute, _, let isEmpty):
            guard attribute != "style", !attribute.hasPrefix("on") else {
                throw .templateSyntax("\(name) within \(attribute)=")
            }
            guard addresses.contains(attribute) else { return false }
            guard !isEmpty else { throw .templateSyntax("\(name) at the beginning of \(attribute)=") }
            return true
        }
    }

    private static func place(after place: Place, _ bytes: [UInt8], _ index: Int) -> Place {
        let byte = bytes[index]
        switch place {
        case .text:
            guard byte == UInt8(ascii: "<"), index + 1 < bytes.count else { return .text }
            if bytes[index...].starts(with: "<!--".utf8) { return .comment }
            let next = bytes[index + 1]
            return Grammar.isAlphanumeric(next) || next == UInt8(ascii: "/") || next == UInt8(ascii: "!")
                ? .element : .text
        case .comment: return bytes[...index].suffix(3).elementsEqual("-->".utf8) ? .text : .comment
        case .element:
            if byte == UInt8(ascii: ">") { return rawElement(bytes[..<index]).map(Place.raw) ?? .text }
            guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") else { return .element }
            return .value(attribute: attribute(before: bytes[..<index]), quote: byte, isEmpty: true)
        case .value(let attribute, let quote, let isEmpty):
            if byte == quote { return .element }
            return .value(attribute: attribute, quote: quote, isEmpty: isEmpty && byte <= 0x20)
        case .raw(let name):
            let end = Array("</\(name)".utf8)
            return lowercased(bytes[index...].prefix(end.count)) == end ? .element : place
        }
    }

    /// The script or style sheet that begins after this start tag.
    private static func rawElement(_ bytes: ArraySlice<UInt8>) -> String? {
        guard let open = bytes.lastIndex(of: UInt8(ascii: "<")) else { return nil }
        let name = lowercased(bytes[(open + 1)...].prefix { Grammar.isAlphanumeric($0) })
        return ["script", "style"].first { Array($0.utf8) == name }
    }

    /// The name before an equals sign, in lower case.
    private static func attribute(before bytes: ArraySlice<UInt8>) -> String {
        var rest = bytes
        while let last = rest.last, last <= 0x20 { rest.removeLast() }
        guard rest.last == UInt8(ascii: "=") else { return "" }
        rest.removeLast()
        while let last = rest.last, last <= 0x20 { rest.removeLast() }
        let name = rest.reversed().prefix { $0 > 0x20 && !"/<\"'".utf8.contains($0) }
        return String(decoding: lowercased(name.reversed()), as: UTF8.self)
    }

    private static func lowercased(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
    }

    // MARK: - Tags

    /// The tag that begins here, with its braces.
    private static func tag(in bytes: [UInt8], at index: Int) -> Range<Int>? {
        guard bytes[index...].starts(with: "{{".utf8),
            let close = bytes[index...].firstRange(of: Array("}}".utf8))
        else { return nil }
        return index..<close.upperBound
    }

    /// Where the last tag may end at the latest; 0 without any.
    private static func lastClose(in bytes: [UInt8]) -> Int {
        var index = bytes.count - 1
        while index > 0 {
            if bytes[index] == UInt8(ascii: "}"), bytes[index - 1] == UInt8(ascii: "}") { return index }
            index -= 1
        }
        return 0
    }

    private static func isVariable(_ tag: ArraySlice<UInt8>) -> Bool {
        let sign = tag.dropFirst(2).first { $0 > 0x20 }
        return sign.map { !"#^/!".utf8.contains($0) } ?? false
    }
}
