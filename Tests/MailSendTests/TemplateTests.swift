import MailModel
import Testing

@testable import MailSend

/// What templates become, and what they cannot be made to hold.
@Suite struct TemplateTests {
    private static func values(_ change: (inout TemplateValues) -> Void = { _ in }) -> TemplateValues {
        var values = TemplateValues()
        values["contact.name"] = "Maria"
        change(&values)
        return values
    }

    private static func filled(
        subject: String = "x", text: String? = nil, html: String? = nil, _ values: TemplateValues = values()
    ) throws -> MailTemplate.Filled {
        try MailTemplate(subject: subject, text: text ?? "x", html: html).fill(values)
    }

    @Test(arguments: [
        "{{contact.nmae}}", "{{name}}", "{{#contact}}{{nmae}}{{/contact}}", "{{contact}}",
        "{{{contact.name}}}",
        "{{&contact.name}}", "{{ & contact.name}}", "{{=<% %>=}}", "{{>other}}", "{{% CONTENT_TYPE:TEXT}}",
        "{{<other}}{{/other}}", "{{.}}", "{{contact.name", "{{#contact.name}}x", "{{/contact.name}}",
        "{{uppercased(contact.name)}}", "{{*x}}", "{{$block}}{{/block}}", "{{contact.name.length}}",
    ])
    func whatCannotBeFilledInIsRefused(source: String) {
        for template in [
            MailTemplate(subject: source, text: "x", html: nil),
            MailTemplate(subject: "x", text: source, html: nil),
            MailTemplate(subject: "x", text: nil, html: source),
        ] {
            #expect(throws: MailFailure.self, "\(source)") { try template.check() }
        }
    }

    @Test(arguments: ["", "{{! }\u{301}} {{/contact.name}} }}", "{{!{{/contact.name}}"])
    func sectionsNestedTooDeepAreRefused(comment: String) throws {
        let (open, close) = ("\(comment){{#contact.name}}", "{{/contact.name}}")
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + "x" + String(repeating: close, count: depth)
        }
        for depth in [33, 5_000] {
            #expect(throws: MailFailure.self) { try Self.filled(text: nested(depth)) }
        }
        // Side by side they may be many.
        let many = String(repeating: "{{#contact.name}}x{{/contact.name}}", count: 100)
        #expect(try Self.filled(text: many).text == String(repeating: "x", count: 100))
    }

    @Test func thirtyTwoSectionsInOneAnotherAreFilledIn() throws {
        let source =
            String(repeating: "{{#contact.name}}", count: 32) + "x"
            + String(repeating: "{{/contact.name}}", count: 32)
        #expect(try Self.filled(text: source).text == "x")
    }

    @Test func aTemplateWithoutTextIsRefused() {
        #expect(throws: MailFailure.self) { try MailTemplate(subject: "x", text: nil, html: nil).check() }
    }

    @Test func everyVariableIsKnown() throws {
        for name in TemplateValues.names {
            try MailTemplate(subject: "{{\(name)}}", text: "{{#\(name)}}a{{/\(name)}}", html: "{{ \(name) }}")
                .check()
        }
    }

    @Test func aNameBringsNoMarkupAndNoLine() throws {
        let hostile = "<script>x</script>\" onload='y' `\r\nBcc: a@b\u{2028}c\u{0}&amp;"
        let filled = try Self.filled(
            subject: "Hi {{contact.name}}!", text: "Dear {{contact.name}},",
            html: "<p title=\"{{contact.name}}\">",
            Self.values { $0["contact.name"] = hostile })
        #expect(filled.subject.unicodeScalars.allSatisfy { !Grammar.isControl($0) })
        #expect(filled.text?.unicodeScalars.allSatisfy { !Grammar.isControl($0) } == true)
        let html = try #require(filled.html)
        #expect(html.dropFirst(10).dropLast(2).allSatisfy { !"<>\"'`=".contains($0) })
        #expect(html.contains("&lt;script&gt;") && html.contains("&amp;amp;"))
        // Text is text: nothing is escaped where nothing needs to be.
        #expect(filled.text?.contains("<script>") == true)
    }

    @Test(arguments: [
        (
            "{{#organisation}}of {{organisation.name}}{{/organisation}}{{^organisation}}alone{{/organisation}}",
            "alone"
        ),
        ("{{#contact}}{{name}} {{user.name}}{{/contact}}", "Maria "), ("a {{! not shown (at all) }}b", "a b"),
        (
            "{{#contact.name}}Dear {{contact.name}}{{/contact.name}}{{^contact.name}}Hello{{/contact.name}}",
            "Dear Maria"
        ),
        ("{{#contact.external_id}}no {{contact.external_id}}{{/contact.external_id}}", ""),
        ("{ {x} }", "{ {x} }"),
    ])
    func sectionsStandWhereTheirVariableHasAValue(source: String, expected: String) throws {
        #expect(try Self.filled(text: source).text == expected)
    }

    @Test(arguments: [
        (
            "<a href=\"https://x/?q={{contact.name}}&r=1\" title=\"{{contact.name}}\">{{contact.name}}</a>",
            "<a href=\"https://x/?q=a%26r%3D2%20%22%D1%8F%22&r=1\" title=\"a&amp;r&#61;2 &quot;я&quot;\">"
                + "a&amp;r&#61;2 &quot;я&quot;</a>"
        ),
        (
            "<IMG SRC = 'https://x/{{contact.name}}.png'>",
            "<IMG SRC = 'https://x/a%26r%3D2%20%22%D1%8F%22.png'>"
        ),
        (
            "<a href='mailto:{{user.email}}?subject={{#contact.name}}{{contact.name}}{{/contact.name}}'>",
            "<a href='mailto:anna@firma.example?subject=a%26r%3D2%20%22%D1%8F%22'>"
        ),
        (
            "2 < 3 <!-- href=\"{{contact.name}}\" --> b",
            "2 < 3 <!-- href=\"a&amp;r&#61;2 &quot;я&quot;\" --> b"
        ),
        ("<script>x</script>{{contact.name}}", "<script>x</script>a&amp;r&#61;2 &quot;я&quot;"),
    ])
    func anAddressIsEscapedAsOne(html: String, expected: String) throws {
        let values = Self.values {
            $0["contact.name"] = "a&r=2 \"я\""
            $0["user.email"] = "anna@firma.example"
        }
        #expect(try Self.filled(html: html, values).html == expected)
    }

    @Test(arguments: [
        "<a href=\"{{contact.name}}\">", "<a href=' {{contact.name}}'>",
        "<a HREF=\"{{#contact}}{{name}}{{/contact}}\">",
        "<img src={{contact.name}}>", "<a {{contact.name}}>", "<p onclick='x({{contact.name}})'>",
        "<p style=\"color: {{contact.name}}\">", "<script>x = '{{contact.name}}'</script>",
        "<STYLE type='text/css'>{{contact.name}}</STYLE>", "<form action=\"{{contact.name}}/x\">",
        // A scheme that is code, or none that is known.
        "<a href=\"javascript:x('{{contact.name}}')\">", "<a href='data:text/html,{{contact.name}}'>",
        "<a href=' JavaScript:{{contact.name}}'>", "<a href=\"java\tscript:{{contact.name}}\">",
        "<a href=\"&#106;avascript:{{contact.name}}\">", "<a href=\"foo/{{contact.name}}\">",
        "<a href=\"/{{contact.external_id}}/{{contact.name}}\">", "<a href='https:{{contact.name}}'>",
        // A host that is anybody's.
        "<a href=\"https://{{contact.name}}\">", "<a href=\"https://{{contact.name}}/x\">",
        "<a href=\"https://firma.example{{contact.name}}\">", "<a href=\"//{{contact.name}}/\">",
        "<a href=\"https:///{{contact.name}}\">", "<a href=\"https://firma.example&#46;{{contact.name}}\">",
        "<a href=\"https:/\\{{contact.name}}\">",
        // Attributes that are read as a language of their own.
        "<iframe srcdoc=\"{{contact.name}}\">", "<meta content=\"0;url={{contact.name}}\">",
        "<animate values=\"{{contact.name}}\">", "<p on{{! }}click=\"{{contact.name}}\">",
        // What becomes a tag, or ends something, once the template's tags are gone.
        "Maria <{{contact.email}}>", "</{{contact.name}}>", "<{{! }}script>", "<scr{{! }}ipt>x</script>",
        "<!{{contact.name}}>", "<?{{contact.name}}?>", "<!-{{! }}- x -->", "<script></scr{{! }}ipt>",
        // Quotes that are none for a browser.
        "<p title=a\"b {{contact.name}}\">", "<p a\"b={{contact.name}}\">", "<p \"{{contact.name}}\">",
        "<noscript>{{contact.name}}</noscript>", "<title></tit{{contact.name}}</title>",
        // Sections that end elsewhere than they begin.
        "<a href=\"https://x/{{#contact.name}}\">{{/contact.name}}",
        "<script>{{^contact.name}}</script>{{/contact.name}}", "{{#contact.name}}<!--{{/contact.name}} -->",
        "<a href=\"{{#user.name}}https://x/{{/user.name}}{{contact.name}}\">",
        "<p {{#contact.name}}on{{/contact.name}}title=\"{{contact.name}}\">",
    ])
    func whereNoEscapingIsEnoughNothingIsFilledIn(html: String) {
        let failure = #expect(throws: MailFailure.self) {
            try MailTemplate(subject: "x", text: nil, html: html).check()
        }
        #expect(failure?.code == .templateSyntax)
    }

    @Test(arguments: [
        "<a href=\"https://клиент.рф/{{contact.name}}\">", "<a href=\"https://x?q={{contact.name}}\">",
        "<a href='HTTPS://x:8443/a/{{contact.name}}'>", "<a href=\"mailto:{{contact.email}}\">",
        "<a href=\" \n https://x/{{#contact.name}}n={{contact.name}}&{{/contact.name}}d={{date}}\">",
        "<img src=\"cid:{{contact.external_id}}.png\" alt='{{contact.name}}'>",
        "<a href='tel:+7{{contact.name}}'>",
        "<title>For {{contact.name}} <a href=\"x</title>", "<textarea>{{contact.name}}</textarea>",
        "<p {{#contact.name}}title=\"{{contact.name}}\"{{/contact.name}} class=a>",
        "<br/>{{contact.name}}<br />",
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD\"><p title = '{{contact.name}}'>",
        "<!-- - -- --!> {{contact.name}}",
        "<!---->{{contact.name}}", "<!-->{{contact.name}}<!--->{{contact.name}}",
        "a < b > c <3 {{contact.name}}",
        "{{#contact}}<a href='https://x/'>{{name}}</a>{{/contact}}",
        "<script>if (a < b) {}</script >{{contact.name}}",
        "<style>p > a { color: red }</style>{{#contact.name}}<p>{{contact.name}}</p>{{/contact.name}}",
    ])
    func whereEscapingIsEnoughItIsFilledIn(html: String) throws {
        try MailTemplate(subject: "x", text: nil, html: html).check()
    }

    @Test func linesStayAsTheyWereWritten() throws {
        let text = "Hello {{contact.name}},\n\n  indented\n{{#contact.name}}\nyes\n{{/contact.name}}\nend\n"
        #expect(try Self.filled(text: text).text == "Hello Maria,\n\n  indented\nyes\nend\n")
    }
}
