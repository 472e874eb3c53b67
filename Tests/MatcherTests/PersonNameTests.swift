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
}
