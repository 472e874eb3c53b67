import Archive
import MailModel
import Synchronization

/// Puts what deliveries must have on the disk there in groups: whatever has come while one transaction
/// was written makes the next.
final class OutboxJournal: Sendable {
    private struct Entry {
        var note: OutboxNote
        var done: @Sendable (Result<Bool, MailFailure>) -> Void
    }

    private struct Line {
        var waiting: [Entry] = []
        var isWriting = false
    }

    private let archive: Archive
    private let disk = DiskQueue("outbox")
    /// Of its own: `disk` may be at work for as long as mail goes out.
    private let returns = DiskQueue("outbox-returns")
    /// Between a write that failed and the next try of it, at first.
    private let firstPause: Duration
    private let store: @Sendable ([OutboxNote]) throws(MailFailure) -> [Bool]
    private let line = Mutex(Line())

    /// - Parameter store: writes notes in one transaction; nil for the archive's own way.
    init(
        archive: Archive, firstPause: Duration = .seconds(1),
        store: (@Sendable ([OutboxNote]) throws(MailFailure) -> [Bool])? = nil
    ) {
        self.archive = archive
        if let store {
            self.store = store
        } else {
            self.store = { notes throws(MailFailure) in try archive.noteOutbox(notes) }
        }
        self.firstPause = firstPause
    }

    /// Returns when the note is on the disk.
    /// - Returns: whether the claim still is this process's; if not, nothing was noted.
    func note(_ note: OutboxNote) async throws(MailFailure) -> Bool {
        let result = await withCheckedContinuation { continuation in
            append(Entry(note: note) { continuation.resume(returning: $0) })
        }
        return try result.get()
    }

    private func append(_ entry: Entry) {
        let isFirst = line.withLock { line in
            line.waiting.append(entry)
            defer { line.isWriting = true }
            return !line.isWriting
        }
        if isFirst { disk.start { self.writeAll() } }
    }

    /// Puts the end of an attempt before all that is noted from now on, and comes back without waiting for the disk.
    ///
    /// - Parameters:
    ///   - failed: told of each try that fails.
    ///   - done: called with what `end` would return.
    func startEnding(
        _ ending: OutboxEnding, failed: @escaping @Sendable (MailFailure) -> Void,
        done: @escaping @Sendable (Bool?) async -> Void
    ) -> EndingUnderWay {
        let firstTry = Eventual<Result<Bool, MailFailure>>()
        append(Entry(note: .ended(ending)) { firstTry.come($0) })
        let whole = Task {
            do throws(MailFailure) {
                await done(try await firstTry.value.get())
            } catch {
                failed(error)
                await done(await end(ending, failed: failed))
            }
        }
        return EndingUnderWay(firstTry: firstTry, whole: whole)
    }

    /// Puts the end of an attempt on the disk, however long that takes. A full disk has room again some day; an answer
    /// that was given up by then would be a mail of which nobody knows whether it was sent, and its claim nobody's.
    ///
    /// - Parameter failed: told of each try that fails.
    /// - Returns: whether the claim still was this process's. Nil when the archive writes no more or the task is
    ///   cancelled: the next process then finds the claim of a dead one.
    func end(_ ending: OutboxEnding, failed: (MailFailure) -> Void) async -> Bool? {
        var ending = ending
        return await persisting(failed) { () async throws(MailFailure) in
            do throws(MailFailure) {
                return try await note(.ended(ending))
            } catch {
                if error.code == .archiveRefused {
                    // A record that the archive will never take: what the server may have is called uncertain.
                    ending.replies = []
                    ending.outcomes = ending.outcomes.mapValues { $0 == .sent ? .uncertain : $0 }
                    ending.failure = .outboxUncertain
                }
                throw error
            }
        }
    }

    /// Gives claims back whose mail was not tried: nobody else takes what a living process has claimed.
    func giveBack(_ endings: [OutboxEnding], failed: (MailFailure) -> Void) async {
        await persisting(failed) { () async throws(MailFailure) in
            try await noteAll(endings.map { .ended($0) })
        }
    }

    private func noteAll(_ notes: [OutboxNote]) async throws(MailFailure) {
        let store = store
        _ = try await returns.run { () throws(MailFailure) in try store(notes) }
    }

    /// Does what must get onto the disk until it is there.
    ///
    /// - Returns: nil when the archive writes no more or the task is cancelled.
    @discardableResult
    func persisting<Value: Sendable>(
        _ failed: (MailFailure) -> Void, _ body: () async throws(MailFailure) -> Value
    ) async -> Value? {
        var pause = firstPause
        while true {
            do throws(MailFailure) {
                return try await body()
            } catch {
                failed(error)
                guard archive.stopFailure == nil, !Task.isCancelled else { return nil }
                // Being cancelled ends the wait, and leaves one more try.
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private static let longestPause = Duration.seconds(15)

    /// The writing thread goes from one transaction straight to the next: tasks that hand it over from one to the other
    /// would wait for a core each time.
    private func writeAll() {
        while let group = nextGroup() {
            let results = Self.write(group.map(\.note), store)
            for (entry, result) in zip(group, results) { entry.done(result) }
        }
    }

    private func nextGroup() -> [Entry]? {
        line.withLock { line in
            guard !line.waiting.isEmpty else {
                line.isWriting = false
                return nil
            }
            defer { line.waiting = [] }
            return line.waiting
        }
    }

    /// One that cannot be written costs itself only.
    private static func write(
        _ notes: [OutboxNote], _ store: ([OutboxNote]) throws(MailFailure) -> [Bool]
    ) -> [Result<Bool, MailFailure>] {
        do throws(MailFailure) {
            return try store(notes).map { .success($0) }
        } catch {
            guard notes.count > 1, error.code == .archiveRefused else {
                return notes.map { _ in .failure(error) }
            }
            return notes.map { note in
                Result { () throws(MailFailure) in try store([note])[0] }
            }
        }
    }
}

/// How an attempt ended, on its way to the disk while the next mail is offered to the server.
struct EndingUnderWay: Sendable {
    fileprivate let firstTry: Eventual<Result<Bool, MailFailure>>
    fileprivate let whole: Task<Void, Never>

    /// Throws why the disk did not take it at once: no further mail is handed over then.
    func demandStored() async throws(MailFailure) { _ = try await firstTry.value.get() }

    /// Returns when it is stored, or will not be by this process. Being cancelled leaves one more try.
    func finish() async {
        await withTaskCancellationHandler {
            await whole.value
        } onCancel: {
            whole.cancel()
        }
    }
}
