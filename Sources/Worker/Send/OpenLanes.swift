import Synchronization

/// Which of an account's connections have a session at this moment.
final class OpenLanes: Sendable {
    private let open = Mutex<Set<Int>>([])

    var isEmpty: Bool { open.withLock { $0.isEmpty } }
    func enter(_ lane: Int) { open.withLock { _ = $0.insert(lane) } }
    func leave(_ lane: Int) { open.withLock { _ = $0.remove(lane) } }
}
