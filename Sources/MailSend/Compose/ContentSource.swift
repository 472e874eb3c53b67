import Crypto
public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Where the octets of an enclosure come from.
public enum ContentSource: Sendable {
    case bytes([UInt8])
    /// A large file is read piece by piece when the mail is written.
    case file(OpenedFile)

    public var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(let file): file.count
        }
    }

    /// Calls `body` with the octets in order, each piece but the last of `pieceBytes`.
    ///
    /// - Throws: `compose.file-changed`, and what `body` throws.
    func forEachPiece(
        of pieceBytes: Int, _ body: (UnsafeRawBufferPointer) throws(MailFailure) -> Void
    ) throws(MailFailure) {
        var offset = 0
        switch self {
        case .bytes(let bytes):
            while offset < bytes.count {
                let end = min(bytes.count, offset + pieceBytes)
                try bytes[offset..<end].withOctets(body)
                offset = end
            }
        case .file(let file):
            var buffer = [UInt8](repeating: 0, count: min(pieceBytes, max(1, file.count)))
            while offset < file.count {
                let length = min(buffer.count, file.count - offset)
                try buffer.withUnsafeMutableBufferPointer { (octets) throws(MailFailure) in
                    let piece = UnsafeMutableRawBufferPointer(
                        UnsafeMutableBufferPointer(rebasing: octets[..<length]))
                    try file.read(at: offset, into: piece)
                    try body(UnsafeRawBufferPointer(piece))
                }
                offset += length
            }
        }
    }
}

/// A regular file, open for reading: what becomes of its name afterwards does not matter, and
/// its size is that of the moment when it was opened.
public final class OpenedFile: Sendable {
    private let descriptor: Int32
    public let count: Int

    /// - Throws: `compose.file-unreadable`: there is none, it is no regular file, or it may not be read.
    public init(path: String) throws(MailFailure) {
        // Without O_NONBLOCK, opening a FIFO would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .unreadableFile(path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadableFile(path, reason: "no regular file")
        }
        self.descriptor = descriptor
        count = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// The SHA-256 of the content.
    ///
    /// - Throws: `compose.file-changed`.
    public func digest() throws(MailFailure) -> [UInt8] {
        var hash = SHA256()
        try ContentSource.file(self).forEachPiece(of: 1 << 20) { (piece) throws(MailFailure) in
            hash.update(bufferPointer: piece)
        }
        return Array(hash.finalize())
    }

    /// Fills `buffer` from `offset` on.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(MailFailure) {
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let got = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw .changedFile }
            done += got
        }
    }
}

extension ArraySlice<UInt8> {
    /// As `withUnsafeBytes`, for a body that throws nothing but a `MailFailure`.
    func withOctets(
        _ body: (UnsafeRawBufferPointer) throws(MailFailure) -> Void
    ) throws(MailFailure) {
        try withUnsafeBufferPointer { (octets) throws(MailFailure) in try body(UnsafeRawBufferPointer(octets))
        }
    }
}

extension [UInt8] {
    func withOctets(
        _ body: (UnsafeRawBufferPointer) throws(MailFailure) -> Void
    ) throws(MailFailure) { try self[...].withOctets(body) }
}
