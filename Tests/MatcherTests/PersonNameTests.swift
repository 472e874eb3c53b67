import MailModel
import Matcher
import Testing

@Suite struct PersonNameTests {
    @Test(
        arguments: [
            (nil, "ivan.petrov@x.example", "Ivan Petrov"), ("ivan@x.example", "ivan@x.example", "Ivan"),
            ("", "1234@x.example", "1234@x.example"), ("\"Tom Reed\"", "t@x.example", "Tom Reed"),
            ("Petrov, Ivan", "i@x.example", "Ivan Petrov"),
            ("Firma, Tom Reed", "t@x.example", "Firma, Tom Reed"),
            (" Ольга  ", "o@x.example", "Ольга"),
            ("\u{1} \u{7F}", "ivan@x.example", "Ivan"),
        ] as [(String?, String, String)])
    func `a name is the display name, else made of the address`(
        display: String?, address: String, name: String
    ) throws {
        let address = try #require(EmailAddress(address))
        #expect(PersonName.guess(displayName: display, address: address) == name)
    }

    @Test(
        arguments: [
            ("Tom\u{202E}deeR", "Tom deeR"), ("  Tom \t\n Reed ", "Tom Reed"), ("\u{200B}\u{2066}", "Ivan"),
            (String(repeating: "я", count: 200), String(repeating: "я", count: 80)),
            ("e" + String(repeating: "\u{301}", count: 500), "e\u{301}\u{301}\u{301}"),
            (String(repeating: "e" + String(repeating: "\u{301}", count: 500), count: 500), nil),
        ] as [(String, String?)])
    func `a name that nobody looks at has visible letters only, and no more than names have`(
        display: String, name: String?
    ) throws {
        let address = try #require(EmailAddress("ivan@x.example"))
        let found = PersonName.bounded(displayName: display, address: address)
        #expect(found.unicodeScalars.count <= 320)
        if let name { #expect(found == name) }
    }
}
