import Archive
import MailModel

/// Puts what deliveries must have on the disk there in groups: whatever has come while one transaction
/// was written makes the next.
actor OutboxJournal {
    private struct Entry {
        var note: OutboxNote
        var continuation: CheckedContinuation<Result<Bool, MailFailure>, Never>
    }

    private let archive: Archive
    private let disk = DiskQueue("outbox")
    private var waiting: [Entry] = []
    private var isWriting = false

    init(archive: Archive) { self.archive = archive }

    /// Returns when the note is on the disk.
    /// - Returns: whether the claim still is this process's; if not, nothing was noted.
    func note(_ note: OutboxNote) async throws(MailFailure) -> Bool {
        let result = await withCheckedContinuation { continuation in
            waiting.append(Entry(note: note, continuation: continuation))
            guard !isWriting else { return }
            isWriting = true
            Task { await writeAll() }
        }
        return try result.get()
    }

    private func writeAll() async {
        while !waiting.isEmpty {
            let group = waiting
            waiting = []
            let archive = archive
            let notes = group.map(\.note)
            let results: [Result<Bool, MailFailure>]
            do throws(MailFailure) {
                results = try await disk.run { () throws(MailFailure) in Self.write(notes, archive) }
            } catch {
                results = notes.map { _ in .failure(error) }
            }
            for (entry, result) in zip(group, results) { entry.continuation.resume(returning: result) }
        }
        isWriting = false
    }

    /// One that cannot be written costs itself only.
    private static func write(_ notes: [OutboxNote], _ archive: Archive) -> [Result<Bool, MailFailure>] {
        do throws(MailFailure) {
            return try archive.noteOutbox(notes).map { .success($0) }
        } catch {
            guard notes.count > 1, error.code == .archiveRefused else {
                return notes.map { _ in .failure(error) }
            }
            return notes.map { note in
                Result { () throws(MailFailure) in try archive.noteOutbox([note])[0] }
            }
        }
    }
}
