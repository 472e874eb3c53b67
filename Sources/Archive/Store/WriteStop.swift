import MailModel
import Synchronization

/// Whether this process still writes: one failed fsync ends that for all of the archive.
///
/// After a failed fsync the system may forget that the bytes never reached the disk
/// and report success for the next one. Only a new process, which takes nothing for
/// written that it has not checked, may go on.
final class WriteStop: Sendable {
    private let state = Mutex(false)

    var isStopped: Bool { state.withLock { $0 } }

    /// - Throws: `archive.stopped` when an fsync has failed.
    func check() throws(MailFailure) {
        if isStopped { throw Self.failure }
    }

    /// Passes a failure on, and stops all writing when it is that of an fsync.
    func noting(_ failure: MailFailure) -> MailFailure {
        if failure.code == .archiveStopped { state.withLock { $0 = true } }
        return failure
    }

    static let failure = MailFailure(
        .archiveStopped, kind: .needsPerson,
        "The disk could not confirm a write; nothing more is written until mailworker is started again",
        remedy:
            "Check the disk, then start mailworker again; nothing that was reported as stored is affected.")
}
