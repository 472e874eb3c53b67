import MIMEParse
import MailModel
import Testing

@testable import Worker

/// What ingest keeps of a signature.
struct SignatureLinesTests {
    private func lines(_ text: String) -> String? {
        let message = "From: a@client.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text
        return SignatureLines.text(of: MIMEParser().parse(MessageBytes(Array(message.utf8))))
    }

    @Test(arguments: ["", "Hello\r\n", "Order 12345 for 2026\r\n", "Hello\r\n-- \r\n"])
    func `a text without a signature or number has none`(_ text: String) {
        #expect(lines(text) == nil)
    }

    @Test func `a number in a quotation is somebody else's`() {
        #expect(lines("Yes.\r\n\r\n> Call me\r\n> +7 916 123-45-67\r\n") == nil)
    }

    @Test func `a disclaimer is left out`() {
        let long = String(repeating: "confidential ", count: 20)
        #expect(lines("Hello\r\n-- \r\nMaria\r\n\(long)\r\nVektor\r\n") == "Maria\nVektor")
    }

    @Test func `numbers stand first, in the form in which they are compared`() {
        #expect(
            lines("Hello\r\n-- \r\nMaria\r\nmob. 8 (916) 123-45-67\r\n")
                == "79161234567\nMaria\nmob. 8 (916) 123-45-67")
        // Many people sign with the number alone.
        #expect(lines("Hello\r\n\r\n8 916 123 45 67\r\n") == "79161234567")
    }
}
