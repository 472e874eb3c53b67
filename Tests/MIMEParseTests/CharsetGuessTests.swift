import MIMEParse
import MailModel
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Text in another charset, as iconv writes it.
private func octets(_ text: String, _ charset: String) throws -> [UInt8] {
    let descriptor = try #require(iconv_open(charset, "UTF-8"))
    defer { iconv_close(descriptor) }
    var source = Array(text.utf8).map { CChar(bitPattern: $0) }
    var target = [CChar](repeating: 0, count: source.count * 4 + 16)
    let written = source.withUnsafeMutableBufferPointer { source in
        target.withUnsafeMutableBufferPointer { target in
            var input = source.baseAddress
            var inputLeft = source.count
            var output = target.baseAddress
            var outputLeft = target.count
            let outcome = iconv(descriptor, &input, &inputLeft, &output, &outputLeft)
            return outcome == -1 ? -1 : target.count - outputLeft
        }
    }
    try #require(written >= 0, "\(charset) cannot write \(text)")
    return target[..<written].map { UInt8(bitPattern: $0) }
}

private func body(_ label: String, _ octets: [UInt8]) -> ParsedMessage {
    reading(Array("Content-Type: text/plain; charset=\(label)\n\n".utf8) + octets)
}

@Suite struct CharsetGuessTests {
    /// Subjects of one or two words are what reaches us without a label.
    @Test(
        arguments: ["CP1251", "KOI8-R", "CP866", "ISO-8859-5"],
        [
            "Счет", "Договор", "ОПЛАТА", "СРОЧНО", "Привет", "Заявка", "прайс", "Re: тест", "Акт сверки",
            "Иван Петров", "ДОГОВОР 15", "Юлия", "Вопрос по договору поставки", "Потвърждение на поръчка",
        ])
    func shortCyrillicHeadersAreToldApart(_ charset: String, _ text: String) throws {
        #expect(header(try octets(text, charset)) == text)
    }

    @Test func whatVendorsAddedToISO2022JPIsReadAndDamageIsNot() {
        let numero: [UInt8] = [0x1B, 0x24, 0x42, 0x2D, 0x62, 0x1B, 0x28, 0x42]
        #expect(body("iso-2022-jp", numero + Array(" 41".utf8)).text == "№ 41")
        let damaged = body("iso-2022-jp", numero + [0x20, 0xB1, 0x20])
        #expect(damaged.text?.hasSuffix("\u{FFFD}") == true)
        #expect(damaged.defects.contains(.undecodableText))
    }

    @Test func ukrainianUnderTheLabelOfKOI8RIsReadAndBoxesAreNot() throws {
        let text = "Доброго дня, їжак і ґудзик"
        #expect(body("koi8-r", try octets(text, "KOI8-U")).text == text)
        for boxes in ["═║ Привет всем ║═", "ещё╖║"] {
            #expect(body("koi8-r", try octets(boxes, "KOI8-R")).text == boxes)
        }
    }

    @Test(
        arguments: [
            ("KOI8-U", "Підтвердження замовлення"), ("CP1251", "Підтвердження замовлення"),
            ("CP1252", "Réponse à votre demande"), ("CP1252", "Bestätigung für Müller"), ("CP1252", "Grüße"),
            ("CP1250", "Potvrzení objednávky číslo"), ("CP1250", "Zamówienie zostało wysłane"),
            ("CP1253", "Επιβεβαίωση παραγγελίας"), ("CP1254", "Sipariş onayı için"),
            ("CP1255", "אישור הזמנה"), ("CP1256", "تأكيد الطلب"), ("CP874", "ยืนยันการสั่งซื้อ"),
            ("GBK", "关于合同的问题"), ("CP932", "ご注文の確認"), ("EUC-JP", "ご注文の確認"),
            ("CP949", "주문 확인 안내"), ("BIG5", "您的訂單已經發貨，請注意查收"),
        ])
    func otherLanguagesAreNotTakenForRussian(_ charset: String, _ text: String) throws {
        #expect(header(try octets(text, charset)) == text)
    }

    @Test(
        arguments: [
            ("windows-1251", "KOI8-R"), ("koi8-r", "CP1251"), ("windows-1251", "CP866"),
            ("iso-8859-5", "CP1251"), ("iso-8859-1", "CP1251"), ("windows-1252", "KOI8-R"),
            ("us-ascii", "KOI8-R"), ("utf-8", "CP1251"), ("x-user-defined", "CP1251"),
            ("gb2312", "UTF-8"), ("euc-kr", "UTF-8"), ("iso-2022-jp", "UTF-8"), ("utf-16", "UTF-8"),
        ])
    func aLabelThatMakesNoWordsIsNotBelieved(_ label: String, _ charset: String) throws {
        let text = "Здравствуйте! Высылаем вам счет на оплату."
        let message = body(label, try octets(text, charset))
        #expect(message.text == text)
        #expect(message.defects.contains(.mislabelledCharset) || message.defects.contains(.unknownCharset))
    }

    @Test(
        arguments: [
            ("windows-1251", "CP1251", "Поштовани, шаљемо вам нову понуду"),
            ("koi8-r", "KOI8-R", "ЖЭК, БТИ, ЭЦП, ЕГРН, ЩЭО"),
            ("iso-8859-1", "CP1252", "Übergrößenträger, ça va"),
            ("windows-1251", "CP1251", "Съешь ещё этих мягких французских булок"),
            ("windows-1252", "CP1252", "“—” ‘…’ «»"), ("gb2312", "GBK", "联通"),
        ])
    func aRightLabelIsBelieved(_ label: String, _ charset: String, _ text: String) throws {
        #expect(body(label, try octets(text, charset)).text == text)
    }

    @Test func lettersThatADecoderHoldsBackAreNotLost() throws {
        #expect(body("windows-1255", try octets("שלום", "CP1255")).text == "שלום")
    }

    @Test func hzIsRead() {
        #expect(body("hz-gb-2312", Array("a ~{Dc:CJ@=g~} b~~".utf8)).text == "a 你好世界 b~")
        #expect(body("hz-gb-2312", Array("~{Dc\nb".utf8)).text == "你\nb")
        #expect(body("hz-gb-2312", Array("~{D".utf8)).text == "D")
    }
}
