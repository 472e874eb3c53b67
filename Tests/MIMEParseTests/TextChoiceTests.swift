import Testing

@testable import MIMEParse

@Suite struct TextChoiceTests {
    /// Leaves in order: `p` a plain one, `_` a blank plain one, `h` HTML; behind it the number of
    /// the alternative around it. What is read: the places, the body first.
    @Test(arguments: [
        // Of one alternative the plain version, wherever it stands, unless it is blank.
        ("p1 h1", [0]), ("h1 p1", [1]), ("_1 h1", [1]), ("p1 p1 h1", [0, 1]),
        // Outside of an alternative nothing repeats anything.
        ("p h", [0, 1]), ("h p", [0, 1]), ("_ h", [1]), ("h h", [0, 1]), ("p h _", [0, 1]),
        // One within a mixed: what stands beside it is read too.
        ("p p1 h1", [0, 1]), ("p h1", [0, 1]), ("p _1 h1", [0, 2]), ("p1 h1 h", [0, 2]),
        ("p1 h1 p", [0, 2]), ("_1 h1 p", [1, 2]),
        // Two alternatives answer for themselves.
        ("p1 h1 p2 h2", [0, 2]), ("_1 h1 p2 h2", [1, 2]), ("p1 h1 h2", [0, 2]),
        // Blanks alone are an empty text.
        ("_", [0]), ("_ _", [0, 1]), ("p", [0]), ("h", [0]), ("", []),
    ])
    func theBodyComesFirstAndNothingIsLeftOut(_ leaves: String, _ read: [Int]) {
        let leaves = leaves.split(separator: " ").map { word in
            TextChoice.Leaf(
                isHTML: word.first == "h", alternative: Int(word.dropFirst()), isBlank: word.first == "_")
        }
        #expect(TextChoice.read(leaves) == read)
    }

    @Test(arguments: [
        ("", true), (" \r\n\t", true), ("\u{A0}", true), ("\u{200B}\u{FEFF}\u{200D}", true), ("\u{0}", true),
        (".", false), ("я", false), ("\u{FFFD}", false),
    ])
    func blankIsWhatNobodySees(_ text: String, _ isBlank: Bool) {
        #expect(TextChoice.isBlank(text, isCut: false) == isBlank)
    }

    @Test func aCutCharacterAtTheEndOfBlanksIsNoWord() {
        #expect(TextChoice.isBlank("\u{A0}\u{FFFD}", isCut: true))
    }

    @Test(arguments: [
        ("Hello, world", "Hello world!", true), ("Hello", "Hello world", true), ("", "x", true),
        ("Hello world", "Hello", false), ("Other", "Hello", false),
    ])
    func textRepeatsWhatBeginsWithItsWords(_ text: String, _ other: String, _ repeats: Bool) {
        #expect(TextChoice.repeats(Array(text.utf8)[...], Array(other.utf8)) == repeats)
    }

    @Test(arguments: [
        ("base64", "DQo="), ("base64", "IA=="), ("base64", "wqA="), ("quoted-printable", "=20"),
        ("quoted-printable", "=C2=A0"), ("8bit", "\u{A0}"), ("7bit", ""),
        ("quoted-printable", String(repeating: "=C2=A0", count: 43)),
        ("quoted-printable", String(repeating: "=C2=A0=\n", count: 200)),
    ])
    func theBlankVersionGivesWayHoweverItIsEncoded(_ encoding: String, _ body: String) {
        let message = reading(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: \(encoding)\n\n\(body)\n--b\nContent-Type: text/html\n\n<p>Real text</p>\n--b--\n"
        )
        #expect(message.text == "Real text")
        #expect(message.textSource == .html)
    }

    @Test func bothVersionsWithoutAnAlternativeAreReadOnce() {
        let message = reading(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello, world\n--b\nContent-Type: text/html\n\n<p>Hello, <b>world</b></p>\n--b--\n"
        )
        #expect(message.text == "Hello, world")
        #expect(message.furtherText == nil)
    }
}
