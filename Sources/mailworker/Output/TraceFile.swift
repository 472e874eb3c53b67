import Foundation
import MailFetch
import MailModel

/// A file that receives the lines of IMAP sessions.
enum TraceFile {
    static func open(_ path: String) throws(MailFailure) -> WireTrace {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .usage(
                "The trace file cannot be written", detail: path,
                remedy: "Name a file in a writable directory.")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        return WireTrace { direction, line in
            let mark = direction == .sent ? "C: " : "S: "
            try? file.write(contentsOf: Data(mark.utf8) + Data(line) + Data("\n".utf8))
        }
    }
}
