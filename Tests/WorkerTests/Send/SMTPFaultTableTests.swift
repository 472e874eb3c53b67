import Archive
import Foundation
import MailTestKit
import Testing

/// The document promises what is tried, and nothing else is tried than what it promises.
@Suite struct SMTPFaultTableTests {
    private static func words(_ stage: ScriptedSMTPServer.Stage) -> String {
        switch stage {
        case .greeting: "greeting"
        case .ehlo: "first EHLO"
        case .auth: "AUTH"
        case .hello: "EHLO after AUTH"
        case .mail, .rcpt, .data: stage.rawValue.uppercased()
        case .content: "amid the data"
        case .endOfData: "end of data"
        }
    }

    private static func words(_ act: ScriptedSMTPServer.Act) -> String {
        switch act {
        case .reply(let text):
            text.split(separator: "\r\n").map { "`\($0)`" }.joined(separator: " and at once ")
        case .replyAndClose(let text): "`\(text)`, and closes"
        case .replyWhenReleased(let text): "`\(text)`, late"
        case .drop: "closes without a word"
        case .stall: "says nothing more"
        }
    }

    private static func next(_ fault: SMTPFaultTests.Fault) -> String {
        switch fault.state {
        case .retry: fault.pauses ? "the account waits, then it is sent" : "is tried again, and sent"
        case .held: "waits for a person"
        case .uncertain: "is not sent again by itself"
        default: "-"
        }
    }

    private static let rows = SMTPFaultTests.faults.map { fault in
        "| \(words(fault.stage)) | \(words(fault.act)) | \(fault.state.rawValue) | \(next(fault)) |"
    }

    @Test func theDocumentHasTheFaultsThatAreTried() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let document = try String(contentsOf: root.appendingPathComponent("docs/SENDING.md"), encoding: .utf8)
        let section = try #require(document.components(separatedBy: "\n## Faults and what follows\n").last)
        let table = section.components(separatedBy: "\n## ")[0].split(separator: "\n")
            .filter { $0.hasPrefix("| ") }.dropFirst()
        #expect(Array(table) == Self.rows.map { Substring($0) })
    }
}
