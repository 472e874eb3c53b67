import MailModel

/// The tags of a template in HTML, told apart by where they stand. Character references make a value safe as text and
/// in most attributes; in an address it could still add a parameter, and in a script or at an address's beginning
/// anything.
struct TemplateHTML {
    /// Put around a tag that stands in an address, to have it escaped for that.
    let address: (before: String, after: String)

    /// The source with its tags in addresses marked.
    ///
    /// A section must end where it begins: in the same kind of place, so that what stands behind it is read in the same way
    /// whether it is there or not.
    ///
    /// - Throws: `template.syntax` for a tag in a place where no escaping is enough.
    func marked(_ source: String) throws(MailFailure) -> String {
        let bytes = Array(source.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var place = MarkupPlace.text
        var sections: [MarkupPlace] = []
        var index = 0
        let end = Self.lastClose(in: bytes)
        while index < bytes.count {
            guard index < end, let tag = Self.tag(in: bytes, at: index) else {
                place = place.after(bytes[index])
                result.append(bytes[index])
                index += 1
                continue
            }
            index = tag.upperBound
            let name = String(decoding: bytes[tag].prefix(60), as: UTF8.self)
            try Self.demandWhole(place, name)
            switch bytes[tag].dropFirst(2).first(where: { $0 > 0x20 }) {
            case UInt8(ascii: "!"): result += bytes[tag]
            case UInt8(ascii: "#"), UInt8(ascii: "^"):
                sections.append(place)
                result += bytes[tag]
            case UInt8(ascii: "/"):
                guard sections.popLast().map({ $0 == place }) ?? true else {
                    throw .templateSyntax(
                        "\(name) ends a section within another element or value than it begins in")
                }
                result += bytes[tag]
            default:
                let isAddress = try Self.isAddress(place, name)
                if isAddress { result += address.before.utf8 }
                result += bytes[tag]
                if isAddress { result += address.after.utf8 }
                if case .comment = place { place = .comment([]) }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A tag is left out or replaced: what stands before it and behind it may become one.
    private static func demandWhole(_ place: MarkupPlace, _ name: String) throws(MailFailure) {
        switch place {
        case .opening, .elementName:
            throw .templateSyntax("\(name) right behind <, or within an element's name")
        case .declaration: throw .templateSyntax("\(name) within a declaration (<! or <?)")
        case .raw(let element, let end):
            guard end.isEmpty else { throw .templateSyntax("\(name) within the end of a \(element)") }
        default: break
        }
    }

    /// Whether a variable stands within an address.
    private static func isAddress(_ place: MarkupPlace, _ name: String) throws(MailFailure) -> Bool {
        switch place {
        case .text, .comment, .opening, .declaration, .elementName: return false
        case .element: throw .templateSyntax("\(name) within an element, and not in the quotes of a value")
        case .raw("title", _), .raw("textarea", _): return false
        case .raw(let element, _): throw .templateSyntax("\(name) within a \(element)")
        case .value(_, let attribute, _, let address):
            guard !isCode(attribute) else { throw .templateSyntax("\(name) within \(attribute)=") }
            switch address {
            case nil: return false
            case .fixed: return true
            case .beginning, .other:
                throw .templateSyntax(
                    "\(name) at the beginning of \(attribute)=, which must begin with https://HOST/, mailto: or"
                        + " another word that says where it leads")
            }
        }
    }

    /// Values that are read as a language of their own.
    private static func isCode(_ attribute: String) -> Bool {
        attribute.hasPrefix("on")
            || ["style", "srcdoc", "content", "http-equiv", "values", "from", "to", "by", "attributename"]
                .contains(attribute)
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
}
