import MailModel
import Testing

@testable import MailSend

/// Whatever strangers call themselves: it stands where the template has it, and is nothing but words there.
@Suite struct TemplatePropertyTests {
    @Test func noValueChangesWhatAMailIsMadeOf() throws {
        var templates = RandomTemplates(seed: 20_261_129)
        var compared = 0
        for number in 0..<3_000 {
            let made = templates.next()
            let filled = try made.template.fill(made.values)
            #expect(filled == made.filled, "template \(number)")
            for part in [filled.subject] {
                #expect(part.unicodeScalars.allSatisfy { !Grammar.isControl($0) }, "template \(number)")
            }
            guard let html = filled.html else { continue }
            let words = TemplateValues(made.values.values.mapValues { _ in "x" })
            let plain = try #require(try made.template.fill(words).html)
            #expect(MarkupSkeleton(html) == MarkupSkeleton(plain), "template \(number): \(html)")
            compared += 1
        }
        #expect(compared > 1_000)
    }

    /// Else the property would hold of everything.
    @Test(arguments: [
        ("<p title=\"x\">x</p>", "<p title=\"\" onload=\"x\">x</p>"), ("<p>x</p>", "<p><b>x</p>"),
        ("<a href=\"https://x/x\">", "<a href=\"https://y/x\">"),
        ("<a href='https://x/x'>", "<a href='https://x/x/y'>"),
        ("<a href='mailto:x'>", "<a href='javascript:x'>"), ("<!-- x --><p>", "<!-- --> x --><i>"),
        ("<a href='https://x/?a=x'>", "<a href='https://x/?a=x&b=y'>"),
    ])
    func theSkeletonTellsThemApart(_ one: String, _ other: String) {
        #expect(MarkupSkeleton(one) != MarkupSkeleton(other))
    }
}
