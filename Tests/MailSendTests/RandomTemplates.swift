@testable import MailSend

/// Templates made of pieces, with what each becomes, and values from strangers. The same seed gives the same ones.
struct RandomTemplates {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(state: seed) }

    struct Made {
        var template: MailTemplate
        var values: TemplateValues
        /// What the template becomes.
        var filled: MailTemplate.Filled
    }

    private enum Place { case line, html, address }

    mutating func next() -> Made {
        var values = TemplateValues()
        for name in TemplateValues.names where !chance(5) { values[name] = value() }
        let (subject, filledSubject) = line(values)
        let hasHTML = chance(2)
        var (text, filledText) = ("x" + subject, "x" + filledSubject)
        for _ in 0..<number(0...6) {
            let (source, filled) = line(values)
            let end = pick(["\n", "\r\n", "\n\n", "\n.", "\nFrom "])
            text += end + source
            filledText += end + filled
        }
        let hasText = !hasHTML || chance(2)
        let (html, filledHTML) = markup(values)
        return Made(
            template: MailTemplate(
                subject: subject, text: hasText ? text : nil, html: hasHTML ? html : nil), values: values,
            filled: MailTemplate.Filled(
                subject: filledSubject, text: hasText ? filledText : nil, html: hasHTML ? filledHTML : nil))
    }

    // MARK: - Pieces

    /// Words and variables without a line end.
    private mutating func line(_ values: TemplateValues) -> (String, String) {
        var (source, filled) = ("", "")
        for _ in 0..<number(0...5) {
            let (piece, becomes) = variable(values, .line)
            let word = pick(["Hello ", "a", " ", "{ }", "<b>", "привет, ", "1 < 2 & 3", "=?utf-8?q?x?="])
            source += word + piece
            filled += word + becomes
        }
        return (source, filled)
    }

    /// Elements with variables in their texts, values and addresses.
    private mutating func markup(_ values: TemplateValues) -> (source: String, filled: String) {
        var (source, filled) = ("<div><p>x</p>", "<div><p>x</p>")
        func add(_ piece: String, _ becomes: String? = nil) {
            source += piece
            filled += becomes ?? piece
        }
        for _ in 0..<number(1...6) {
            let html = variable(values, .html)
            let address = variable(values, .address)
            switch number(0...7) {
            case 0: add("<p>Dear \(html.0)!</p>", "<p>Dear \(html.1)!</p>")
            case 1: add("<b title=\"\(html.0)\">b</b>", "<b title=\"\(html.1)\">b</b>")
            case 2: add("<img alt='\(html.0)' src='cid:a'>", "<img alt='\(html.1)' src='cid:a'>")
            case 3: add("<!-- \(html.0) -->", "<!-- \(html.1) -->")
            case 4:
                add(
                    "<a href=\"https://firma.example/\(address.0)?q=\(address.0)&r=1\">x</a>",
                    "<a href=\"https://firma.example/\(address.1)?q=\(address.1)&r=1\">x</a>")
            case 5:
                add(
                    "<a href='mailto:anna@firma.example?subject=\(address.0)'>y</a>",
                    "<a href='mailto:anna@firma.example?subject=\(address.1)'>y</a>")
            case 6:
                add(
                    "<style>p > a { color: red }</style><i>\(html.0)</i>",
                    "<style>p > a { color: red }</style><i>\(html.1)</i>")
            default:
                let name = pick(TemplateValues.names)
                let inner = values[name] == nil ? "" : "<u>\(html.1)</u>"
                add("{{#\(name)}}<u>\(html.0)</u>{{/\(name)}}", inner)
            }
        }
        add("</div>")
        return (source, filled)
    }

    private mutating func variable(_ values: TemplateValues, _ place: Place) -> (String, String) {
        let name = pick(TemplateValues.names)
        let value = Self.escaped(values[name] ?? "", place)
        switch number(0...5) {
        case 0: return ("{{#\(name)}}a{{\(name)}}b{{/\(name)}}", values[name] == nil ? "" : "a\(value)b")
        case 1: return ("{{^\(name)}}none{{/\(name)}}", values[name] == nil ? "none" : "")
        case 2: return ("{{! nothing }}{{ \(name) }}", value)
        default: return ("{{\(name)}}", value)
        }
    }

    private static func escaped(_ value: String, _ place: Place) -> String {
        var result = ""
        for scalar in value.unicodeScalars.map({ Grammar.isControl($0) ? " " : $0 }) {
            let isPlain =
                scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            switch place {
            case .line: result.unicodeScalars.append(scalar)
            case .html:
                let entity = [
                    "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;", "`": "&#96;",
                    "=": "&#61;",
                ][scalar]
                result += entity ?? String(scalar)
            case .address:
                if isPlain || "-._~@".unicodeScalars.contains(scalar) {
                    result.unicodeScalars.append(scalar)
                } else {
                    for byte in String(scalar).utf8 {
                        let hex = String(byte, radix: 16, uppercase: true)
                        result += "%" + (hex.count == 1 ? "0" : "") + hex
                    }
                }
            }
        }
        return result
    }

    // MARK: - Values

    /// As strangers write them into their own names.
    private mutating func value() -> String {
        var text = ""
        for _ in 0..<number(1...4) {
            text += chance(3) ? pick(["Мария ", "Jean-Luc", "O'Hara & Sons", "李"]) : pick(Self.hostile)
        }
        return text
    }

    static let hostile = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='x", "` x=`",
        "javascript:x",
        "-->", "--!>", "<!--", "</style>", "</title>", "</textarea>", "</p></div>", "//evil.example/",
        "@evil.example",
        "/../../x", "?a=b&c=d#e", "%22%3E%00", "&quot;&#34;&#x22;", "&lt;b&gt;",
        "\r\nBcc: evil@x.example\r\n\r\n",
        "\u{0}", "\u{2028}", "\u{85}", "\u{202E}gnp", "{{user.name}}", "{{{contact.name}}}", "{{#contact}}",
        "}}",
        "data:text/html,x", "=?utf-8?Q?=0D=0A?=", "<", ">", "\"", "'", "=", "\\", "\u{FF1C}b\u{FF1E}", "a\tb",
        ";x",
    ]

    private mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
    private mutating func chance(_ oneIn: Int) -> Bool { number(1...oneIn) == 1 }
    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[number(0...elements.count - 1)]
    }
}
