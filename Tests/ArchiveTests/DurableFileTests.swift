import Foundation
import MailModel
import Synchronization
import Testing

@testable import Archive

#if canImport(Glibc)
    import Glibc
#endif

/// The files that `init` makes beside the archive.
@Suite struct DurableFileTests {
    private func withPath(_ body: (String) throws -> Void) throws {
        let directory = NSTemporaryDirectory() + "durable-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory + "/mailworker.key")
    }

    private func names(beside path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: FileOwner.directory(of: path)).sorted()
    }

    @Test(arguments: ["", "AAAA"])
    func `a key that a killed process has half written is none, and the next one is made`(half: String) throws
    {
        try withPath { path in
            try Data(half.utf8).write(to: URL(fileURLWithPath: path + ".next"))
            _ = try SecretKey.create(file: path)
            _ = try SecretKey(file: path)
            #expect(try names(beside: path) == ["mailworker.key"])
            #expect(!FileModes.isOpen(path))
        }
    }

    @Test func `a file that is there is not replaced, and nothing is left beside it`() throws {
        try withPath { path in
            try DurableFile.create(path, Array("one".utf8), mode: 0o600)
            let failure = #expect(throws: MailFailure.self) {
                try DurableFile.create(path, Array("two".utf8), mode: 0o600)
            }
            #expect(failure?.code == .archiveExists)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "one")
            #expect(try names(beside: path) == ["mailworker.key"])
        }
    }

    @Test func `of several that make a file at once one does, and its content is whole`() throws {
        try withPath { path in
            let made = Mutex<[Int]>([])
            DispatchQueue.concurrentPerform(iterations: 8) { number in
                let bytes = [UInt8](repeating: UInt8(number), count: 5000)
                guard (try? DurableFile.create(path, bytes, mode: 0o600)) != nil else { return }
                made.withLock { $0.append(number) }
            }
            let winner = try #require(made.withLock { $0.count == 1 ? $0.first : nil })
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: path))
                    == Data(repeating: UInt8(winner), count: 5000))
            #expect(try names(beside: path) == ["mailworker.key"])
        }
    }

    @Test func `while another process writes the file it is busy, and a link in its place is not followed`()
        throws
    {
        try withPath { path in
            let other = Glibc.open(path + ".next", O_RDWR | O_CREAT, 0o600)
            try #require(flock(other, LOCK_EX) == 0)
            let busy = #expect(throws: MailFailure.self) { try DurableFile.create(path, [1], mode: 0o600) }
            #expect(busy?.code == .archiveBusy)
            close(other)
            try FileManager.default.removeItem(atPath: path + ".next")
            try FileManager.default.createSymbolicLink(
                atPath: path + ".next", withDestinationPath: path + ".other")
            #expect(throws: MailFailure.self) { try DurableFile.create(path, [1], mode: 0o600) }
            #expect(!FileManager.default.fileExists(atPath: path + ".other"))
        }
    }
}
