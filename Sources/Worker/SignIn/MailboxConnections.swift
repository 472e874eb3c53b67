import Archive
import MailFetch
import MailModel
import MailTransport
import Synchronization

/// Counts the IMAP sessions that this process has with each mailbox, and keeps them within what its provider allows.
final class MailboxConnections: Sendable {
    struct Mailbox: Sendable, Hashable {
        var host: String
        var login: String
    }

    /// A session's place; it is free again when the last reference is gone.
    final class Place: Sendable {
        private let connections: MailboxConnections
        private let mailbox: Mailbox

        fileprivate init(_ connections: MailboxConnections, _ mailbox: Mailbox) {
            self.connections = connections
            self.mailbox = mailbox
        }

        deinit { connections.leave(mailbox) }
    }

    private struct Waiter {
        var number: Int
        var limit: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct Line {
        var held = 0
        var waiters: [Waiter] = []
    }

    private struct State {
        var lines: [Mailbox: Line] = [:]
        var number = 0
    }

    private let state = Mutex(State())

    func count(of mailbox: Mailbox) -> Int { state.withLock { $0.lines[mailbox]?.held ?? 0 } }
    func waiting(for mailbox: Mailbox) -> Int { state.withLock { $0.lines[mailbox]?.waiters.count ?? 0 } }

    /// Waits until fewer than `limit` sessions are open; those who wait longest come first.
    ///
    /// - Throws: `cancelled`.
    func place(in mailbox: Mailbox, limit: Int) async throws(MailFailure) -> Place {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        let isGranted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    let line = state.lines[mailbox] ?? Line()
                    if line.waiters.isEmpty, line.held < max(1, limit) {
                        state.lines[mailbox, default: Line()].held += 1
                        return true
                    }
                    state.lines[mailbox, default: Line()].waiters.append(
                        Waiter(number: number, limit: max(1, limit), continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let index = state.lines[mailbox]?.waiters.firstIndex { $0.number == number }
                return index.flatMap { state.lines[mailbox]?.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
        guard isGranted else {
            throw MailFailure(.cancelled, kind: .transient, "The wait for a connection was cancelled")
        }
        return Place(self, mailbox)
    }

    /// A place for a session that can do without: nil unless one more than it remains free.
    func placeToSpare(in mailbox: Mailbox, limit: Int) -> Place? {
        let isGranted = state.withLock { state in
            let line = state.lines[mailbox] ?? Line()
            guard line.waiters.isEmpty, line.held + 1 < limit else { return false }
            state.lines[mailbox, default: Line()].held += 1
            return true
        }
        return isGranted ? Place(self, mailbox) : nil
    }

    private func leave(_ mailbox: Mailbox) {
        let next: Waiter? = state.withLock { state in
            guard var line = state.lines[mailbox] else { return nil }
            defer { state.lines[mailbox] = line.held > 0 ? line : nil }
            line.held -= 1
            guard let first = line.waiters.first, line.held < first.limit else { return nil }
            line.held += 1
            return line.waiters.removeFirst()
        }
        next?.continuation.resume(returning: true)
    }
}

extension Account {
    /// IMAP sessions that this process may have with the mailbox at a time: half of what its provider allows, so that
    /// its user's own programs have the other half, and never fewer than a poll and a copy to Sent need.
    var connectionLimit: Int {
        max(2, (knownProfile.connectionLimit ?? ProviderProfile.usualConnectionLimit) / 2)
    }

    var mailbox: MailboxConnections.Mailbox {
        get throws(MailFailure) {
            MailboxConnections.Mailbox(
                host: DomainName.canonical(try imapEndpoint.host), login: settings.login)
        }
    }
}
