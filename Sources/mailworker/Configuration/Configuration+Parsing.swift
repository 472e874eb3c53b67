import Archive
import Foundation
import MIMEParse
import MailModel
import ParsePool
import Worker

extension Configuration {
    /// Child processes that read mail, unless the file says otherwise: one for each processor,
    /// and no more than the archive can keep up with.
    static let usualParseProcesses = min(4, max(1, ProcessInfo.processInfo.activeProcessorCount))

    /// Who reads mail.
    /// - Parameter processes: how many children at most, for work that has no use for more.
    func parsing(atMost processes: Int = .max) -> any MessageParsing {
        guard parseProcesses > 0 else { return InProcessParsing(parser: MIMEParser(limits: limits)) }
        return ParsePool(settings: .init(processes: min(parseProcesses, processes), limits: limits))
    }

    /// Reads messages again, as ingest would and where it would, and blocks until it has.
    func rereading() -> @Sendable ([MessageBytes]) throws(MailFailure) -> [Content?] {
        guard parseProcesses > 0 else {
            let parser = MIMEParser(limits: limits)
            return { batch in batch.map { MessageReader.content(of: .read(parser.parse($0))) } }
        }
        let pool = ParsePool(settings: .init(processes: parseProcesses, limits: limits))
        return { batch throws(MailFailure) in
            try pool.parseAndWait(batch).map { MessageReader.content(of: $0) }
        }
    }

    /// Where mail is read, and what keeps a hostile message in there.
    struct Reading {
        var words: String
        /// Whether a hostile message is kept in as well as this program can.
        var isConfined: Bool
    }

    /// Starts a child, to see what the kernel agrees to.
    func reading() async throws(MailFailure) -> Reading {
        guard parseProcesses > 0 else {
            return Reading(
                words:
                    "in the program's own process (parse.processes = 0), which a hostile message could end",
                isConfined: false)
        }
        let isolation = try await ParsePool(settings: ParsePool.Settings(processes: 1)).isolation()
        let count = parseProcesses == 1 ? "1 child process" : "\(parseProcesses) child processes"
        return Reading(
            words: "in \(count), \(isolation.words)", isConfined: isolation.isFiltered && isolation.isLimited)
    }
}

extension ParseIsolation {
    fileprivate var words: String {
        switch (isFiltered, isLimited) {
        case (true, true): "without files and network (seccomp), memory and time bounded"
        case (true, false): "without files and network (seccomp); the system refuses to bound their memory"
        case (false, true): "memory and time bounded; the system refuses the filter of system calls (seccomp)"
        case (false, false): "which the system refuses to confine: neither seccomp nor a bound on memory"
        }
    }
}
