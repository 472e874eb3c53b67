import MailModel
import Testing

@testable import MIMEParse

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

    @Test func fieldsThatNobodyReadsHideNoneThatIs() {
        let mail = String(repeating: "Received: x\n", count: 20) + "Subject: s\n\nbody"
        let message = reading(mail, limits: limits { $0.fields = 10 })
        #expect(message.subject == "s")
        #expect(message.defects.contains(.headerLimit))
        let many = String(repeating: "To: a@b.example\n", count: 20) + "Subject: s\n\nbody"
        #expect(reading(many, limits: limits { $0.fields = 10 }).subject == nil)
    }

    @Test(arguments: [99, 100, 101])
    func fieldBytes(_ length: Int) {
        // The blank behind the colon counts.
        let mail = "Subject: " + String(repeating: "s", count: length - 1) + "\n\nbody"
        let message = reading(mail, limits: limits { $0.fieldBytes = 100 })
        #expect(message.defects.contains(.fieldLimit) == (length > 100))
        #expect(message.subject?.utf8.count == min(length, 100) - 1)
    }

    @Test(arguments: [99, 100, 101])
    func authenticationResultBytes(_ length: Int) {
        // The blank behind the colon counts.
        let mail =
            "Authentication-Results: " + String(repeating: "a", count: length - 1)
            + "\nAuthentication-Results: below\n\nbody"
        let message = reading(mail, limits: limits { $0.authenticationResultBytes = 100 })
        // The place of one that is too long stays taken.
        #expect(message.authenticationResults.count == 2)
        #expect(message.authenticationResults[0].isEmpty == (length > 100))
    }

    @Test(arguments: [4, 5, 6])
    func authenticationResults(_ count: Int) {
        let mail = (0..<count).map { "Authentication-Results: \($0)\n" }.joined() + "\nbody"
        let message = reading(mail, limits: limits { $0.authenticationResults = 5 })
        #expect(message.authenticationResults.count == min(count, 5))
        #expect(message.authenticationResults.first?.contains("0") == true)
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

    @Test(arguments: [199, 200, 201])
    func fileNameBytes(_ length: Int) {
        let name = String(repeating: "n", count: length - 4) + ".pdf"
        let message = reading("Content-Type: application/pdf; name=\"\(name)\"\n\nx")
        #expect(message.attachments.first?.filename?.utf8.count == min(length, 200))
        #expect(message.attachments.first?.filename?.hasSuffix("n.pdf") == true)
    }

    @Test(arguments: [999, 1000, 1001])
    func declaredNameBytes(_ length: Int) {
        let name = String(repeating: "n", count: length - 4) + ".pdf"
        let message = reading("Content-Type: application/pdf; name=\"\(name)\"\n\nx")
        #expect(message.attachments.first?.declaredName?.utf8.count == min(length, 1000))
        #expect(message.attachments.first?.declaredName?.hasSuffix("n.pdf") == true)
    }

    @Test(arguments: [69, 70, 71])
    func boundaryBytes(_ length: Int) {
        // Our own splitter reads any length; only libmimetic is not asked beyond.
        let boundary = String(repeating: "b", count: length)
        let mail = Array(
            ("Content-Type: multipart/mixed; boundary=\(boundary)\n\n--\(boundary)\n"
                + "Content-Type: application/x\n\nx\n--\(boundary)--\n").utf8)
        #expect(reading(mail).attachments.count == 1)
        mail.withUnsafeBytes { bytes in
            var splitter = EntitySplitter(bytes, limits: .standard, defects: DefectLog())
            let tree = splitter.split(from: 0)
            let verdict = MimeticReading(bytes: bytes, limits: .standard).compare(with: tree, from: 0)
            switch verdict {
            case .agrees: #expect(length <= 70)
            case .notAsked: #expect(length > 70)
            default: Issue.record("\(verdict)")
            }
        }
    }

    /// The numbers that the documents name.
    @Test func theStandardLimitsAreThoseThatWePromise() {
        let limits = MailLimits.standard
        #expect(limits.depth == 100)
        #expect(limits.parts == 10_000)
        #expect(limits.headerBlockBytes == 1 << 20)
        #expect(limits.fieldBytes == 256 << 10)
        #expect(limits.fields == 5_000)
        #expect(limits.addresses == 10_000)
        #expect(limits.parameters == 200)
        #expect(limits.fileNameBytes == 200)
        #expect(limits.declaredNameBytes == 1000)
        #expect(limits.boundaryBytes == 70)
        #expect(limits.textBytes == 1 << 20)
        #expect(limits.messageBytes == 150 << 20)
        #expect(limits.heapMessageBytes == 4 << 20)
    }

    /// At their real size, not lowered for the test.
    @Test(arguments: [99, 100, 101])
    func theStandardDepth(_ levels: Int) {
        let mail =
            (0..<levels).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()
            + "\ndeep\n"
        let message = reading(mail)
        #expect(message.defects.contains(.depthLimit) == (levels > 100))
        #expect(message.text?.contains("deep") == true)
    }

    @Test(arguments: [9_999, 10_000, 10_001])
    func theStandardParts(_ count: Int) {
        let mail =
            "Content-Type: multipart/mixed; boundary=b\n\n"
            + String(repeating: "--b\nContent-Type: application/x\n\ny\n", count: count - 1) + "--b--\n"
        let message = reading(mail)
        #expect(message.defects.contains(.partLimit) == (count > 10_000))
        #expect(message.attachments.count == min(count, 10_000) - 1)
    }

    @Test func aCutNeverSplitsACharacter() {
        let message = reading(
            "Subject: s\n\n" + String(repeating: "я", count: 100), limits: limits { $0.textBytes = 101 })
        #expect(message.text == String(repeating: "я", count: 50))
    }
}
