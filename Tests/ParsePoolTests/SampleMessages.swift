import Foundation
import MIMEParse
import MailModel

/// Mail to read: the fixtures, and messages made to be expensive.
enum SampleMessages {
    static let fixtures: [MessageBytes] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/eml")
        let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
        return (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "eml" }
            .sorted { $0.path < $1.path }
            .compactMap { (try? Data(contentsOf: $0)).map { MessageBytes($0) } }
    }()

    static let small = MessageBytes(Array("From: a@example.org\nSubject: small\n\nText\n".utf8))

    /// HTML text, which takes several times its size to make readable.
    static func html(bytes: Int) -> MessageBytes {
        let line = "<p>paragraph with <b>words</b> in it</p>\n"
        return MessageBytes(
            Array(
                ("From: a@example.org\nSubject: html\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
                    + String(repeating: line, count: bytes / line.utf8.count)).utf8))
    }

    /// An attachment of `bytes` encoded bytes.
    static func attachment(bytes: Int) -> [UInt8] {
        let line = String(repeating: "QUJD", count: 19) + "\n"
        return Array(
            ("From: a@example.org\nSubject: large\nMIME-Version: 1.0\n"
                + "Content-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: base64\n\n"
                + String(repeating: line, count: bytes / line.utf8.count)).utf8)
    }

    /// The same bytes in a file, as large mail arrives.
    static func mapped(_ bytes: [UInt8]) -> MessageBytes? {
        var template = Array("\(NSTemporaryDirectory())/parse-pool-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { return nil }
        unlink(template)
        defer { close(file) }
        guard bytes.withUnsafeBytes({ write(file, $0.baseAddress, $0.count) }) == bytes.count else {
            return nil
        }
        return MessageBytes(mapping: file, count: bytes.count)
    }
}
