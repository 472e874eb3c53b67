import Foundation
import MIMEParse
import MailModel
import Testing

/// What is odd about a message may stand in a part as well, and then others follow it: nothing of
/// either is lost.
@Suite struct NestedOddityTests {
    private struct Expected: Decodable {
        struct File: Decodable {
            var sha256: String
            var sha256Lf: String?
        }

        var text: String?
        var attachments: [File]
    }

    /// Fixtures whose oddity is the message's own: as a part they are something else.
    private static let ofMessages: Set<String> = [
        "blank-line-of-spaces-first", "message-as-a-whole", "message-declared-an-attachment",
        "two-content-types",
    ]

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/eml")

    @Test(arguments: ["structure", "malformed", "rfc"])
    func anEntityReadsTheSameWithAPartBehindIt(_ folder: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.root.appending(path: folder), includingPropertiesForKeys: nil)
        var ran = 0
        for mail in files where mail.pathExtension == "eml" {
            let name = mail.deletingPathExtension().lastPathComponent
            if Self.ofMessages.contains(name) { continue }
            ran += 1
            let reading = mail.deletingPathExtension().appendingPathExtension("json")
            let expected = try decoder.decode(Expected.self, from: Data(contentsOf: reading))
            let message = Self.nested([UInt8](try Data(contentsOf: mail)))
            let files = message.attachments.filter { !$0.isUnpacked }.map(\.sha256.hex)
            let isSame =
                files.count == expected.attachments.count + 1
                && zip(files, expected.attachments).allSatisfy { $0 == $1.sha256 || $0 == $1.sha256Lf }
            #expect(isSame, "\(folder)/\(name): \(message.attachments.map(\.contentType))")
            #expect(message.attachments.last?.contentType == "application/behind", "\(folder)/\(name)")
            let words = Self.words(message.text)
            #expect(words == Self.words(expected.text), "\(folder)/\(name)")
        }
        #expect(ran > 10)
    }

    /// The message as the first part of a multipart.
    private static func nested(_ message: [UInt8]) -> ParsedMessage {
        let front = "Content-Type: multipart/mixed; boundary=\"outermost\"\r\n\r\n--outermost\r\n"
        let behind =
            "\r\n--outermost\r\nContent-Type: application/behind\r\n\r\nbehind\r\n--outermost--\r\n"
        return reading(Array(front.utf8) + message + Array(behind.utf8))
    }

    private static func words(_ text: String?) -> [Substring] {
        (text ?? "").split(whereSeparator: \.isWhitespace)
    }
}
