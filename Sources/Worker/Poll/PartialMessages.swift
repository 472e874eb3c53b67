import Archive
import MailFetch
import MailModel
import Synchronization

/// The beginnings of messages during which a connection broke off: the next poll goes on from there. Kept
/// while the process lives, a few at a time, large ones in files without names; a message of which nothing is
/// here is fetched from its beginning.
final class PartialMessages: Sendable {
    private struct Place: Hashable {
        var folder: FolderID
        var uidValidity: UIDValidity
        var uid: UID
    }

    private struct State {
        var kept: [(place: Place, bytes: MessageBytes)] = []
        /// Up to where each message had come at most, in bytes; of the latest ones.
        var furthest: [(place: Place, count: Int)] = []
    }

    private let state = Mutex(State())
    private let capacity: Int
    private static let remembered = 1_000
    /// Bytes that a connection has to bring for the next one to be worth making at once.
    static let worthwhileBytes = 256 << 10

    init(capacity: Int = 8) { self.capacity = capacity }

    /// - Returns: whether the message has come further than ever before, by so much that another connection is worth
    ///   making at once.
    func keep(_ suspect: SuspectMessage, in folder: FolderID, _ uidValidity: UIDValidity) -> Bool {
        guard let bytes = suspect.beginning else { return false }
        let place = Place(folder: folder, uidValidity: uidValidity, uid: suspect.uid)
        return state.withLock { state in
            state.kept.removeAll { $0.place == place }
            if state.kept.count >= capacity { state.kept.removeFirst() }
            state.kept.append((place, bytes))
            let before =
                state.furthest.firstIndex { $0.place == place }
                .map { state.furthest.remove(at: $0).count } ?? 0
            if state.furthest.count >= Self.remembered { state.furthest.removeFirst() }
            state.furthest.append((place, max(before, bytes.count)))
            return bytes.count - before >= Self.worthwhileBytes
        }
    }

    func take(_ folder: FolderID, _ uidValidity: UIDValidity, _ uid: UID) -> MessageBytes? {
        let place = Place(folder: folder, uidValidity: uidValidity, uid: uid)
        return state.withLock { state in
            state.kept.firstIndex { $0.place == place }.map { state.kept.remove(at: $0).bytes }
        }
    }
}
