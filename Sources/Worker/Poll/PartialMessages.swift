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

    private let kept = Mutex<[(place: Place, bytes: MessageBytes)]>([])
    private let capacity: Int

    init(capacity: Int = 8) { self.capacity = capacity }

    func keep(_ suspect: SuspectMessage, in folder: FolderID, _ uidValidity: UIDValidity) {
        guard let bytes = suspect.beginning else { return }
        let place = Place(folder: folder, uidValidity: uidValidity, uid: suspect.uid)
        kept.withLock { kept in
            kept.removeAll { $0.place == place }
            if kept.count >= capacity { kept.removeFirst() }
            kept.append((place, bytes))
        }
    }

    func take(_ folder: FolderID, _ uidValidity: UIDValidity, _ uid: UID) -> MessageBytes? {
        let place = Place(folder: folder, uidValidity: uidValidity, uid: uid)
        return kept.withLock { kept in
            kept.firstIndex { $0.place == place }.map { kept.remove(at: $0).bytes }
        }
    }
}
