import ArgumentParser
import Foundation
import Synchronization

/// Results go to standard output, everything else to standard error; progress
/// is shown only where somebody watches.
enum Terminal {
    static let showsProgress = isatty(STDERR_FILENO) == 1

    private static let progressIsShown = Mutex(false)

    /// Names, subjects and file names come from elsewhere, so that every result is sanitized.
    static func print(_ text: String) {
        clearProgress()
        write(sanitized(text) + "\n", to: .standardOutput)
    }

    static func complain(_ text: String) {
        clearProgress()
        write("mailworker: \(sanitized(text))\n", to: .standardError)
    }

    /// Replaces the progress line; nothing when standard error is not a terminal.
    static func progress(_ text: String) {
        guard showsProgress else { return }
        progressIsShown.withLock { $0 = true }
        write("\r\u{1B}[K\(sanitized(text))", to: .standardError)
    }

    /// Puts a question to the person at the terminal, beside the results.
    static func ask(_ text: String) {
        clearProgress()
        write(sanitized(text), to: .standardError)
    }

    /// Puts a question to the person at the terminal and keeps what they type off the screen; asks nobody where
    /// standard input is no terminal.
    static func withoutEcho<Answer>(_ question: String, _ read: () -> Answer) -> Answer {
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &echoing) == 0 else { return read() }
        ask(question)
        var silent = echoing
        silent.c_lflag &= ~tcflag_t(ECHO)
        // Whoever interrupts gets a terminal back that shows what they type.
        let earlier = signal(SIGINT) { number in
            tcsetattr(STDIN_FILENO, TCSANOW, &Terminal.echoing)
            signal(number, SIG_DFL)
            raise(number)
        }
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &echoing)
            signal(SIGINT, earlier)
            write("\n", to: .standardError)
        }
        return read()
    }

    /// The terminal's own state while a password is typed, for the handler of the signal; written before that is
    /// installed.
    nonisolated(unsafe) fileprivate static var echoing = termios()

    static func clearProgress() {
        guard showsProgress else { return }
        let wasShown = progressIsShown.withLock { shown in
            defer { shown = false }
            return shown
        }
        if wasShown { write("\r\u{1B}[K", to: .standardError) }
    }

    /// Text that came out of a mail must not steer the reader's terminal: control
    /// characters (and those that reorder text) become `?`.
    static func sanitized(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var clean = String.UnicodeScalarView()
        clean.append(contentsOf: text.unicodeScalars.lazy.map { isUnsafe($0) ? "?" : $0 })
        return String(clean)
    }

    static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A, 0x09: false
        case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private static func write(_ text: String, to handle: FileHandle) {
        do {
            try handle.write(contentsOf: Data(text.utf8))
        } catch {
            // A reader that went away (`| head`) is no reason to fail; anything else lost a result.
            guard handle === FileHandle.standardOutput, errno != EPIPE else { return }
            complain("The output cannot be written: \(String(cString: strerror(errno)))")
            exit(ExitStatus.someItemsFailed.rawValue)
        }
    }
}
