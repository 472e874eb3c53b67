import Synchronization
import Testing

@testable import MailFetch

@Suite struct AddressMaskTests {
    private func masked(_ text: String) -> String {
        String(decoding: AddressMask.masked(Array(text.utf8)), as: UTF8.self)
    }

    @Test(arguments: [
        ("* OK welcome ivan.petrov+x@firma.example!", "* OK welcome (address)!"),
        ("a@b.example,\"c d\"@e.example;<f@g.example>", "(address),(address);<(address)>"),
        ("* LIST () \"/\" \"Clients/anna@firma.example\"", "* LIST () \"/\" \"(address)\""),
        ("иван@почта.рф пишет", "(address) пишет"), ("x@y@z.example", "(address)@z.example"),
        ("anna@[192.0.2.1] x", "(address) x"), ("a@[ ]", "a@[ ]"), ("a@[1", "a@[1"), ("@ @x y@", "@ @x y@"),
        ("", ""),
        ("no address", "no address"),
        ("\"@x.example", "(address)"),
        ("user anna%40firma.example, anna=40firma.example", "user (address), (address)"),
        ("40% of 40", "40% of 40"), ("n=4096 ", "n=4096 "),
    ]) func addressesAreTakenOut(_ text: String, _ expected: String) { #expect(masked(text) == expected) }

    @Test func anyBytesAreSurvived() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("@@\"a. <>\u{0}é".utf8)
        for _ in 0..<2_000 {
            let line = (0..<Int.random(in: 0...20)).map { _ in alphabet.randomElement(using: &random)! }
            let once = AddressMask.masked(line)
            #expect(line.contains(UInt8(ascii: "@")) || once == line, "\(line)")
        }
    }

    @Test func aTraceShowsAddressesOnlyWhenAskedTo() {
        let lines = Mutex<[String]>([])
        let sink: @Sendable (WireTrace.Direction, [UInt8]) -> Void = { _, line in
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        WireTrace(sink).note(.received, Array("* OK marker@firma.example".utf8))
        WireTrace(showingAddresses: true, sink).note(.received, Array("* OK marker@firma.example".utf8))
        #expect(lines.withLock { $0 } == ["* OK (address)", "* OK marker@firma.example"])
    }

    @Test(arguments: [
        ("* 1 FETCH (UID 1 BODY[] \"Subject: marker\")", "* 1 FETCH (UID 1 BODY[] \"..."),
        ("* 1 FETCH (body[]<0> \"marker \\\" marker\" UID 1)", "* 1 FETCH (body[]<0> \"..."),
        (
            "* 1 FETCH (RFC822.HEADER \"marker\" BODY[TEXT] {2}", "* 1 FETCH (RFC822.HEADER \"..."
        ),
        (
            "* 1 FETCH (BODY[TEXT] {2} RFC822.HEADER \"marker\")",
            "* 1 FETCH (BODY[TEXT] {2} RFC822.HEADER \"..."
        ),
        ("* 1 FETCH (ENVELOPE (\"now\" \"marker\"))", "* 1 FETCH (ENVELOPE (\"..."),
        ("* 1 FETCH (RFC822 \"marker\")", "* 1 FETCH (RFC822 \"..."),
        ("* 1 FETCH (BODY[] {6} INTERNALDATE \"now\")", "* 1 FETCH (BODY[] {6} INTERNALDATE \"now\")"),
        ("* OK \"hello\"", "* OK \"hello\""),
        ("(RFC822.SIZE 3 INTERNALDATE \"now\")", "(RFC822.SIZE 3 INTERNALDATE \"now\")"),
        ("* 1 FETCH (BODY[] NIL)", "* 1 FETCH (BODY[] NIL)"), ("", ""),
    ]) func aMessageInQuotesIsLeftOutOfATrace(_ line: String, _ expected: String) {
        #expect(String(decoding: WireTrace.withoutContent(Array(line.utf8)), as: UTF8.self) == expected)
    }
}
