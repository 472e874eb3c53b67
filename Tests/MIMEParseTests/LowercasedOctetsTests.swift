import MailModel
import Testing

@testable import MIMEParse

@Suite struct LowercasedOctetsTests {
    private func lowercased(_ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { LowercasedOctets.with($0, \.text) }
    }

    /// Every character of the blocks that are turned by hand, and some beyond them.
    @Test func lowerCaseIsThatOfTheStandardLibrary() {
        for value in [0x20...0x52F, 0x1E00...0x1E20, 0x2000...0x2040, 0x2120...0x2130].joined() {
            guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
            let text = "a\(Character(scalar))Я"
            #expect(
                lowercased(text).utf8.elementsEqual(text.lowercased().utf8), "U+\(String(value, radix: 16))")
        }
        #expect(lowercased("") == "")
    }

    @Test func octetsThatAreCutAreStillRead() {
        let cut: [UInt8] = [0x41, 0xD0]
        #expect(cut.withUnsafeBytes { LowercasedOctets.with($0, \.text) } == "a\u{FFFD}")
    }

    @Test func phrasesAreFoundHoweverTheirAccentsAreWritten() {
        let phrases = PhraseList(["mit freundlichen grüßen", "с уважением"])
        for text in ["Mit freundlichen Gr\u{FC}ßen", "Mit freundlichen Gru\u{308}ßen", "С УВАЖЕНИЕМ"] {
            Array(text.utf8).withUnsafeBytes { octets in
                #expect(phrases.mayBegin(octets))
                #expect(LowercasedOctets.with(octets, phrases.contains), "\(text)")
                #expect(LowercasedOctets.with(octets, phrases.hasBeginning))
            }
        }
        for text in ["Mit freundlichen Gru", "С уважениемъ", "", "x"] {
            Array(text.utf8).withUnsafeBytes { octets in
                #expect(!LowercasedOctets.with(octets, phrases.contains), "\(text)")
            }
        }
    }

    @Test func aSignatureWithADecomposedClosingIsFound() {
        let message = reading("Subject: s\n\nHallo,\n\nja.\n\nMit freundlichen Gru\u{308}ßen\nAnna\n")
        #expect(message.split?.signature != nil)
    }
}
