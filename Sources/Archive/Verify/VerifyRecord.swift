import Foundation
import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Where a verification begins.
public enum VerifyStart: Sendable {
    /// At the beginning, and leaves no record of how far it came.
    case once
    /// At the beginning, with a record.
    case anew
    /// Where the record of an interrupted one ends; at the beginning when there is none.
    case resumed
}

/// How far a verification has come: the packs that it has read to their ends, with what it found in each. It lies
/// beside the database until the verification ends, so that an interrupted one can go on.
///
/// Nothing depends on it: one that cannot be read is none, and so is one that is older than a day. What was read is known
/// to have been whole then.
struct VerifyRecord: Codable {
    struct Pack: Codable {
        var pack: Int64
        /// As far as it was read: a pack that has grown since is read again.
        var end: Int64
        /// The hash of its chain there.
        var chain: String
        var report: VerifyReport
    }

    private static let name = "verify.json"
    private static let lifetime: Int64 = 86_400

    /// When the first of the packs was begun.
    let begunAt: Int64
    private(set) var packs: [Pack] = []

    init(begunAt time: UnixTime) { begunAt = time.rawValue }

    var beginning: UnixTime { UnixTime(begunAt) }

    /// Nil when there is none, none that can be read, or none of today.
    static func read(in directory: String, at time: UnixTime) -> VerifyRecord? {
        guard let data = FileManager.default.contents(atPath: "\(directory)/\(name)"),
            let record = try? JSONDecoder().decode(VerifyRecord.self, from: data),
            record.begunAt <= time.rawValue, time.rawValue - record.begunAt <= lifetime
        else { return nil }
        return record
    }

    static func remove(in directory: String) { PackFile.remove("\(directory)/\(name)") }

    /// What was found in a pack that is still as it was read.
    func report(of pack: OriginalsStore.PackEnd) -> VerifyReport? {
        packs.first { $0.pack == pack.pack && $0.end == pack.end && $0.chain == Self.hex(pack.chain) }?.report
    }

    mutating func add(_ pack: OriginalsStore.PackEnd, _ report: VerifyReport) {
        packs.append(Pack(pack: pack.pack, end: pack.end, chain: Self.hex(pack.chain), report: report))
    }

    /// A disk that does not take it costs the record, not the verification.
    func write(in directory: String) {
        let path = "\(directory)/\(Self.name)"
        PackFile.remove(path + ".next")
        guard let content = try? JSONEncoder().encode(self),
            let file = try? PackFile(creating: path + ".next", header: Array(content))
        else { return }
        withExtendedLifetime(file) { _ = rename(path + ".next", path) }
    }

    /// For a verification that is to have a record: of two at the same time the second has none. Nil for that one.
    static func lock(in directory: String) -> PackFile? {
        let path = "\(directory)/locks/verify"
        if let made = try? PackFile(creating: path, header: []) { return made }
        return (try? PackFile(appendingTo: path)) ?? nil
    }

    private static func hex(_ chain: [UInt8]) -> String { Digest256(bytes: chain)?.hex ?? "" }
}
