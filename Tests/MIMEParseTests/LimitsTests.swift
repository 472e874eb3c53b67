import MIMEParse
import MailModel
import Testing

/// Each limit at n-1, n and n+1: beyond it the message is still read, with a defect.
@Suite struct LimitsTests {
    private func limits(_ change: (inout MailLimits) -> Void) -> MailLimits {
        var limits = MailLimits.standard
        change(&limits)
        return limits
    }

    @Test(arguments: [4, 5, 6])
    func depth(_ levels: Int) {
        let mail =
            (0..<levels).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()
            + "\ndeep\n" + (0..<levels).reversed().map { "--b\($0)--\n" }.joined()
        let message = reading(mail, limits: limits { $0.depth = 5 })
        #expect(message.defects.contains(.depthLimit) == (levels > 5))
        #expect(message.text?.contains("deep") == true)
    }

    @Test(arguments: [9, 10, 11])
    func parts(_ count: Int) {
        // The container counts too.
        let mail =
            "Content-Type: multipart/mixed; boundary=b\n\n"
            + String(repeating: "--b\nContent-Type: application/x\n\ny\n", count: count - 1) + "--b--\n"
        let message = reading(mail, limits: limits { $0.parts = 10 })
        #expect(message.defects.contains(.partLimit) == (count > 10))
        #expect(message.attachments.count == min(count, 10) - 1)
    }

    @Test(arguments: [9, 10, 11])
    func fields(_ count: Int) {
        let mail = "Subject: s\n" + String(repeating: "X: y\n", count: count - 1) + "\nbody"
        let message = reading(mail, limits: limits { $0.fields = 10 })
        #expect(message.defects.contains(.headerLimit) == (count > 10))
        #expect(message.subject == "s")
        #expect(message.text == "body")
    }

    @Test(arguments: [99, 100, 101])
    func fieldBytes(_ length: Int) {
        // The blank behind the colon counts.
        let mail = "Subject: " + String(repeating: "s", count: length - 1) + "\n\nbody"
        let message = reading(mail, limits: limits { $0.fieldBytes = 100 })
        #expect(message.defects.contains(.fieldLimit) == (length > 100))
        #expect(message.subject?.utf8.count == min(length, 100) - 1)
    }

    @Test(arguments: [999, 1000, 1001])
    func headerBlockBytes(_ length: Int) {
        let mail = "Subject: s\nX: " + String(repeating: "x", count: length - 14) + "\n\nbody"
        let message = reading(mail, limits: limits { $0.headerBlockBytes = 1000 })
        #expect(message.defects.contains(.headerLimit) == (length > 1000))
        #expect(message.subject == "s")
        #expect(message.text == "body")
    }

    @Test(arguments: [9, 10, 11])
    func addresses(_ count: Int) {
        let mail = "To: " + (0..<count).map { "a\($0)@b.example" }.joined(separator: ", ") + "\n\n"
        let message = reading(mail, limits: limits { $0.addresses = 10 })
        #expect(message.defects.contains(.addressLimit) == (count > 10))
        #expect(message.to.count == min(count, 10))
    }

    @Test(arguments: [9, 10, 11])
    func parameters(_ count: Int) {
        let mail =
            "Content-Type: text/plain" + (0..<count).map { "; p\($0)=x" }.joined() + "\n\nbody"
        let message = reading(mail, limits: limits { $0.parameters = 10 })
        #expect(message.defects.contains(.fieldLimit) == (count > 10))
        #expect(message.text == "body")
    }

    @Test(arguments: [99, 100, 101])
    func textBytes(_ length: Int) {
        let message = reading(
            "Subject: s\n\n" + String(repeating: "x", count: length), limits: limits { $0.textBytes = 100 })
        #expect(message.defects.contains(.textLimit) == (length > 100))
        #expect(message.text?.utf8.count == min(length, 100))
    }

    @Test func aCutNeverSplitsACharacter() {
        let message = reading(
            "Subject: s\n\n" + String(repeating: "я", count: 100), limits: limits { $0.textBytes = 101 })
        #expect(message.text == String(repeating: "я", count: 50))
    }
}
