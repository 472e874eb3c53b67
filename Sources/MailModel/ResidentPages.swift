import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Keeps what is read of huge mapped messages from piling up in memory: while a
/// mapping is *watched*, one thread takes its pages out of the process every few
/// milliseconds. They stay in the system's page cache, so that whoever reads on gets them
/// back without the disk; what is resident at a time is what was read since.
///
/// Only for private read-only mappings of files, whose pages can be had again.
public final class ResidentPages: Sendable {
    public static let shared = ResidentPages()

    /// Mappings from here on are watched. Below it, all pages may stay.
    public static let watchedBytes = 16 << 20

    /// Microseconds between two rounds: at five gigabytes a second, what a plain scan does, 10 MB.
    private static let interval: useconds_t = 2_000

    private struct Mapping: Equatable {
        var base: UInt
        var count: Int
    }

    private struct State {
        var mappings: [Mapping] = []
        var hasThread = false
    }

    private let state = Mutex(State())
    /// Posted when the first mapping is watched.
    private let wake: OpaqueSemaphore

    private init() { wake = OpaqueSemaphore() }

    /// Starts the thread now, for a process that will not be allowed to later.
    public func prepare() {
        let isFirst = state.withLock { state in
            defer { state.hasThread = true }
            return !state.hasThread
        }
        guard isFirst else { return }
        var thread = pthread_t()
        let outcome = pthread_create(&thread, nil, { _ in ResidentPages.shared.runForEver() }, nil)
        if outcome == 0 {
            pthread_detach(thread)
        } else {
            // Memory is then bounded by the mapping; the next large one tries again.
            state.withLock { $0.hasThread = false }
        }
    }

    /// Watches a mapping while `body` reads it.
    func watching<Result>(
        _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        prepare()
        let mapping = Mapping(base: UInt(bitPattern: bytes.baseAddress), count: bytes.count)
        state.withLock { $0.mappings.append(mapping) }
        wake.post()
        defer {
            // Under the lock, so that no round takes pages of what lies there afterwards.
            state.withLock { state in
                if let index = state.mappings.firstIndex(of: mapping) { state.mappings.remove(at: index) }
            }
        }
        return try body(bytes)
    }

    private func runForEver() -> UnsafeMutableRawPointer? {
        while true {
            wake.wait()
            while releaseOnce() { usleep(Self.interval) }
        }
    }

    /// False when nothing is watched any more.
    private func releaseOnce() -> Bool {
        state.withLock { state in
            for mapping in state.mappings {
                madvise(UnsafeMutableRawPointer(bitPattern: mapping.base), mapping.count, MADV_DONTNEED)
            }
            return !state.mappings.isEmpty
        }
    }
}

/// A POSIX semaphore at an address of its own.
private final class OpaqueSemaphore: @unchecked Sendable {
    // Unchecked: sem_t is made for threads, and never moves.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() { sem_post(semaphore) }

    /// Waits for a post, whatever signals arrive meanwhile.
    func wait() { while sem_wait(semaphore) != 0 && errno == EINTR {} }
}
