import Foundation
import GRDBSQLite
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A part of a file that SQLite cannot read any more, as on a disk with a bad sector: as long as this value lives.
final class BadSector {
    private static let bad = Mutex<[ino_t: Range<Int64>]>([:])
    private let file: ino_t

    init(_ path: String, _ range: Range<Int64>) {
        _ = Self.install
        var about = stat()
        stat(path, &about)
        file = about.st_ino
        Self.bad.withLock { $0[file] = range }
    }

    convenience init(page: Int, of path: String) {
        self.init(path, Int64(page - 1) * 4096..<Int64(page) * 4096)
    }

    deinit { Self.bad.withLock { $0[file] = nil } }

    private static func isBad(_ descriptor: Int32, _ offset: Int64, _ count: Int) -> Bool {
        bad.withLock { bad in
            var about = stat()
            guard !bad.isEmpty, fstat(descriptor, &about) == 0, let range = bad[about.st_ino] else {
                return false
            }
            return range.overlaps(offset..<offset + Int64(count))
        }
    }

    /// SQLite lets its calls of the system be replaced, for tests.
    private static let install: Void = {
        typealias Read = @convention(c) (Int32, UnsafeMutableRawPointer?, Int) -> Int
        typealias ReadAt = @convention(c) (Int32, UnsafeMutableRawPointer?, Int, Int) -> Int
        let read: Read = { descriptor, buffer, count in
            guard !BadSector.isBad(descriptor, Int64(lseek(descriptor, 0, SEEK_CUR)), count) else {
                errno = EIO
                return -1
            }
            return Glibc.read(descriptor, buffer, count)
        }
        let readAt: ReadAt = { descriptor, buffer, count, offset in
            guard !BadSector.isBad(descriptor, Int64(offset), count) else {
                errno = EIO
                return -1
            }
            return Glibc.pread(descriptor, buffer, count, offset)
        }
        let vfs = sqlite3_vfs_find("unix")
        for (name, call) in [
            ("read", unsafeBitCast(read, to: sqlite3_syscall_ptr.self)),
            ("pread", unsafeBitCast(readAt, to: sqlite3_syscall_ptr.self)),
            ("pread64", unsafeBitCast(readAt, to: sqlite3_syscall_ptr.self)),
        ] {
            _ = vfs?.pointee.xSetSystemCall?(vfs, name, call)
        }
    }()
}
