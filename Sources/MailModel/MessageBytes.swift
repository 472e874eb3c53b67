#if canImport(Glibc)
    import Glibc
#endif

/// The exact bytes of one message, on the heap or, when they are many, mapped
/// from a file that nobody writes any more. Immutable once made.
public final class MessageBytes: @unchecked Sendable {
    // Unchecked: the storage is written only inside the initializers.
    private let storage: UnsafeMutableRawBufferPointer
    private let isMapped: Bool
    /// Of the mapped file, for reading only, so that another process can be given the bytes
    /// without a copy and without the right to change them. Open as long as this value lives;
    /// nil for bytes on the heap.
    public let fileDescriptor: Int32?

    public var count: Int { storage.count }

    public init(_ bytes: some Collection<UInt8>) {
        storage = .allocate(byteCount: bytes.count, alignment: 1)
        storage.copyBytes(from: bytes)
        isMapped = false
        fileDescriptor = nil
    }

    /// Allocates `count` bytes and has `body` fill all of them.
    public init(count: Int, filling body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        storage = .allocate(byteCount: count, alignment: 1)
        isMapped = false
        fileDescriptor = nil
        // Should it throw, `deinit` frees the storage: of a class it runs once all properties are set.
        try body(storage)
    }

    /// Maps `count` bytes at the start of an open file; nil when the system refuses.
    /// The descriptor may be closed and the file unlinked afterwards.
    public init?(mapping descriptor: Int32, count: Int) {
        guard count > 0,
            let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
            base != MAP_FAILED
        else { return nil }
        storage = UnsafeMutableRawBufferPointer(start: base, count: count)
        isMapped = true
        let readOnly = open("/proc/self/fd/\(descriptor)", O_RDONLY | O_CLOEXEC)
        fileDescriptor = readOnly >= 0 ? readOnly : nil
    }

    deinit {
        if let fileDescriptor { close(fileDescriptor) }
        if isMapped {
            munmap(storage.baseAddress, storage.count)
        } else {
            storage.deallocate()
        }
    }

    /// The bytes are valid during `body` only. Of a huge mapped message only what was
    /// read last is in memory.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
    {
        let bytes = UnsafeRawBufferPointer(storage)
        guard isMapped, bytes.count >= ResidentPages.watchedBytes else { return try body(bytes) }
        return try ResidentPages.shared.watching(bytes, body)
    }
}
