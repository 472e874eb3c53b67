import CCurl
import Glibc
import MailModel

/// The loop's thread and all that only it touches.
///
/// Each request and each event is handled to its end without waiting; nothing here blocks, so that
/// a dead server costs the others nothing.
final class LoopThread: @unchecked Sendable {
    // Unchecked: after `start` every stored property is used by the started thread alone.

    /// The most that one receive returns, and so the fairness between busy connections.
    static let chunkBytes = 256 << 10

    /// What one system call reads from a TLS connection.
    static let readAheadBytes = 64 << 10

    let mailbox: LoopMailbox
    let epoll: Int32
    let multi: UnsafeMutableRawPointer
    var connections: [Int32: LoopConnection] = [:]
    /// Connections that libcurl is still opening, kept alive for its callbacks.
    var opening: [ObjectIdentifier: LoopConnection] = [:]
    /// Web requests under way, by libcurl's handle.
    var exchanges: [UnsafeMutableRawPointer: LoopExchange] = [:]
    var deadlines = DeadlineHeap()
    /// When libcurl wants to be called without an event; monotonic milliseconds.
    var curlDeadline: Int64 = .max
    var now: Int64 = 0
    /// Descriptors that libcurl watches while it opens connections.
    var curlSockets: Set<Int32> = []
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 64)
    var isStopping = false

    init?(mailbox: LoopMailbox) {
        self.mailbox = mailbox
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0, let multi = curl_multi_init() else {
            if epoll >= 0 { close(epoll) }
            scratch.deallocate()
            return nil
        }
        self.multi = multi
        watch(mailbox.wakeDescriptor, EPOLLIN.rawValue, EPOLL_CTL_ADD)
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = mw_multi_set_socket(multi, Self.socketChanged, context)
        _ = mw_multi_set_timer(multi, Self.timerChanged, context)
        // The pool of idle connections must never be the reason to close one.
        _ = mw_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 1_000_000)
    }

    deinit {
        curl_multi_cleanup(multi)
        close(epoll)
        scratch.deallocate()
    }

    /// False when the system gives no thread.
    func start() -> Bool {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let loop = Unmanaged<LoopThread>.fromOpaque(context).takeRetainedValue()
                // A write to a closed socket must be an error, never the death of the process.
                var signals = sigset_t()
                sigfillset(&signals)
                pthread_sigmask(SIG_BLOCK, &signals, nil)
                mw_name_thread("mail-network")
                loop.run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        now = Self.monotonicMilliseconds()
        while !isStopping {
            let requests = mailbox.takeOrSleep()
            for request in requests { handle(request) }
            if isStopping { break }
            let timeout = requests.isEmpty ? timeoutMilliseconds() : 0
            let count = epoll_wait(epoll, &events, Int32(events.count), timeout)
            now = Self.monotonicMilliseconds()
            for index in 0..<max(0, Int(count)) { handle(events[index]) }
            if now >= curlDeadline {
                curlDeadline = .max
                act(on: CURL_SOCKET_TIMEOUT, 0)
            }
            expireDeadlines()
        }
        for request in mailbox.stop() { request.refuse(.loopStopped) }
        for connection in Array(opening.values) + Array(connections.values) {
            finish(connection, .loopStopped)
        }
        for exchange in Array(exchanges.values) { finish(exchange, .failure(.loopStopped)) }
    }

    private func timeoutMilliseconds() -> Int32 {
        let next = min(curlDeadline, deadlines.first?.time ?? .max)
        guard next != .max else { return -1 }
        return Int32(clamping: max(0, next &- now))
    }

    static func monotonicMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000
    }

    private func handle(_ event: epoll_event) {
        let descriptor = event.data.fd
        if descriptor == mailbox.wakeDescriptor {
            mailbox.noteAwake()
        } else if curlSockets.contains(descriptor) {
            var mask: Int32 = 0
            if event.events & EPOLLIN.rawValue != 0 { mask |= CURL_CSELECT_IN }
            if event.events & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
            if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_ERR }
            act(on: descriptor, mask)
        } else if let connection = connections[descriptor] {
            if connection.receiver != nil { continueReceiving(connection) }
            if connection.sender != nil { continueSending(connection) }
            rearm(connection)
        }
    }

    func handle(_ request: LoopMailbox.Request) {
        switch request {
        case .open(let connection, let waiter): open(connection, waiter)
        case .receive(let connection, let seconds, let waiter): receive(connection, within: seconds, waiter)
        case .send(let connection, let bytes, let sender): send(connection, bytes, sender)
        case .close(let connection): finish(connection, .closedByOwner)
        case .cancelled(let connection): endCancelledWaits(connection)
        case .exchange(let request, let waiter): exchange(request, waiter)
        case .exchangeCancelled(let request):
            if request.waiter != nil { finish(request, .failure(.waitCancelled)) }
        case .stop: isStopping = true
        }
    }

    // MARK: Deadlines

    func noteDeadline(_ connection: LoopConnection) {
        guard connection.nextDeadline < connection.heapDeadline else { return }
        connection.heapDeadline = connection.nextDeadline
        deadlines.insert(connection.nextDeadline, connection)
    }

    /// The earliest entry of a connection is never later than its present deadline, and may be earlier: waits that
    /// end in time, the ordinary case, then cost the heap nothing. Later entries, left by a wait that was followed by
    /// one of less time, do no harm.
    private func expireDeadlines() {
        while let first = deadlines.first, first.time <= now {
            let connection = deadlines.removeFirst()
            if first.time == connection.heapDeadline { connection.heapDeadline = .max }
            let timedOut = CurlResult.timedOut(detail: connection.place)
            if connection.openDeadline <= now {
                finish(connection, connection.openTimeoutFailure)
            } else {
                if connection.receiveDeadline <= now { answerReceiver(connection, .failure(timedOut)) }
                if connection.sendDeadline <= now { answerSender(connection, .failure(timedOut)) }
            }
            noteDeadline(connection)
        }
    }

    // MARK: epoll

    func watch(_ descriptor: Int32, _ interest: UInt32, _ operation: Int32) {
        var event = epoll_event()
        event.events = interest
        event.data.fd = descriptor
        if epoll_ctl(epoll, operation, descriptor, &event) != 0, errno == EEXIST, operation == EPOLL_CTL_ADD {
            epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event)
        }
    }

    func unwatch(_ descriptor: Int32) {
        var event = epoll_event()
        epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
    }

    // MARK: libcurl

    func act(on descriptor: curl_socket_t, _ mask: Int32) {
        var running: Int32 = 0
        curl_multi_socket_action(multi, descriptor, mask, &running)
        collectFinished()
    }

    private static let socketChanged: curl_socket_callback = { _, descriptor, what, context, known in
        guard let context else { return 0 }
        let loop = Unmanaged<LoopThread>.fromOpaque(context).takeUnretainedValue()
        let isKnown = loop.curlSockets.contains(descriptor)
        if what == CURL_POLL_REMOVE {
            if isKnown {
                loop.curlSockets.remove(descriptor)
                loop.unwatch(descriptor)
            }
            return 0
        }
        var interest: UInt32 = 0
        if what & CURL_POLL_IN != 0 { interest |= EPOLLIN.rawValue }
        if what & CURL_POLL_OUT != 0 { interest |= EPOLLOUT.rawValue }
        loop.curlSockets.insert(descriptor)
        loop.watch(descriptor, interest, isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD)
        return 0
    }

    private static let timerChanged: curl_multi_timer_callback = { _, milliseconds, context in
        guard let context else { return 0 }
        let loop = Unmanaged<LoopThread>.fromOpaque(context).takeUnretainedValue()
        loop.curlDeadline =
            milliseconds < 0 ? .max : LoopThread.monotonicMilliseconds() &+ Int64(milliseconds)
        return 0
    }
}
