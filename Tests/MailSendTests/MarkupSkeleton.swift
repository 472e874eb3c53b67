/// What a browser makes of HTML, without the words: element by element, attribute by attribute. For tests; it reads by
/// searching, and shares nothing with how templates are read.
struct MarkupSkeleton: Equatable, CustomStringConvertible {
    private(set) var parts: [String] = []
    var description: String { parts.joined(separator: " ") }

    private static let raw = ["script", "style", "title", "textarea"]
    private static let addresses = ["href", "src", "action", "background"]

    init(_ html: String) {
        var rest = html.unicodeScalars[...]
        func skip(_ text: String) -> Bool {
            guard rest.starts(with: text.unicodeScalars) else { return false }
            rest = rest.dropFirst(text.unicodeScalars.count)
            return true
        }
        func skip(past text: String) {
            while !rest.isEmpty, !skip(text) { rest = rest.dropFirst() }
        }
        while let scalar = rest.first {
            guard scalar == "<" else {
                rest = rest.dropFirst()
                continue
            }
            if skip("<!--") {
                skip(past: "-->")
                parts.append("comment")
                continue
            }
            rest = rest.dropFirst()
            if rest.first == "!" || rest.first == "?" {
                skip(past: ">")
                parts.append("declaration")
                continue
            }
            let isEnd = rest.first == "/"
            if isEnd { rest = rest.dropFirst() }
            guard let first = rest.first, first.properties.isAlphabetic, first.isASCII else { continue }
            let name = String(
                String.UnicodeScalarView(rest.prefix { !" \t\r\n/>".unicodeScalars.contains($0) }))
            rest = rest.dropFirst(name.unicodeScalars.count)
            parts.append((isEnd ? "/" : "") + name.lowercased())
            attributes(&rest)
            guard !isEnd, Self.raw.contains(name.lowercased()) else { continue }
            while !rest.isEmpty, !rest.starts(with: "</\(name)".unicodeScalars) { rest = rest.dropFirst() }
        }
    }

    private mutating func attributes(_ rest: inout Substring.UnicodeScalarView) {
        while let scalar = rest.first {
            rest = rest.dropFirst()
            if scalar == ">" { return }
            guard scalar != "/", !scalar.properties.isWhitespace else { continue }
            var name = String(scalar)
            while let next = rest.first, !" \t\r\n/>=".unicodeScalars.contains(next) {
                name.unicodeScalars.append(next)
                rest = rest.dropFirst()
            }
            rest = rest.drop { $0.properties.isWhitespace }
            var value = ""
            if rest.first == "=" {
                rest = rest.dropFirst().drop { $0.properties.isWhitespace }
                let isEnd: (Unicode.Scalar) -> Bool
                if let quote = rest.first, quote == "\"" || quote == "'" {
                    rest = rest.dropFirst()
                    isEnd = { $0 == quote }
                } else {
                    isEnd = { $0 == ">" || $0.properties.isWhitespace }
                }
                let found = rest.prefix { !isEnd($0) }
                value = String(String.UnicodeScalarView(found))
                rest = rest.dropFirst(found.count)
                if let end = rest.first, end != ">" { rest = rest.dropFirst() }
            }
            name = name.lowercased()
            parts.append("@" + name)
            if Self.addresses.contains(name) { parts.append(Self.destination(value)) }
        }
    }

    /// Scheme, host, and how many steps and parameters follow.
    private static func destination(_ written: String) -> String {
        var text = written
        for (entity, sign) in [
            ("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"),
        ] {
            text = text.replacing(entity, with: sign)
        }
        let marks = text.filter { "/?#&;:@,".contains($0) && $0 != "@" }
        guard let scheme = text.firstIndex(of: ":").map({ text[..<$0] }) else { return "(\(marks))" }
        let host = text.dropFirst(scheme.count + 1).drop { $0 == "/" }.prefix { !"/?#".contains($0) }
        let isHosted = text.contains("://")
        return "(\(scheme.lowercased()) \(isHosted ? host.lowercased() : "") \(marks))"
    }
}
