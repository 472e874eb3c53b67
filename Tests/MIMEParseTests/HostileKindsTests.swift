import Foundation
import MIMEParse
import MailModel
import Testing

/// The readers of special content on bytes that were made to hurt them: they come back, and
/// what they bring is bounded.
@Suite struct HostileKindsTests {
    private static let folders = ["tnef", "yenc", "calendars", "vcards", "receipts", "protected", "bounces"]

    private static func fixtures() throws -> [[UInt8]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/eml")
        return try folders.flatMap { folder in
            try FileManager.default.contentsOfDirectory(
                at: root.appending(path: folder), includingPropertiesForKeys: nil
            )
            .filter { $0.pathExtension == "eml" }.map { [UInt8](try Data(contentsOf: $0)) }
        }
    }

    @Test func mailCutAnywhereIsRead() throws {
        for message in try Self.fixtures() {
            for end in stride(from: 0, to: message.count, by: 7) {
                let cut = Array(message[..<end])
                #expect(reading(cut).attachments.count <= 10)
            }
        }
    }

    @Test(arguments: [
        "two-files-with-long-names", "message-within", "body-in-compressed-rtf", "html-inside-rtf",
    ])
    func aPackedFileThatLiesAnywhereIsReadOrRefused(_ name: String) throws {
        let packed = try Self.packed("tnef/\(name)")
        for index in packed.indices {
            for lie: UInt8 in [0x00, 0x7F, 0xFF] {
                var changed = packed
                changed[index] = lie
                let message = Self.message("application/ms-tnef", changed)
                #expect(message.attachments.first?.size == packed.count)
            }
            #expect(Self.message("application/ms-tnef", Array(packed[..<index])).attachments.count <= 4)
        }
    }

    @Test func aSignedBodyThatLiesAnywhereIsReadOrRefused() throws {
        for name in ["smime-opaque-der", "smime-opaque-indefinite-lengths"] {
            let signed = try Self.packed("protected/\(name)")
            for index in signed.indices {
                for lie: UInt8 in [0x00, 0x24, 0x80, 0x84, 0xFF] {
                    var changed = signed
                    changed[index] = lie
                    let message = Self.message("application/pkcs7-mime", changed)
                    #expect(message.attachments.first?.size == signed.count)
                }
                #expect(
                    Self.message("application/pkcs7-mime", Array(signed[..<index])).attachments.count <= 2)
            }
        }
    }

    @Test func signedLayersBeyondTheLimitStayFiles() {
        var content = Array("Content-Type: text/plain\r\n\r\ninnermost".utf8)
        for _ in 0..<8 {
            content =
                Array(
                    "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n".utf8)
                + Self.signed(content)
        }
        let message = reading(content)
        #expect(message.attachments.count == 4)
        #expect(message.text == nil)
    }

    @Test func contentOfEveryAttachmentIsWhatWasMeasured() throws {
        for bytes in try Self.fixtures() {
            let message = reading(bytes)
            for (index, attachment) in message.attachments.enumerated() {
                let content = bytes.withUnsafeBytes { MIMEParser().attachmentContent(index, of: $0) }
                #expect(content?.count == attachment.size)
            }
            #expect(
                bytes.withUnsafeBytes { MIMEParser().attachmentContent(message.attachments.count, of: $0) }
                    == nil)
        }
    }

    @Test(arguments: ["text/calendar", "text/vcard", "message/delivery-status", "message/feedback-report"])
    func endlessLinesAndManyFieldsAreReadOnce(_ type: String) {
        let line = String(repeating: "x", count: 1 << 20)
        let fold = String(repeating: " y\n", count: 200_000)
        let begins = String(repeating: "BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VCARD\n", count: 20_000)
        let attendees =
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\n"
            + String(repeating: "ATTENDEE;A=1;B=2:mailto:a@b.example\n", count: 20_000)
        let quoted = "BEGIN:VCARD\nFN;QUOTED-PRINTABLE:" + String(repeating: "=41=\n", count: 100_000)
        let fields = String(repeating: "Final-Recipient: rfc822; a@b.example\n\n", count: 20_000)
        for body in [line, "FN:" + line, "FN:a\n" + fold, begins, attendees, quoted, fields] {
            let message = reading("Content-Type: \(type)\n\n\(body)\n")
            #expect(message.special?.contacts.count ?? 0 <= 1000)
            #expect(message.special?.calendar?.events.count ?? 0 <= 200)
            #expect(message.special?.calendar?.events.first?.attendees.count ?? 0 <= 2000)
            #expect(message.special?.deliveryReport?.recipients.count ?? 0 <= 2000)
        }
    }

    @Test func endlessNamesAndValuesAreCut() {
        let long = String(repeating: "x", count: 100_000)
        let part = reading("Content-Type: application/\(long); name=f\nContent-ID: <\(long)>\n\nx")
            .attachments[0]
        #expect(part.contentType.utf8.count == 255)
        #expect(part.contentID?.utf8.count == 998)
        let card = "BEGIN:VCARD\nFN:Ivan\nEMAIL:\(long)\nEND:VCARD\n"
        #expect(
            reading("Content-Type: text/vcard\n\n\(card)").special?.contacts.first?.emails == [
                String(long.prefix(1024))
            ])
    }

    @Test(.timeLimit(.minutes(1)))
    func receiptsWithoutADispositionAreReadOnce() {
        let groups = String(repeating: String(repeating: "a: =?x?Q?a=E9b?=\n", count: 100) + "\n", count: 500)
        let part = "--b\nContent-Type: message/disposition-notification\n\n\(groups)\n"
        let last = "--b\nContent-Type: message/disposition-notification\n\nDisposition: x; displayed\n"
        func receipt(behind count: Int) -> ReadReceipt? {
            let parts = String(repeating: part, count: count)
            return reading("Content-Type: multipart/mixed; boundary=b\n\n\(parts)\(last)--b--\n").special?
                .readReceipt
        }
        #expect(receipt(behind: 15)?.disposition == "displayed")
        #expect(receipt(behind: 16) == nil)
    }

    @Test func theCarefulReadingLeavesSpecialKindsAlone() {
        let card = Array("Content-Type: text/vcard; name=f.vcf\n\nBEGIN:VCARD\nFN:Ivan\nEND:VCARD\n".utf8)
        let message = card.withUnsafeBytes { MIMEParser(mode: .careful).parse($0) }
        #expect(message.special == nil)
        #expect(message.attachments.map(\.filename) == ["f.vcf"])
    }

    @Test func groupsWithinGroupsOfRTFAreNoRecursion() {
        let rtf =
            Array("{\\rtf1 ".utf8) + [UInt8](repeating: UInt8(ascii: "{"), count: 300_000) + Array("x".utf8)
        let message = Self.message("application/ms-tnef", Self.tnef(Self.uncompressed(rtf)))
        #expect(message.attachments.count == 1)
    }

    @Test func manyBlocksInOneTextAreReadOnce() {
        let block = "=ybegin line=128 size=1 name=a\nK\n=yend size=1\n"
        let opened = "=ybegin line=128 size=1 name=a\n"
        #expect(reading("A: b\n\n" + String(repeating: block, count: 5_000)).attachments.count == 5_000)
        #expect(reading("A: b\n\n" + String(repeating: opened, count: 50_000)).attachments.count == 1)
    }

    // MARK: - Bytes of our making

    private static func packed(_ path: String) throws -> [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/eml")
        let bytes = [UInt8](try Data(contentsOf: root.appending(path: path + ".eml")))
        return try #require(bytes.withUnsafeBytes { MIMEParser().attachmentContent(0, of: $0) })
    }

    private static func message(_ type: String, _ content: [UInt8]) -> ParsedMessage {
        let head = "Content-Type: \(type)\nContent-Transfer-Encoding: base64\n\n"
        return reading(head + Data(content).base64EncodedString(options: .lineLength76Characters))
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = UInt32(content.count)
        return [tag, 0x84] + (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } + content
    }

    private static func signed(_ content: [UInt8]) -> [UInt8] {
        let data: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01]
        let type: [UInt8] = Array(data[..<10]) + [0x02]
        let enclosed = element(0x30, data + element(0xA0, element(0x04, content)))
        return element(0x30, type + element(0xA0, element(0x30, [2, 1, 1, 0x31, 0] + enclosed)))
    }

    private static func littleEndian(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func uncompressed(_ rtf: [UInt8]) -> [UInt8] {
        littleEndian(rtf.count + 12) + littleEndian(rtf.count) + Array("MELA".utf8) + littleEndian(0) + rtf
    }

    private static func tnef(_ rtf: [UInt8]) -> [UInt8] {
        let property =
            littleEndian(1) + [0x02, 0x01, 0x09, 0x10] + littleEndian(1) + littleEndian(rtf.count) + rtf
        return [0x78, 0x9F, 0x3E, 0x22, 1, 0, 1] + littleEndian(0x0006_9003) + littleEndian(property.count)
            + property + [0, 0]
    }
}
