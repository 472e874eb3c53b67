import MIMEParse
import MailModel
import Testing

@Suite struct AddressListTests {
    @Test(arguments: [
        "", " ", ",,;", "undisclosed-recipients:;", "undisclosed recipients: ;", "root", "<>", "@", "a@",
        "@b",
    ])
    func whatIsNoAddressGivesNone(_ field: String) {
        #expect(addresses(field).isEmpty)
    }

    @Test func anEncodedWordNeverAddsAnAddress() {
        #expect(addresses("=?utf-8?Q?Eve_=3Ceve=40evil.example=3E=2C?= <a@b.example>") == ["a@b.example"])
        #expect(addresses("=?utf-8?B?ZXZlQGV2aWwuZXhhbXBsZQ==?=").isEmpty)
    }

    @Test func aQuotedAddressBesideBracketsIsOnlyAName() {
        #expect(addresses("\"boss@firm.example\" <thief@evil.example>") == ["thief@evil.example"])
        #expect(addresses("\"boss@firm.example\" <thief>").isEmpty)
    }

    @Test func unclosedQuotesAndCommentsHideNothing() {
        #expect(addresses("\"Anna <a@b.example>, c@d.example") == ["a@b.example", "c@d.example"])
        #expect(addresses("Anna (sales <a@b.example>") == ["a@b.example"])
    }

    @Test func missingBracketsAndCommasAreRepaired() {
        #expect(addresses("Anna Orlova a@b.example") == ["a@b.example"])
        #expect(addresses("Anna <a@b.example") == ["a@b.example"])
        #expect(addresses("<a@b.example> <c@d.example>") == ["a@b.example", "c@d.example"])
        #expect(addresses("a@b.example; c@d.example") == ["a@b.example", "c@d.example"])
    }

    @Test func groupsAreFlattened() {
        #expect(
            addresses("Team: a@b.example, \"C\" <c@d.example>; e@f.example")
                == ["a@b.example", "c@d.example", "e@f.example"])
    }

    @Test func obsoleteSyntaxIsRead() {
        #expect(addresses("<@relay.example,@gate.example:a@b.example>") == ["a@b.example"])
        #expect(addresses("a . b @ (home) c . example") == ["a.b@c.example"])
        #expect(addresses("(first) a@b.example (second)") == ["a@b.example"])
    }

    @Test func namesAreDecodedAndUnquoted() {
        #expect(mailboxes("\"Orlova, Anna\" <a@b.example>").first?.displayName == "Orlova, Anna")
        #expect(mailboxes("=?utf-8?B?0JDQvdC90LA=?= <a@b.example>").first?.displayName == "Анна")
        #expect(mailboxes("\"=?utf-8?B?0JDQvdC90LA=?=\" <a@b.example>").first?.displayName == "Анна")
        #expect(mailboxes("a@b.example (Anna)").first?.displayName == "Anna")
        #expect(mailboxes("=?utf-8?Q?Doe, John?= <a@b.example>").map(\.displayName) == ["Doe, John"])
    }

    @Test func localPartsAndDomainsOfAnyKindAreKept() {
        #expect(addresses("\"anna orlova\"@b.example") == ["anna orlova@b.example"])
        #expect(addresses("<\"'anna'\"@b.example>") == ["'anna'@b.example"])
        #expect(addresses("почта@пример.рф") == ["почта@пример.рф"])
        #expect(addresses("<a@[192.0.2.1]>") == ["a@[192.0.2.1]"])
        #expect(addresses("<a@[IPv6:2001:db8::1]>") == ["a@[IPv6:2001:db8::1]"])
    }

    @Test func anAddressInTheWrongWrappingIsFound() {
        #expect(addresses("\"Ivan <a@b.example>\"") == ["a@b.example"])
        #expect(mailboxes("\"Ivan <a@b.example>\"").first?.displayName == "Ivan")
        #expect(addresses("Ivan [mailto:a@b.example]") == ["a@b.example"])
        #expect(addresses("&lt;a@b.example&gt;").first == "a@b.example")
        // A display name never adds to an address that is there.
        #expect(addresses("\"Ivan <x@y.example>\" <a@b.example>") == ["a@b.example"])
    }
}
