import MIMEParse
import MailModel
import MailSend
import Testing

@Suite struct ComposerTests {
    @Test func aMailWithoutRecipientsIsRefused() {
        #expect(failure { _ = try wire(draft { $0.to = [] }) } == .noRecipient)
    }

    @Test(arguments: ["\r\nBcc: x@y.example", "\n", "\r", "\0", "\u{85}", "\u{2028}", "\u{2029}", "\u{B}"])
    func aLineBreakInAnyLineIsRefused(_ evil: String) {
        #expect(failure { _ = try wire(draft { $0.subject = "a\(evil)b" }) } == .controlCharacter)
        #expect(failure { _ = try wire(draft { $0.to[0].displayName = "a\(evil)b" }) } == .controlCharacter)
        #expect(
            failure {
                _ = try wire(
                    draft { $0.to[0].address = EmailAddress(localPart: "a\(evil)b", domain: "c.example") })
            } == .badAddress)
        #expect(
            failure {
                _ = try wire(
                    draft { $0.to[0].address = EmailAddress(localPart: "a", domain: "c\(evil).example") })
            } == .badAddress)
        #expect(
            failure { _ = try wire(draft { $0.messageID = MessageID(rawValue: "a\(evil)@b") }) }
                == .badMessageID)
    }

    @Test(arguments: [
        "", "-a.example", "a..example", "a b.example", "a>.example", "i❤.example", "[::1", "é\u{2028}",
    ])
    func whatIsNoHostNameIsRefused(_ domain: String) {
        let address = EmailAddress(localPart: "a", domain: domain)
        #expect(failure { _ = try SMTPPath(address) } == .badAddress)
    }

    @Test func aShortMailIsTheseOctets() throws {
        let mail = draft {
            $0.subject = "Счёт 17"
            $0.text = "Hello Ivan,\nthe invoice is paid."
            $0.cc = [
                Mailbox(
                    displayName: "Doe, \"J.\"", address: EmailAddress(localPart: "j d", domain: "пример.рф"))
            ]
            $0.bcc = [Mailbox(address: EmailAddress(localPart: "boss", domain: "firma.example"))]
        }
        let expected = """
            Date: Wed, 25 Nov 2026 13:33:47 +0300
            From: =?utf-8?B?0JDQvdC90LAg0J7RgNC70L7QstCw?= <anna@firma.example>
            To: Ivan <ivan@klient.example>
            Cc: =?utf-8?B?RG9lLCAiSi4i?= <"j d"@xn--e1afmkfd.xn--p1ai>
            Message-ID: <1@firma.example>
            Subject: =?utf-8?B?0KHRh9GR0YIgMTc=?=
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 7bit

            Hello Ivan,
            the invoice is paid.

            """
        let composed = try Composer.compose(mail)
        let bytes = try composed.bytes()
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == expected.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        )
        #expect(composed.size == bytes.count)
        #expect(!composed.needsSMTPUTF8)
        #expect(composed.envelope.sender?.text == "anna@firma.example")
        #expect(
            composed.envelope.recipients.map(\.text)
                == ["ivan@klient.example", "\"j d\"@xn--e1afmkfd.xn--p1ai", "boss@firma.example"])
        let kept = try composed.bytes(.sent)
        #expect(kept == Array("Bcc: boss@firma.example\r\n".utf8) + bytes)
        #expect(composed.size(of: .sent) == kept.count)
    }

    @Test func anAddressIsOneRecipientInWhateverCaseItIsWritten() throws {
        func recipients(_ addresses: [[String]]) throws -> [String] {
            let fields = addresses.map { $0.map { Mailbox(address: EmailAddress($0)!) } }
            let mail = try Composer.compose(
                draft {
                    $0.to = fields[0]
                    $0.cc = fields[1]
                    $0.bcc = fields[2]
                })
            return mail.envelope.recipients.map(\.text)
        }
        #expect(
            try recipients([
                ["Maria@Client.Example", "maria@client.example"], ["MARIA@CLIENT.EXAMPLE"],
                ["\"maria\"@client.example", "other@client.example"],
            ]) == ["Maria@client.example", "other@client.example"])
        let domain = DomainName.canonical("клиент.рф")
        #expect(try recipients([["a@КЛИЕНТ.рф"], ["A@\(domain)"], []]) == ["a@\(domain)"])
        // Who writes to a tag means it, whatever the provider makes of it.
        let others = ["maria@gmail.com", "maria+news@gmail.com", "m.aria@gmail.com"]
        #expect(try recipients([others, [], []]) == others)
    }

    @Test func aLocalPartOfAnotherScriptNeedsSMTPUTF8() throws {
        let address = EmailAddress(localPart: "почта", domain: "пример.рф")
        let shown = try Composer.compose(draft { $0.to = [Mailbox(address: address)] })
        #expect(shown.needsSMTPUTF8)
        #expect(reading(try shown.bytes()).to.map(\.address.addrSpec) == ["почта@xn--e1afmkfd.xn--p1ai"])
        let hidden = try Composer.compose(draft { $0.bcc = [Mailbox(address: address)] })
        #expect(hidden.needsSMTPUTF8)
        #expect(try hidden.bytes().allSatisfy { $0 < 0x80 })
    }

    @Test func partsNestAsMixedRelatedAlternative() throws {
        let image: [UInt8] = Array(0...255)
        let mail = draft {
            $0.html = "<p>Привет, <b>Иван</b>!</p><img src=\"cid:logo@firma\">"
            $0.inlineImages = [Enclosure(.bytes(image), filename: "logo.png", contentID: "logo@firma")]
            $0.attachments = [Enclosure(.bytes(Array("a;b".utf8)), filename: "Отчёт за год.csv")]
        }
        let text = try wire(mail)
        let types = text.split(separator: "\r\n").filter { $0.hasPrefix("Content-Type: ") }.map {
            $0.dropFirst(14).prefix { $0 != ";" }
        }
        #expect(
            types == [
                "multipart/mixed", "multipart/related", "multipart/alternative", "text/plain", "text/html",
                "image/png", "text/csv",
            ])
        let message = reading(Array(text.utf8))
        #expect(message.defects.isEmpty)
        #expect(message.text == "Привет, Иван!")
        #expect(message.hasHTML)
        #expect(message.attachments.map(\.filename) == ["logo.png", "Отчёт за год.csv"])
        #expect(message.attachments.map(\.isInline) == [true, false])
        #expect(message.attachments.map(\.contentID) == ["logo@firma", nil])
        #expect(message.attachments.map(\.size) == [256, 3])
        let content = Array(text.utf8).withUnsafeBytes { MIMEParser().attachmentContent(0, of: $0) }
        #expect(content == image)
    }

    @Test func anEnclosedMessageStaysAsItIsWhereItCan() throws {
        let inner = "Subject: inner\r\n\r\nText\r\n"
        let clean = reading(
            try Composer.compose(draft { $0.attachments = [Enclosure(message: .bytes(Array(inner.utf8)))] })
                .bytes())
        #expect(clean.attachments.map(\.contentType) == ["message/rfc822"])
        #expect(clean.attachments.map(\.size) == [inner.utf8.count])
        let eightBit = Array("Subject: Привет\r\n\r\nText".utf8)
        let file = reading(
            try Composer.compose(draft { $0.attachments = [Enclosure(message: .bytes(eightBit))] }).bytes())
        #expect(file.attachments.map(\.contentType) == ["application/octet-stream"])
        #expect(file.attachments.map(\.filename) == ["message.eml"])
        #expect(file.attachments.map(\.size) == [eightBit.count])
    }

    @Test func noLineIsLongerThanItMayBe() throws {
        let mail = draft {
            $0.subject = String(repeating: "слово и ещё 👩‍👩‍👧‍👦 ", count: 60)
            $0.to = (0..<40).map {
                Mailbox(
                    displayName: "Получатель, \($0) \(String(repeating: "длинное имя ", count: $0))",
                    address: EmailAddress(localPart: "r\($0)", domain: "klient.example"))
            }
            $0.text =
                String(repeating: "x", count: 5000) + "\nFrom here\n.\n" + String(repeating: "x.", count: 300)
            $0.attachments = [Enclosure(.bytes([1]), filename: String(repeating: "имя ", count: 30) + ".pdf")]
        }
        let composed = try Composer.compose(mail)
        let bytes = try composed.bytes()
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.utf8.count <= 78 && !$0.utf8.contains(10) && !$0.utf8.contains(13) })
        let header = lines.prefix { !$0.isEmpty }
        #expect(header.allSatisfy { !$0.contains("=?") || $0.utf8.count <= 76 })
        #expect(!lines.contains { $0.hasPrefix("From ") || $0.hasPrefix(".") })
        let message = reading(bytes)
        #expect(message.defects.isEmpty)
        #expect(message.subject == Array(repeating: "слово и ещё 👩‍👩‍👧‍👦", count: 60).joined(separator: " "))
        #expect(
            message.to.map(\.displayName?.count)
                == mail.to.map { $0.displayName.map { $0.count - ($0.last == " " ? 1 : 0) } })
        #expect(message.text == mail.text)
    }

    @Test func fileNamesStandTwiceForOldPrograms() throws {
        let text = try wire(draft { $0.attachments = [Enclosure(.bytes([1]), filename: "Счёт.pdf")] })
        #expect(text.contains("Content-Type: application/pdf; name=\"=?utf-8?B?0KHRh9GR0YIucGRm?=\"\r\n"))
        #expect(
            text.contains(
                "Content-Disposition: attachment;\r\n filename*=utf-8''%D0%A1%D1%87%D1%91%D1%82.pdf\r\n"))
    }

    @Test func issuedIdentifiersAreKnownAgainAndForgedOnesAreNot() {
        let issued = IssuedMessageID(key: Array(repeating: 7, count: 32))
        let identifier = issued.make(nonce: Array(0..<10), domain: "Пример.рф")
        #expect(identifier.rawValue.hasSuffix("@xn--e1afmkfd.xn--p1ai"))
        #expect(issued.verify(identifier))
        #expect(issued.verify(MessageID(rawValue: identifier.rawValue.uppercased())))
        #expect(!IssuedMessageID(key: Array(repeating: 8, count: 32)).verify(identifier))
        for index in identifier.rawValue.indices {
            var forged = identifier.rawValue
            forged.replaceSubrange(index...index, with: forged[index] == "b" ? "c" : "b")
            #expect(!issued.verify(MessageID(rawValue: forged)))
        }
        for text in ["", "@", ".@", "a.b@c", String(repeating: "a", count: 16) + ".@c"] {
            #expect(!issued.verify(MessageID(rawValue: text)))
        }
        #expect(issued.make(domain: "firma.example") != issued.make(domain: "firma.example"))
    }
}
