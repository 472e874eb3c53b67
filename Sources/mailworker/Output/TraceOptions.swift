import ArgumentParser
import Foundation
import MailFetch
import MailModel

/// What every command takes that may write down its sessions.
struct TraceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Appends what is said to and by the IMAP servers to a file; never a password.", valueName: "file"),
        completion: .file())
    var trace: String?

    @Flag(help: "E-mail addresses stand in the trace as they are.")
    var traceAddresses = false

    func validate() throws {
        if traceAddresses, trace == nil { throw ValidationError("--trace-addresses needs --trace.") }
    }

    func open() throws(MailFailure) -> WireTrace? {
        guard let trace else { return nil }
        // A link may lead anywhere, and what is there already may be open to others.
        let descriptor = Glibc.open(trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0,
            status.st_mode & S_IFMT != S_IFREG || fchmod(descriptor, 0o600) == 0
        else {
            if descriptor >= 0 { close(descriptor) }
            throw .usage(
                "The trace file cannot be written", detail: trace,
                remedy: "Name a file of your own in a writable directory, and no link.")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        return WireTrace(showingAddresses: traceAddresses) { direction, line in
            let mark = direction == .sent ? "C: " : "S: "
            try? file.write(contentsOf: Data(mark.utf8) + Data(line) + Data("\n".utf8))
        }
    }
}
