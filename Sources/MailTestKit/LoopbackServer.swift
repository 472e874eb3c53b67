import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Accepts connections on a free loopback port and serves each on a thread of its own.
final class LoopbackServer: Sendable {
    /// What its owner does with a connection.
    struct Service: Sendable {
        /// A connection has come.
        var accepted: @Sendable () -> Void = {}
        /// Speaks on it: its descriptor, and its number from 0. It is closed afterwards.
        var serve: @Sendable (_ descriptor: Int32, _ number: Int) -> Void
        /// It is closed.
        var ended: @Sendable () -> Void = {}
        /// Nobody listens on the port any more.
        var stopped: @Sendable () -> Void = {}
    }

    private struct State {
        var connections: [Int32] = []
        var accepted = 0
        var isStopped = false
    }

    let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    /// Listens; nobody is served before `start`.
    /// - Throws: when no port can be had.
    init(backlog: Int32 = 512) throws {
        let socket = try LoopbackListener(backlog: backlog)
        listener = socket.descriptor
        port = socket.port
    }

    func start(_ service: Service) { Thread.detachNewThread { self.acceptAll(service) } }

    /// Ends everything.
    /// - Returns: how many connections were open.
    @discardableResult
    func stop() -> Int {
        let open = state.withLock { state in
            state.isStopped = true
            return state.connections
        }
        shutdown(listener, Int32(SHUT_RDWR))
        for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        return open.count
    }

    private func acceptAll(_ service: Service) {
        while true {
            let descriptor = accept(listener, nil, nil)
            if descriptor < 0 {
                if errno == EINTR { continue }
                break
            }
            let number = state.withLock { state -> Int? in
                guard !state.isStopped else { return nil }
                state.connections.append(descriptor)
                state.accepted += 1
                return state.accepted - 1
            }
            guard let number else {
                close(descriptor)
                break
            }
            service.accepted()
            Thread.detachNewThread {
                service.serve(descriptor, number)
                self.state.withLock { $0.connections.removeAll { $0 == descriptor } }
                close(descriptor)
                service.ended()
            }
        }
        close(listener)
        service.stopped()
    }
}
