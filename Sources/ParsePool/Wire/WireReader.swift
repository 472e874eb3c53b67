/// An answer that no child of ours gives.
struct MalformedAnswer: Error {}

/// Reads what a child has answered. A hostile mail may have made the child say anything:
/// every length is checked against what is there, and nothing is allocated on its word.
struct WireReader {
    private var rest: UnsafeRawBufferPointer
    /// Elements of lists that one message may still have: far more than `MailLimits` allows, and far fewer than an
    /// answer of 64 MB has room for, each of which costs the parent several times its octets.
    private var room = Self.maximumElements

    static let maximumElements = 200_000

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func readByte() throws(MalformedAnswer) -> UInt8 { try readInteger() }

    mutating func readBool() throws(MalformedAnswer) -> Bool {
        switch try readByte() {
        case 0: false
        case 1: true
        default: throw MalformedAnswer()
        }
    }

    mutating func readInteger<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type = Value.self
    ) throws(MalformedAnswer) -> Value {
        try readRaw(MemoryLayout<Value>.size).loadUnaligned(as: Value.self)
    }

    mutating func readRaw(_ count: Int) throws(MalformedAnswer) -> UnsafeRawBufferPointer {
        guard count <= rest.count else { throw MalformedAnswer() }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }

    mutating func readText() throws(MalformedAnswer) -> String {
        let count: UInt32 = try readInteger()
        return String(decoding: try readRaw(Int(count)), as: UTF8.self)
    }

    mutating func readOptionalText() throws(MalformedAnswer) -> String? {
        let count: UInt32 = try readInteger()
        if count == WireWriter.absent { return nil }
        return String(decoding: try readRaw(Int(count)), as: UTF8.self)
    }

    mutating func readList<Element>(
        _ each: (inout WireReader) throws(MalformedAnswer) -> Element
    ) throws(MalformedAnswer) -> [Element] {
        let count: UInt32 = try readInteger()
        // Every element has at least one byte.
        guard count <= rest.count, count <= room else { throw MalformedAnswer() }
        room -= Int(count)
        var list: [Element] = []
        list.reserveCapacity(min(Int(count), 64))
        for _ in 0..<count { list.append(try each(&self)) }
        return list
    }
}
