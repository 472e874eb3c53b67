import Archive
import MailModel

/// Puts what deliveries must have on the disk there in groups: whatever has come while one transaction
/// was written makes the next.
actor OutboxJournal {
    private struct Entry {
        var note: OutboxNote
        var done: @Sendable (Result<Bool, MailFailure>) -> Void
    }

    private let archive: Archive
    private let disk = DiskQueue("outbox")
    /// Between a write that failed and the next try of it, at first.
    private let firstPause: Duration
    private let store: @Sendable ([OutboxNote]) throws(MailFailure) -> [Bool]
    private var waiting: [Entry] = []
    private var isWriting = false

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
        waiting.append(entry)
        guard !isWriting else { return }
        isWriting = true
        Task { await writeAll() }
    }

    /// Puts the end of an attempt before all that is noted from now on, and comes back without waiting for the disk.
    ///
    /// - Parameters:
    ///   - failed: told of each try that fails.
    ///   - done: called with what `end` would return.
    nonisolated func startEnding(
        _ ending: OutboxEnding, failed: @escaping @Sendable (MailFailure) -> Void,
        done: @escaping @Sendable (Bool?) async -> Void
    ) async -> EndingUnderWay {
        let firstTry = Eventual<Result<Bool, MailFailure>>()
        await append(Entry(note: .ended(ending)) { firstTry.come($0) })
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
    nonisolated func end(_ ending: OutboxEnding, failed: (MailFailure) -> Void) async -> Bool? {
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
    nonisolated func giveBack(_ endings: [OutboxEnding], failed: (MailFailure) -> Void) async {
        await persisting(failed) { () async throws(MailFailure) in
            try await noteAll(endings.map { .ended($0) })
        }
    }

    private func noteAll(_ notes: [OutboxNote]) async throws(MailFailure) {
        let store = store
        _ = try await disk.run { () throws(MailFailure) in try store(notes) }
    }

    /// Does what must get onto the disk until it is there.
    ///
    /// - Returns: nil when the archive writes no more or the task is cancelled.
    @discardableResult
    nonisolated func persisting<Value: Sendable>(
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
    /// Of more notes than these, one transaction takes half: were it all of them, every connection would wait for the same
    /// commit, and then the disk for all connections.
    private static let smallGroup = 8

    private func writeAll() async {
        while !waiting.isEmpty {
            let group = Array(waiting.prefix(max(Self.smallGroup, (waiting.count + 1) / 2)))
            waiting.removeFirst(group.count)
            let store = store
            let notes = group.map(\.note)
            let results: [Result<Bool, MailFailure>]
            do throws(MailFailure) {
                results = try await disk.run { () throws(MailFailure) in Self.write(notes, store) }
            } catch {
                results = notes.map { _ in .failure(error) }
            }
            for (entry, result) in zip(group, results) { entry.done(result) }
        }
        isWriting = false
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
