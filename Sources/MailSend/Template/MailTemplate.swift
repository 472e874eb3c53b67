public import MailModel
import Mustache

/// A mail with places for what differs from one recipient to the next (mustache). What is filled in is escaped
/// for the place where it stands: a name cannot bring markup into HTML or a line break into the subject.
///
/// The tags are `{{variable}}`, `{{#variable}}…{{/variable}}` for what stands only where the variable has a
/// value, `{{^variable}}…{{/variable}}` for where it has none, and `{{! comment }}`. Tags that would fill in
/// without escaping, or read other templates, are refused, and so is a variable that nobody knows: it would be
/// an empty place in a mail to a customer.
public struct MailTemplate: Sendable, Hashable {
    public var subject: String
    public var text: String?
    public var html: String?

    /// The largest of the three, in bytes.
    public static let limit = 1 << 20

    public init(subject: String, text: String?, html: String?) {
        self.subject = subject
        self.text = text
        self.html = html
    }

    /// What a template becomes for one recipient.
    public struct Filled: Sendable, Hashable {
        public var subject: String
        public var text: String?
        public var html: String?
    }

    /// - Throws: `template.syntax`, `template.variable`, `compose.too-long`.
    public func fill(_ values: TemplateValues) throws(MailFailure) -> Filled {
        Filled(
            subject: try Self.fill(subject, "subject", .header, values),
            text: try text.map { text throws(MailFailure) in try Self.fill(text, "text", .text, values) },
            html: try html.map { html throws(MailFailure) in try Self.fill(html, "HTML", .html, values) })
    }

    /// Whether every recipient's mail can be made: with each variable filled, and with none.
    ///
    /// - Throws: as `fill`.
    public func check() throws(MailFailure) {
        guard text != nil || html != nil else {
            throw MailFailure(
                .templateSyntax, kind: .permanent, "A template needs a text",
                remedy: "Give --text, --html or both.")
        }
        _ = try fill(.everything)
        _ = try fill(TemplateValues())
    }

    private static func fill(
        _ source: String, _ part: String, _ place: TemplatePlace, _ values: TemplateValues
    ) throws(MailFailure) -> String {
        guard source.utf8.count <= limit else { throw .overlong(part, limit: limit) }
        try refuseRawTags(in: source, part)
        try refuseDeepSections(in: source, part)
        let source =
            try place == .html ? TemplateHTML(address: TemplatePlace.address.marks).marked(source) : source
        let template: MustacheTemplate
        do {
            template = try MustacheTemplate(string: place.pragma + source)
        } catch let error as MustacheTemplate.ParserError {
            // The first line holds our own word in front.
            let shift = error.context.lineNumber == 1 ? place.pragma.count : 0
            throw .templateSyntax(
                "\(part), line \(error.context.lineNumber), column \(max(1, error.context.columnNumber - shift))"
            )
        } catch {
            throw .templateSyntax(part)
        }
        let lookup = TemplateLookup(values)
        let filled = template.render(lookup)
        if let unknown = lookup.unknown.first {
            throw MailFailure(
                .templateVariable, kind: .permanent, "The template names a variable that does not exist",
                detail: "{{\(unknown)}} in the \(part)",
                remedy: "Known are \(TemplateValues.names.joined(separator: ", ")).")
        }
        guard filled.utf8.count <= limit else { throw .overlong(part, limit: limit) }
        return filled
    }

    /// How many sections may stand in one another: the reader of templates needs the stack for each.
    private static let sectionDepth = 32

    /// Tags as the reader of templates finds them, whole characters compared: a comment's content is none.
    private static func refuseDeepSections(in source: String, _ part: String) throws(MailFailure) {
        var depth = 0
        var rest = source[...]
        while let open = rest.firstRange(of: "{{") {
            rest = rest[open.upperBound...]
            let close = rest.firstRange(of: "}}")
            let tag = rest[..<(close?.lowerBound ?? rest.endIndex)]
            rest = rest[(close?.upperBound ?? rest.endIndex)...]
            switch tag.first {
            case "#", "^": depth += 1
            case "/": depth -= 1
            default: break
            }
            guard depth <= sectionDepth else {
                throw .templateSyntax("more than \(sectionDepth) sections in one another in the \(part)")
            }
        }
    }

    /// Tags whose first character would switch escaping off, change the delimiters, or include something.
    private static func refuseRawTags(in source: String, _ part: String) throws(MailFailure) {
        var rest = source.utf8[...]
        while let open = rest.firstRange(of: Array("{{".utf8)) {
            rest = rest[open.upperBound...]
            let tag = rest.prefix(upTo: rest.firstRange(of: Array("}}".utf8))?.lowerBound ?? rest.endIndex)
            let sign = tag.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
            let isComment = sign == UInt8(ascii: "!")
            let isOdd = sign.map { "{&=%><$*.".utf8.contains($0) } ?? false
            guard isOdd || (!isComment && tag.contains(UInt8(ascii: "("))) else { continue }
            throw .templateSyntax("{{\(String(decoding: tag.prefix(60), as: UTF8.self))}} in the \(part)")
        }
    }
}

extension MailFailure.Code {
    public static let templateSyntax = Self("template.syntax")
    /// A variable that does not exist.
    public static let templateVariable = Self("template.variable")
}

extension MailFailure {
    static func templateSyntax(_ detail: String) -> MailFailure {
        MailFailure(
            .templateSyntax, kind: .permanent, "The template cannot be read", detail: detail,
            remedy: "Write {{variable}}, {{#variable}}…{{/variable}} or {{^variable}}…{{/variable}}.")
    }
}

/// Where a value is filled in, and so how it is escaped.
private enum TemplatePlace {
    case header, text, html
    /// Within an address in HTML.
    case address

    /// What makes a tag in HTML one of this place.
    var marks: (before: String, after: String) { (pragma, Self.html.pragma) }

    var pragma: String { "{{% CONTENT_TYPE:\(name)}}" }

    private var name: String {
        // Once in a process: the library keeps its list of kinds for all.
        _ = Self.registered
        switch self {
        case .header: return "MAILHEADER"
        case .text: return "MAILTEXT"
        case .html: return "MAILHTML"
        case .address: return "MAILADDRESS"
        }
    }

    private static let registered: Void = {
        MustacheContentTypes.register(HeaderPlace(), named: "MAILHEADER")
        MustacheContentTypes.register(TextPlace(), named: "MAILTEXT")
        MustacheContentTypes.register(HTMLPlace(), named: "MAILHTML")
        MustacheContentTypes.register(AddressPlace(), named: "MAILADDRESS")
    }()
}

/// One line without control characters.
private struct HeaderPlace: MustacheContentType {
    func escapeText(_ text: String) -> String { text.asForeignLine }
}

/// One line too: what is filled in is a word or a name, and must not look like the writer's own lines.
private struct TextPlace: MustacheContentType {
    func escapeText(_ text: String) -> String { HeaderPlace().escapeText(text) }
}

/// A part of an address (RFC 3986): percent-encoded, so that it adds no parameter and ends no path. The @ of a mailto:
/// address may stand.
private struct AddressPlace: MustacheContentType {
    func escapeText(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in HeaderPlace().escapeText(text).utf8 {
            if Grammar.isAlphanumeric(byte) || "-._~@".utf8.contains(byte) {
                result.append(byte)
            } else {
                result += [
                    UInt8(ascii: "%"), HexDigits.upper[Int(byte >> 4)], HexDigits.upper[Int(byte & 15)],
                ]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Text, and the value of an attribute in quotes.
private struct HTMLPlace: MustacheContentType {
    func escapeText(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for character in HeaderPlace().escapeText(text).unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "`": result += "&#96;"
            case "=": result += "&#61;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
