import Foundation
import MIMEParse
import MailModel
import Testing

/// The golden files: each message of Fixtures/eml, as stored, with LF and with
/// CRLF line ends, must read as the JSON beside it says.
@Suite struct FixtureTests {
    /// The project's own; MAILWORKER_FIXTURES names another, which is how a gate proves that
    /// this test bites.
    private static let root =
        ProcessInfo.processInfo.environment["MAILWORKER_FIXTURES"].map { URL(filePath: $0) }
        ?? URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/eml")

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private struct Expected: Decodable {
        struct File: Decodable {
            var filename: String?
            var declaredName: String?
            var contentType: String
            var size: Int
            var sha256: String
            var sizeLf: Int?
            var sha256Lf: String?
        }

        var messageId: String?
        var subject: String?
        var from: [String]
        var to: [String]
        var cc: [String]
        var date: Int64?
        var text: String?
        var ownText: String?
        var furtherText: String?
        var hasHtml: Bool
        var attachments: [File]
        var defects: [Defect]
        var inReplyTo: [String]?
        var references: [String]?
        var replyTo: [String]?
        var bcc: [String]?
        var automation: Automation?
        var authenticationResults: [String]?
    }

    /// The special kinds of content, which have keys of their own making.
    private struct ExpectedKinds: Decodable, Equatable {
        var calendar: CalendarContent?
        var contacts: [VCard]?
        var deliveryReport: DeliveryReport?
        var readReceipt: ReadReceipt?
        var abuseReport: AbuseReport?
        var protection: Protection?

        enum CodingKeys: String, CodingKey {
            case calendar, contacts, protection
            case deliveryReport = "delivery_report"
            case readReceipt = "read_receipt"
            case abuseReport = "abuse_report"
        }
    }

    private enum LineEnds: String, CaseIterable {
        case stored, lf, crlf

        func applied(to bytes: [UInt8]) -> [UInt8] {
            if self == .stored { return bytes }
            var result: [UInt8] = []
            for (index, byte) in bytes.enumerated() {
                if byte == 0x0D, index + 1 < bytes.count, bytes[index + 1] == 0x0A { continue }
                if byte == 0x0A, self == .crlf { result.append(0x0D) }
                result.append(byte)
            }
            return result
        }
    }

    private static func files(in folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: [.isDirectoryKey])
    }

    private static func folders() throws -> [URL] {
        try files(in: root).filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
    }

    @Test func noFolderIsEmptyAndEveryMessageHasItsReading() throws {
        let folders = try Self.folders()
        #expect(!folders.isEmpty, "no fixtures below \(Self.root.path)")
        for folder in folders {
            let files = try Self.files(in: folder)
            let mails = Set(
                files.filter { $0.pathExtension == "eml" }.map { $0.deletingPathExtension().path })
            let readings = Set(
                files.filter { $0.pathExtension == "json" }.map { $0.deletingPathExtension().path })
            #expect(!mails.isEmpty, "\(folder.lastPathComponent) holds no message")
            #expect(mails.subtracting(readings).isEmpty, "messages without a reading")
            #expect(readings.subtracting(mails).isEmpty, "readings without a message")
        }
    }

    @Test func everyMessageReadsAsItsReadingSays() throws {
        var ran = 0
        let actual = FileManager.default.temporaryDirectory.appending(path: "mailworker-fixtures-actual")
        for folder in try Self.folders() {
            for mail in try Self.files(in: folder) where mail.pathExtension == "eml" {
                let reading = mail.deletingPathExtension().appendingPathExtension("json")
                let expected = try Self.decoder.decode(Expected.self, from: Data(contentsOf: reading))
                let kinds = try JSONDecoder().decode(ExpectedKinds.self, from: Data(contentsOf: reading))
                let stored = [UInt8](try Data(contentsOf: mail))
                let fixture = "\(folder.lastPathComponent)/\(mail.lastPathComponent)"
                for lineEnds in LineEnds.allCases {
                    ran += 1
                    let message = lineEnds.applied(to: stored).withUnsafeBytes { MIMEParser().parse($0) }
                    let isLF = !lineEnds.applied(to: stored).contains(0x0D)
                    let differences =
                        Self.differences(message, expected, isLF: isLF) + Self.differences(message, kinds)
                    if differences.isEmpty { continue }
                    try Self.save(message, fixture, lineEnds.rawValue, in: actual)
                    Issue.record(
                        "\(fixture), \(lineEnds.rawValue) line ends: \(differences.joined(separator: "; ")); actual reading in \(actual.path)"
                    )
                }
            }
        }
        #expect(ran > 0, "no fixture was read")
    }

    private static func save(
        _ message: ParsedMessage, _ fixture: String, _ variant: String, in folder: URL
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes, .sortedKeys]
        let name = fixture.replacing("/", with: "-") + ".\(variant).json"
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try encoder.encode(MessageReading(path: fixture, message: message)).write(
            to: folder.appending(path: name))
    }

    private static func differences(_ message: ParsedMessage, _ expected: Expected, isLF: Bool) -> [String] {
        var differences: [String] = []
        func compare<Value: Equatable>(_ name: String, _ actual: Value, _ wanted: Value) {
            if actual != wanted { differences.append("\(name) is \(actual), not \(wanted)") }
        }
        func addresses(_ mailboxes: [Mailbox]) -> [String] { mailboxes.map(\.address.lowercased) }
        compare("message_id", message.messageID?.rawValue, expected.messageId)
        compare("subject", message.subject, expected.subject)
        compare("from", addresses(message.from), expected.from)
        compare("to", addresses(message.to), expected.to)
        compare("cc", addresses(message.cc), expected.cc)
        compare("date", message.date?.rawValue, expected.date)
        compare("text", collapsed(message.text), collapsed(expected.text))
        if let wanted = expected.ownText {
            compare("own_text", message.text.flatMap { message.split?.ownText(in: $0) }, wanted)
        }
        if let wanted = expected.furtherText {
            compare("further_text", collapsed(message.furtherText), collapsed(wanted))
        }
        compare("has_html", message.hasHTML, expected.hasHtml)
        compare("defects", Set(message.defects), Set(expected.defects))
        if let wanted = expected.inReplyTo {
            compare("in_reply_to", message.inReplyTo.map(\.rawValue), wanted)
        }
        if let wanted = expected.references {
            compare("references", message.references.map(\.rawValue), wanted)
        }
        if let wanted = expected.replyTo { compare("reply_to", addresses(message.replyTo), wanted) }
        if let wanted = expected.bcc { compare("bcc", addresses(message.bcc), wanted) }
        if let wanted = expected.authenticationResults {
            // Folds and line ends are the field's own.
            compare(
                "authentication_results", message.authenticationResults.map { collapsed($0) ?? "" }, wanted)
        }
        if let wanted = expected.automation { compare("automation", message.automation, wanted) }
        compare("number of attachments", message.attachments.count, expected.attachments.count)
        for (index, (actual, wanted)) in zip(message.attachments, expected.attachments).enumerated() {
            compare("name of attachment \(index)", actual.filename, wanted.filename)
            if let name = wanted.declaredName {
                compare("declared name of attachment \(index)", actual.declaredName, name)
            }
            compare("type of attachment \(index)", actual.contentType, wanted.contentType)
            compare(
                "size of attachment \(index)", actual.size, isLF ? wanted.sizeLf ?? wanted.size : wanted.size
            )
            compare(
                "sha256 of attachment \(index)", actual.sha256.hex,
                isLF ? wanted.sha256Lf ?? wanted.sha256 : wanted.sha256)
        }
        return differences
    }

    /// Only what the fixture is about is compared, and a key that it names must be met.
    private static func differences(_ message: ParsedMessage, _ expected: ExpectedKinds) -> [String] {
        var differences: [String] = []
        func compare<Value: Equatable>(_ name: String, _ actual: Value?, _ wanted: Value?) {
            guard let wanted, actual != wanted else { return }
            differences.append("\(name) is \(actual.map { "\($0)" } ?? "missing"), not \(wanted)")
        }
        let special = message.special
        compare("calendar", special?.calendar, expected.calendar)
        compare("contacts", special?.contacts, expected.contacts)
        compare("delivery_report", special?.deliveryReport, expected.deliveryReport)
        compare("read_receipt", special?.readReceipt, expected.readReceipt)
        compare("abuse_report", special?.abuseReport, expected.abuseReport)
        compare("protection", special?.protection, expected.protection)
        return differences
    }

    private static func collapsed(_ text: String?) -> String? {
        guard let text else { return nil }
        let words = text.split(whereSeparator: \.isWhitespace)
        return words.isEmpty ? nil : words.joined(separator: " ")
    }
}
