import Foundation
import MIMEParse
import MailModel
import Testing

/// File names as a whole message gives them.
private func fileName(_ fields: String) -> String? {
    reading("Content-Type: application/pdf\n\(fields)\n\nx").attachments.first?.filename
}

@Suite struct ParametersTests {
    @Test func damagedParametersGiveWhatTheyCan() {
        #expect(fileName("Content-Disposition: attachment; filename=\"a.pdf") == "a.pdf")
        #expect(fileName("Content-Disposition: attachment; ; =; filename=a.pdf;") == "a.pdf")
        #expect(fileName("Content-Disposition: attachment; filename=my report.pdf") == "my report.pdf")
        #expect(fileName("Content-Disposition: attachment; filename*=a%ZZ.pdf") == "a%ZZ.pdf")
        #expect(fileName("Content-Disposition: attachment filename=a.pdf") == "a.pdf")
    }

    @Test func quotationMarksWithinANameBelongToIt() {
        let name = "ООО \"Ромашка\" счет.pdf"
        #expect(fileName("Content-Disposition: attachment; filename=\"\(name)\"") == name)
        #expect(fileName("Content-Disposition: attachment; filename=\"\(name)\"; size=3") == name)
        #expect(fileName("Content-Disposition: attachment; filename=\"\"a\" b.pdf\"") == "\"a\" b.pdf")
        // A parameter that follows without a semicolon is none of the name.
        #expect(fileName("Content-Disposition: attachment; filename=\"a.pdf\" size=\"3\"") == "a.pdf")
        #expect(fileName("Content-Disposition: attachment; filename=\"a.pdf\" (\"x\")") == "a.pdf")
    }

    @Test func namesThatMeanSomethingToWindowsAreMadeSafe() {
        for (name, safe) in [
            ("a.pdf:evil.exe", "a.pdf_evil.exe"), ("NUL .txt", "_NUL .txt"),
            ("COM\u{B9}.txt", "_COM\u{B9}.txt"),
            ("CONIN$", "_CONIN$"), ("a\u{200B}b.txt", "ab.txt"), ("console.txt", "console.txt"),
        ] {
            #expect(FileName.cleaned(name, limit: 200) == safe)
        }
    }

    @Test func continuationsAreJoinedInOrderOverGaps() {
        #expect(
            fileName("Content-Disposition: attachment; filename*1=b; filename*0=a; filename*2=.pdf")
                == "ab.pdf")
        #expect(fileName("Content-Disposition: attachment; filename*0=a; filename*2=.pdf") == "a.pdf")
    }

    @Test func encodedQuotationMarksBelongToAnExtendedName() {
        #expect(fileName("Content-Disposition: attachment; filename*=utf-8''%22a%22") == "\"a\"")
        #expect(fileName("Content-Disposition: attachment; filename*=utf-8''\"a.pdf\"") == "a.pdf")
    }

    @Test func extendedValuesNameTheirCharset() {
        #expect(
            fileName("Content-Disposition: attachment; filename*=utf-8''%D0%A1%D1%87%D1%91%D1%82.pdf")
                == "Счёт.pdf")
        #expect(
            fileName("Content-Disposition: attachment; filename*=windows-1251'ru'%D1%F7%E5%F2.pdf")
                == "Счет.pdf")
        #expect(
            fileName(
                "Content-Disposition: attachment;\n filename*0*=utf-8''%D0;\n filename*1*=%A1; filename*2=.pdf"
            )
                == "С.pdf")
    }

    @Test func slipsInExtendedValuesAreForgiven() {
        #expect(fileName("Content-Disposition: attachment; filename*=UTF-8''\"%D0%A1.pdf\"") == "С.pdf")
        #expect(fileName("Content-Disposition: attachment; filename*=utf-8'%D0%A1.pdf") == "С.pdf")
        #expect(fileName("Content-Disposition: attachment; filename*=it's.pdf") == "it's.pdf")
        #expect(
            fileName(
                "Content-Disposition: attachment; filename*0*=utf-8''%D0%A1;\n filename*1*=UTF-8''%D1%87.pdf")
                == "Сч.pdf")
    }

    @Test func encodedWordsInAnExtendedValueAreDecoded() {
        let word = "=?utf-8?B?0KEucGRm?="
        #expect(fileName("Content-Disposition: attachment; filename*=\(word)") == "С.pdf")
        #expect(fileName("Content-Disposition: attachment; filename*=UTF-8''\(word)") == "С.pdf")
        // A name that only looks like one, as it is written rightly.
        let escaped = word.replacingOccurrences(of: "=", with: "%3D").replacingOccurrences(
            of: "?", with: "%3F")
        #expect(fileName("Content-Disposition: attachment; filename*=UTF-8''\(escaped)") == word)
    }

    @Test func aTypeThatIsMissingHidesNoParameter() {
        let file = reading("Content-Type: name=\"a b.pdf\"\nContent-Disposition: attachment\n\nx").attachments
        #expect(file.map(\.filename) == ["a b.pdf"])
        for type in ["boundary=b/c", "; boundary=\"b/c\""] {
            let parts = reading("Content-Type: \(type)\n\n--b/c\nContent-Type: a/a\n\n1\n--b/c--\n")
                .attachments
            #expect(parts.map(\.contentType) == ["a/a"])
        }
    }

    @Test func aNameInASecondDispositionCounts() {
        #expect(
            fileName("Content-Disposition: inline\nContent-Disposition: attachment; filename=a.pdf")
                == "a.pdf"
        )
    }

    @Test func theExtendedFormWinsOverThePlainOne() {
        #expect(
            fileName("Content-Disposition: attachment; filename=x.pdf; filename*=utf-8''%D0%A1.pdf")
                == "С.pdf")
    }

    @Test func encodedWordsAndRawOctetsAreDecoded() {
        #expect(fileName("Content-Disposition: attachment; filename=\"=?utf-8?B?0KEucGRm?=\"") == "С.pdf")
        #expect(fileName("Content-Disposition: attachment; filename=\"Счёт.pdf\"") == "Счёт.pdf")
    }

    @Test func contentTypeNamesAFileToo() {
        #expect(
            reading("Content-Type: application/pdf; name=\"a;b.pdf\"\n\nx").attachments.first?.filename
                == "a;b.pdf")
    }

    @Test func theDeclaredNameIsTheSendersOwn() {
        func declared(_ value: String) -> MailModel.Attachment? {
            reading(
                "Content-Type: application/pdf\nContent-Disposition: attachment; filename=\(value)\n\nx"
            )
            .attachments.first
        }
        #expect(declared("/evil/../a.pdf")?.declaredName == "/evil/../a.pdf")
        #expect(declared("/evil/../a.pdf")?.filename == "a.pdf")
        // By the grammar a backslash is an escape; senders mean a path.
        #expect(declared("\"C:\\temp\\a.pdf\"")?.declaredName == "C:tempa.pdf")
        #expect(declared("\"C:\\temp\\a.pdf\"")?.filename == "a.pdf")
        #expect(declared("\"..\"")?.declaredName == "..")
        #expect(declared("\"..\"")?.filename == nil)
        #expect(declared("\"\"")?.declaredName == nil)
        let long = declared(String(repeating: "я", count: 2000) + ".pdf")
        #expect(long?.declaredName?.utf8.count == 1000)
        #expect(long?.filename?.utf8.count == 200)
    }

    @Test func theReadingShowsBothNames() throws {
        let message = reading(
            "Content-Type: application/pdf\nContent-Disposition: attachment; filename=\"/tmp/a.pdf\"\n\nx")
        let file = try #require(MessageReading(path: "", message: message).attachments.first)
        #expect(file.filename == "/tmp/a.pdf")
        #expect(file.safeFilename == "a.pdf")
    }

    @Test func namesAreMadeSafe() {
        #expect(FileName.cleaned("../../etc/passwd", limit: 200) == "passwd")
        #expect(FileName.cleaned("C:\\temp\\a.pdf", limit: 200) == "a.pdf")
        #expect(FileName.cleaned("..", limit: 200) == nil)
        #expect(FileName.cleaned("con.txt", limit: 200) == "_con.txt")
        #expect(FileName.cleaned("a\u{202E}fdp.exe", limit: 200) == "afdp.exe")
        #expect(FileName.cleaned("a\u{0}b.txt. . ", limit: 200) == "ab.txt")
        #expect(FileName.cleaned("/", limit: 200) == nil)
    }

    @Test(arguments: [199, 200, 201])
    func longNamesAreCutToTheLimitWithTheirExtension(_ length: Int) {
        let name = String(repeating: "a", count: length - 4) + ".pdf"
        let cleaned = FileName.cleaned(name, limit: 200)
        #expect(cleaned?.utf8.count == min(length, 200))
        #expect(cleaned?.hasSuffix(".pdf") == true)
        let cyrillic = FileName.cleaned(String(repeating: "я", count: 150) + ".pdf", limit: 200)
        #expect(cyrillic == String(repeating: "я", count: 98) + ".pdf")
    }
}
