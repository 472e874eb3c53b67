import Archive
import Foundation
import MIMEParse
import MailModel
import Testing

@testable import Worker

/// Whatever some server takes for the end of a mail: in the midst of one it arrives as a part of that one mail, or
/// the mail is refused.
@Suite struct EndOfDataTests {
    /// The lines of Fixtures/smtp/end-of-data.txt.
    private static let variants: [[UInt8]] = {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/smtp/end-of-data.txt")
        let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { octets(Array($0.utf8)) }
    }()

    private static func octets(_ written: [UInt8]) -> [UInt8] {
        let simple: [UInt8: UInt8] = [0x72: 13, 0x6E: 10, 0x74: 9, 0x30: 0, 0x5C: 0x5C]
        var bytes: [UInt8] = []
        var rest = written[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"):
                guard let sign = rest.popFirst() else { break }
                if let octet = simple[sign] {
                    bytes.append(octet)
                } else {
                    bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                    rest = rest.dropFirst(2)
                }
            case UInt8(ascii: "%"):
                let digits = rest.prefix { (0x30...0x39).contains($0) }
                rest = rest.dropFirst(digits.count)
                guard let repeated = rest.popFirst(), rest.popFirst() == UInt8(ascii: "%") else { break }
                bytes += Array(repeating: repeated, count: Int(String(decoding: digits, as: UTF8.self)) ?? 0)
            default: bytes.append(byte)
            }
        }
        return bytes
    }

    /// As `send` takes them: everything goes, and what is read in it is what was written.
    @Test func whatSomebodyWritesArrivesAsOneMail() async throws {
        #expect(Self.variants.count >= 40)
        let fixture = try WireFixture()
        var queued: [(OutboxID, text: String?)] = []
        for variant in Self.variants {
            let written = String(decoding: variant, as: UTF8.self)
            for text in ["before\(written)after", written] {
                var request = MailRequest(account: "anna", to: [WorkerFixture.client])
                request.text = text
                queued.append((try await fixture.submit(request), text))
                request.text = nil
                request.html = "<pre>\(text)</pre>"
                queued.append((try await fixture.submit(request), nil))
            }
        }
        let connections = try await fixture.send()
        #expect(connections.count == 1)
        let mails = connections.flatMap(\.mails)
        #expect(mails.count == queued.count)
        for (mail, (item, text)) in zip(mails, queued) {
            let comment = Comment(rawValue: (text ?? "html").debugDescription)
            #expect(mail.content == fixture.frozen[item], comment)
            #expect(
                mail.recipients.count == 1 && mail.mail.hasPrefix("MAIL FROM:<\(WorkerFixture.own)>"), comment
            )
            #expect(try fixture.archive.outboxItem(item).state == .sent, comment)
            let read = mail.content.withUnsafeBytes { MIMEParser().parse($0) }
            #expect(
                read.hasHTML == (text == nil) && read.attachments.isEmpty && read.defects.isEmpty, comment)
            if let text { #expect(read.text ?? "" == Self.normal(text), comment) }
        }
    }

    /// Bytes that no composer made: what is lines in CRLF goes, and all else is refused, with nothing of it sent.
    @Test func bytesThatAreNoLinesAreRefused() async throws {
        let fixture = try WireFixture()
        let header = Array("Subject: row\r\n\r\n".utf8)
        var queued: [(OutboxID, content: [UInt8])] = []
        for variant in Self.variants {
            for content in [header + variant + Array("after\r\n".utf8), header + variant, variant + header] {
                queued.append((try fixture.queue(content), content))
            }
        }
        let connections = try await fixture.send()
        var mails = connections.flatMap(\.mails)[...]
        var refused = 0
        for (item, content) in queued {
            let comment = Comment(
                rawValue: String(decoding: content.prefix(200), as: UTF8.self).debugDescription)
            let outcome = try fixture.archive.outboxItem(item)
            guard let lines = Self.lines(content) else {
                #expect(
                    outcome.state == .failed && outcome.reason?.contains("cannot be sent") == true, comment)
                refused += 1
                continue
            }
            #expect(outcome.state == .sent, comment)
            let mail = mails.popFirst()
            #expect(mail?.content == lines, comment)
        }
        #expect(mails.isEmpty)
        #expect(refused > 40 && refused < queued.count - 40)
        let cut = connections.compactMap { $0.cut?.content.count }
        #expect(cut == Array(repeating: 0, count: refused))
    }

    /// Where the pieces of a large mail meet, and where what is handed to the system ends.
    @Test(arguments: [256 << 10, 512 << 10, 768 << 10, 1 << 20])
    func aDotIsADotWhereverAMailIsCut(_ place: Int) async throws {
        let fixture = try WireFixture()
        var queued: [(OutboxID, content: [UInt8])] = []
        let line = Array(repeating: UInt8(ascii: "x"), count: 98) + [13, 10]
        for offset in -5...3 {
            var content = Array("Subject: large\r\n\r\n".utf8)
            while content.count + 200 < place + offset { content += line }
            content += Array(repeating: UInt8(ascii: "y"), count: place + offset - content.count - 2)
            content += Array("\r\n.\r\n..\r\n.\r\n".utf8)
            #expect(content[place + offset] == UInt8(ascii: "."))
            for _ in 0..<2_000 { content += line }
            queued.append((try fixture.queue(content), content))
        }
        let mails = try await fixture.send().flatMap(\.mails)
        #expect(mails.count == queued.count)
        for (mail, (_, content)) in zip(mails, queued) where mail.content != content {
            Issue.record("\(content.count) octets were sent, \(mail.content.count) arrived")
        }
    }

    /// Lines in CRLF without a NUL, none longer than 998 (RFC 5322, 2.1.1), the last one ended; nil for what is not.
    private static func lines(_ content: [UInt8]) -> [UInt8]? {
        var lines: [[UInt8]] = [[]]
        var previous: UInt8 = 10
        for byte in content {
            if byte == 0 || (previous == 13) != (byte == 10) { return nil }
            if byte == 10 {
                lines.append([])
            } else if byte != 13 {
                lines[lines.count - 1].append(byte)
            }
            previous = byte
        }
        guard previous != 13, lines.allSatisfy({ $0.count <= 998 }) else { return nil }
        return previous == 10 ? content : content + [13, 10]
    }

    /// What the composer and the reader promise to keep of a text: its lines, but for blanks at its end.
    private static func normal(_ text: String) -> String {
        var lines = [""]
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where previous == "\r": break
            case "\n", "\r", "\u{B}", "\u{C}": lines.append("")
            case "\t", " "...: lines[lines.count - 1].unicodeScalars.append(scalar)
            default: break
            }
            previous = scalar
        }
        var kept = lines.joined(separator: "\n")
        while let last = kept.last, " \t\n".contains(last) { kept.removeLast() }
        return kept
    }
}
