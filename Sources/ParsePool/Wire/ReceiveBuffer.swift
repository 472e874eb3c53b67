import Glibc

/// Bytes that came over the channel and wait to be taken, in one piece of memory that grows
/// for a long frame and shrinks behind it.
final class ReceiveBuffer {
    private static let usualCapacity = 256 << 10

    private var storage = UnsafeMutableRawBufferPointer.allocate(byteCount: usualCapacity, alignment: 16)
    private var filled = 0..<0

    deinit { storage.deallocate() }

    var count: Int { filled.count }

    /// What has come and was not taken; valid until the next call that changes the buffer.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[filled]) }

    /// Where the next bytes go.
    var room: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: storage[filled.upperBound...])
    }

    func received(_ count: Int) { filled = filled.lowerBound..<(filled.upperBound + count) }

    /// The first `count` bytes, which must have come; valid until room is made again.
    func take(_ count: Int) -> UnsafeRawBufferPointer {
        let start = filled.lowerBound
        filled = (start + count)..<filled.upperBound
        return UnsafeRawBufferPointer(rebasing: storage[start..<(start + count)])
    }

    /// Makes room for `count` bytes in one piece, those that have come among them, and for
    /// one more at least.
    func makeRoom(for count: Int) {
        if filled.isEmpty {
            filled = 0..<0
            if storage.count > Self.usualCapacity, count < Self.usualCapacity {
                replaceStorage(Self.usualCapacity)
            }
        }
        let needed = max(count, filled.count + 1)
        guard filled.lowerBound + needed > storage.count else { return }
        if needed > storage.count {
            replaceStorage(needed + Self.usualCapacity)
        } else if let base = storage.baseAddress {
            memmove(base, base + filled.lowerBound, filled.count)
            filled = 0..<filled.count
        }
    }

    private func replaceStorage(_ capacity: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: bytes)
        storage.deallocate()
        storage = larger
        filled = 0..<filled.count
    }
}
