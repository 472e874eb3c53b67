import Foundation
import MailModel
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct ResidentPagesTests {
    private static let count = 64 << 20

    /// A mapped message of `count` octets, each page with its number in front.
    private static func mapped() throws -> MessageBytes {
        let path = NSTemporaryDirectory() + "mailworker-pages-\(UUID().uuidString)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        unlink(path)
        for page in 0..<(count / 4096) {
            var octets = [UInt8](repeating: 0, count: 4096)
            octets[0] = UInt8(truncatingIfNeeded: page)
            octets[1] = UInt8(truncatingIfNeeded: page >> 8)
            try #require(write(descriptor, octets, octets.count) == octets.count)
        }
        return try #require(MessageBytes(mapping: descriptor, count: count))
    }

    /// Octets of the mapping at `address` that are in this process' memory.
    private static func residentOctets(at address: UnsafeRawPointer) throws -> Int {
        let key = String(UInt(bitPattern: address), radix: 16)
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
        let maps = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        var isOurs = false
        for line in maps.split(separator: "\n") {
            if line.hasPrefix(key + "-") || line.hasPrefix("0" + key + "-") { isOurs = true }
            if isOurs, line.hasPrefix("Rss:") {
                let words = line.split(separator: " ")
                return try #require(Int(words[1])) * 1024
            }
        }
        Issue.record("the mapping is not in smaps")
        return 0
    }

    private static func pageNumbersAreRight(_ bytes: UnsafeRawBufferPointer) -> Bool {
        (0..<(count / 4096)).allSatisfy { page in
            bytes[page * 4096] == UInt8(truncatingIfNeeded: page)
                && bytes[page * 4096 + 1] == UInt8(truncatingIfNeeded: page >> 8)
        }
    }

    @Test func whatWasReadOfAHugeMappingLeavesMemoryAndReadsTheSameAgain() throws {
        let message = try Self.mapped()
        try message.withUnsafeBytes { bytes in
            #expect(Self.pageNumbersAreRight(bytes))
            let base = try #require(bytes.baseAddress)
            var resident = Int.max
            // Each look takes longer than a round; far fewer are needed.
            for _ in 0..<10_000 where resident > 0 { resident = try Self.residentOctets(at: base) }
            #expect(resident == 0)
            #expect(Self.pageNumbersAreRight(bytes))
        }
    }

    @Test func severalReadersAtOnceEachReadTheirOwn() async throws {
        let messages = try (0..<3).map { _ in try Self.mapped() }
        await withTaskGroup(of: Bool.self) { group in
            for message in messages {
                for _ in 0..<2 { group.addTask { message.withUnsafeBytes(Self.pageNumbersAreRight) } }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
