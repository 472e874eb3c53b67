import Foundation
import Testing

@testable import mailworker

/// What stands in a mail or in a contacts file must not steer the reader's terminal.
struct TerminalTests {
    /// Escape, bell, delete, the eight-bit CSI, a reversal and an isolate.
    private let hostile = "a\u{1B}[2J\u{7}\u{7F}\u{9B}31m\u{202E}\u{2066}z"

    @Test func aJSONDocumentHasNoControlCharacterAndSaysTheSame() throws {
        for text in [try JSONOutput.document([hostile]), try JSONOutput.line([hostile])] {
            #expect(Terminal.sanitized(text) == text)
            #expect(try JSONDecoder().decode([String].self, from: Data(text.utf8)) == [hostile])
        }
    }

    @Test func aNameFromElsewhereIsShownWithoutItsControlCharacters() {
        #expect(Terminal.sanitized(hostile) == "a?[2J???31m??z")
    }
}
