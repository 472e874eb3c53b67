import MIMEParse
import MailModel
import Testing

@testable import ParsePool

struct WireTests {
    private var digest: Digest256 { Digest256(bytes: Array(UInt8(1)...32))! }

    /// A message with a value in every field.
    private var full: ParsedMessage {
        var message = ParsedMessage(contentDigest: digest)
        message.formDigest = Digest256(bytes: [UInt8](repeating: 9, count: 32))!
        func mailbox(_ name: String?, _ local: String) -> Mailbox {
            Mailbox(displayName: name, address: EmailAddress(localPart: local, domain: "пример.рф"))
        }
        message.messageID = MessageID(rawValue: "1@example.org")
        message.subject = "Тема ✉️"
        message.from = [mailbox("Анна", "anna")]
        message.sender = [mailbox(nil, "sender")]
        message.replyTo = [mailbox("", "reply")]
        message.to = [mailbox("A", "to"), mailbox("B", "to2")]
        message.cc = [mailbox(nil, "cc")]
        message.bcc = [mailbox(nil, "bcc")]
        message.followupTo = message.bcc
        message.date = UnixTime(-5)
        message.inReplyTo = [MessageID(rawValue: "0@example.org")]
        message.references = [MessageID(rawValue: "a"), MessageID(rawValue: "b")]
        message.authenticationResults = ["mx.example; none", ""]
        message.text = "Text\n"
        message.furtherText = "footer"
        message.split = TextSplit(quoted: [0..<1, 2..<3], signature: 3..<5)
        message.textSource = .html
        message.hasHTML = true
        message.attachments = [
            Attachment(
                filename: "a.pdf", declaredName: "../a.pdf", contentType: "application/pdf", size: 7,
                sha256: digest, isInline: true,
                contentID: "c@x"),
            Attachment(
                filename: nil, contentType: "text/plain", size: 0, sha256: digest, isInline: false,
                contentID: nil),
        ]
        message.attachments[1].isUnpacked = true
        message.automation.isAutoSubmitted = true
        message.automation.listID = "list"
        message.automation.listPost = EmailAddress("talk@lists.example")
        message.automation.isBulk = true
        message.automation.unsubscribe = Automation.Unsubscribe(
            urls: ["https://a.example/u"], isOneClick: true)
        message.automation.isDeliveryReport = true
        message.automation.isCalendar = true
        message.automation.signs = [.autoSubmitted, .listID, .part]
        let card = "Content-Type: text/vcard\n\nBEGIN:VCARD\nVERSION:3.0\nFN:Анна\nEND:VCARD\n"
        message.special = MIMEParser().parse(MessageBytes(Array(card.utf8))).special
        var protection = Protection(.smime, isSigned: true, isEncrypted: false)
        protection.signatureAttachments = [0, 7]
        message.special?.protection = protection
        message.defects = Defect.allCases
        return message
    }

    private func bytes(_ message: ParsedMessage) -> [UInt8] {
        var writer = WireWriter()
        writer.write(message)
        return writer.bytes
    }

    private func read(_ bytes: [UInt8]) throws -> ParsedMessage {
        try bytes.withUnsafeBytes { bytes in
            var reader = WireReader(bytes)
            let message = try reader.readMessage()
            #expect(reader.isAtEnd)
            return message
        }
    }

    @Test func anAnswerThatIsCutAnywhereIsRefused() {
        let whole = bytes(full)
        for count in whole.indices {
            #expect(throws: MalformedAnswer.self) { try read(Array(whole[..<count])) }
        }
    }

    /// Whatever one byte becomes, it is an answer or a refusal, never the parent's end.
    @Test func aChangedByteIsReadOrRefused() {
        let whole = bytes(full)
        var refusals = 0
        for place in whole.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var changed = whole
                changed[place] = value
                let isRead = changed.withUnsafeBytes { bytes in
                    var reader = WireReader(bytes)
                    return (try? reader.readMessage()) != nil
                }
                refusals += isRead ? 0 : 1
            }
        }
        #expect(refusals > 100)
    }

    @Test(arguments: [-1, 0, 1])
    func listsHaveNoMoreElementsThanAnyMessage(_ more: Int) throws {
        var message = ParsedMessage(contentDigest: digest)
        message.references = [MessageID](
            repeating: MessageID(rawValue: ""), count: WireReader.maximumElements - 1)
        message.inReplyTo = [MessageID](repeating: MessageID(rawValue: ""), count: 1 + more)
        if more > 0 {
            #expect(throws: MalformedAnswer.self) { try read(bytes(message)) }
        } else {
            #expect(try read(bytes(message)).references.count == WireReader.maximumElements - 1)
        }
    }

    @Test func everyFieldGoesOver() throws {
        #expect(try read(bytes(full)) == full)
        let empty = ParsedMessage(contentDigest: digest)
        #expect(try read(bytes(empty)) == empty)
        var other = empty
        other.special = SpecialContent()
        #expect(try read(bytes(other)) == other)
        other.special?.protection = Protection(.pgpInline, isSigned: false, isEncrypted: true)
        #expect(try read(bytes(other)) == other)
        other.special = full.special
        other.special?.protection = nil
        #expect(try read(bytes(other)) == other)
    }

    /// Who adds a property adds it to the coding, to `full` above, and here.
    @Test func noPropertyIsForgotten() {
        func count(_ value: Any) -> Int { Mirror(reflecting: value).children.count }
        let message = full
        #expect(count(message) == 24)
        #expect(count(message.attachments[0]) == 8)
        #expect(message.special?.protection.map(count) == 4)
        #expect(count(message.automation) == 8)
        #expect(count(message.from[0]) == 2)
        #expect(count(message.from[0].address) == 2)
        for (label, value) in Mirror(reflecting: message).children {
            let isDefault = Mirror(reflecting: ParsedMessage(contentDigest: digest)).children.contains {
                $0.label == label && "\($0.value)" == "\(value)"
            }
            #expect(!isDefault || label == "contentDigest", "\(label ?? "") has no value in the test")
        }
    }

    @Test func aRequestHeaderGoesOver() throws {
        for question in [ParseFrame.Question.reading, .attachment(0), .attachment(9_999)] {
            for mode in MIMEParser.Mode.allCases {
                let header = ParseFrame.RequestHeader(
                    question: question, mode: mode, isFile: mode == .careful, cpuMilliseconds: 7,
                    byteCount: 1 << 40)
                var writer = WireWriter()
                header.write(to: &writer)
                #expect(writer.bytes.count == ParseFrame.requestHeaderBytes)
                #expect(try writer.bytes.withUnsafeBytes { try ParseFrame.RequestHeader($0) } == header)
            }
        }
    }
}
