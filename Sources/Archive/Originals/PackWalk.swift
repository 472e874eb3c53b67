import MailModel

/// Steps through a pack from record to record, reading headers only.
struct PackWalk {
    struct Step {
        var offset: Int64
        var header: [UInt8]
        /// Nil when the header is not a record's.
        var record: PackFormat.Record?

        /// Where the bytes of the original start.
        var bytesOffset: Int64 { offset + Int64(PackFormat.recordHeaderBytes) }
    }

    let file: PackFile
    let end: Int64
    private(set) var offset = Int64(PackFormat.fileHeaderBytes)

    init(_ file: PackFile, end: Int64) {
        self.file = file
        self.end = end
    }

    /// The record at the present offset; nil at the end. Whoever walks says with `skip` how long it is.
    func step() throws(MailFailure) -> Step? {
        guard offset + Int64(PackFormat.recordHeaderBytes) <= end else { return nil }
        let header = try file.read(PackFormat.recordHeaderBytes, at: offset)
        return Step(offset: offset, header: header, record: PackFormat.record(header))
    }

    mutating func skip(_ length: Int64) { offset += Int64(PackFormat.recordHeaderBytes) + length }

    /// Calls `body` with every record up to the first that is none.
    static func forEachRecord(
        of file: PackFile, end: Int64, _ body: (Step, PackFormat.Record) throws -> Void
    ) throws {
        var walk = PackWalk(file, end: end)
        while let step = try walk.step(), let record = step.record,
            step.bytesOffset + Int64(record.length) <= end
        {
            try body(step, record)
            walk.skip(Int64(record.length))
        }
    }

    /// Calls `body` with every record up to the first that does not name the header before it. Where a damaged length has
    /// led the walk into the midst of a message, nothing that the message holds can pass for a record.
    static func forEachLinkedRecord(
        of file: PackFile, end: Int64, _ body: (Step, PackFormat.Record) throws -> Void
    ) throws {
        guard end >= Int64(PackFormat.fileHeaderBytes) else { return }
        var chain = PackFormat.sha256(try file.read(PackFormat.fileHeaderBytes, at: 0))
        var walk = PackWalk(file, end: end)
        while let step = try walk.step(), let record = step.record, record.chain == chain,
            step.bytesOffset + Int64(record.length) <= end
        {
            try body(step, record)
            chain = PackFormat.sha256(step.header)
            walk.skip(Int64(record.length))
        }
    }

    /// The hash that the record at `end` must name as its predecessor's; nil when no record ends there.
    static func chain(of file: PackFile, at end: Int64) throws -> [UInt8]? {
        var chain = PackFormat.sha256(try file.read(PackFormat.fileHeaderBytes, at: 0))
        var reached = Int64(PackFormat.fileHeaderBytes)
        try forEachRecord(of: file, end: end) { step, record in
            guard record.chain == chain else { return }
            chain = PackFormat.sha256(step.header)
            reached = step.bytesOffset + Int64(record.length)
        }
        return reached == end ? chain : nil
    }
}
