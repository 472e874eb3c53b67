/// The wire form of questions and answers (RFC 1035, 4): as much of it as finding mail servers takes.
///
/// Pure: bytes in, values out. An answer comes from whoever could send a datagram, so that nothing in it
/// is followed without bounds.
struct DNSQuestion: Sendable, Hashable {
    enum Kind: UInt16, Sendable {
        case mx = 15
        case srv = 33
    }

    /// A host name as it is compared: lower case, without a trailing dot.
    let name: String
    let kind: Kind

    /// Nil when the name cannot be asked for (RFC 1035, 2.3.4).
    init?(_ name: String, _ kind: Kind) {
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            labels.allSatisfy({ (1...63).contains($0.count) })
        else { return nil }
        self.name = name.lowercased()
        self.kind = kind
    }

    /// - Parameter id: random, so that only who has seen the question can answer it.
    func bytes(id: UInt16) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xFF)]
        // A standard query that asks for recursion; one question.
        bytes += [0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.utf8.split(separator: UInt8(ascii: ".")) {
            bytes.append(UInt8(label.count))
            bytes += label
        }
        bytes += [0, 0, UInt8(kind.rawValue), 0, 1]
        return bytes
    }
}

/// One record of an answer.
enum DNSRecord: Sendable, Hashable {
    /// RFC 1035, 3.3.9. An empty host is "takes no mail" (RFC 7505).
    case mx(preference: UInt16, host: String)
    /// RFC 2782. An empty host is "no such service here".
    case srv(priority: UInt16, weight: UInt16, port: UInt16, host: String)
}

/// What an answer says.
enum DNSAnswer: Sendable, Hashable {
    case records([DNSRecord])
    /// There is more than a datagram holds: to be asked again over TCP.
    case truncated
    /// The name does not exist, which is an answer.
    case noSuchName
    /// The server could not or would not find out; its RCODE.
    case refused(Int)
    /// It answers the question, and breaks the grammar.
    case malformed

    /// Nil for a datagram that is no answer to this question: a late one, or one of a stranger.
    init?(_ bytes: [UInt8], to question: DNSQuestion, id: UInt16) {
        var reader = DNSReader(bytes)
        guard let header = reader.take(12).map(Array.init),
            UInt16(header[0]) << 8 | UInt16(header[1]) == id,
            header[2] & 0xF8 == 0x80, header[4] == 0, header[5] == 1,
            reader.name() == question.name, reader.number() == question.kind.rawValue, reader.number() == 1
        else { return nil }
        if header[2] & 0x02 != 0 {
            self = .truncated
            return
        }
        switch header[3] & 0x0F {
        case 0: break
        case 3:
            self = .noSuchName
            return
        default:
            self = .refused(Int(header[3] & 0x0F))
            return
        }
        let count = Int(header[6]) << 8 | Int(header[7])
        self = Self.records(&reader, count: count, question).map { .records($0) } ?? .malformed
    }

    /// More is not looked at: nobody has a hundred mail servers.
    private static let recordLimit = 100

    private static func records(
        _ reader: inout DNSReader, count: Int, _ question: DNSQuestion
    ) -> [DNSRecord]? {
        // Where the name is another's alias, its records stand under that one (RFC 1034, 3.6.2).
        var owner = question.name
        var records: [DNSRecord] = []
        for _ in 0..<min(count, recordLimit) {
            guard let name = reader.name(), let kind = reader.number(), let place = reader.number(),
                reader.take(4) != nil, let length = reader.number(), let end = reader.end(after: Int(length))
            else { return nil }
            if name == owner, place == 1 {
                switch kind {
                case 5:
                    guard let target = reader.name() else { return nil }
                    owner = target
                case question.kind.rawValue:
                    guard let record = record(&reader, question.kind) else { return nil }
                    records.append(record)
                default: break
                }
                guard reader.position <= end else { return nil }
            }
            reader.position = end
        }
        return records
    }

    private static func record(_ reader: inout DNSReader, _ kind: DNSQuestion.Kind) -> DNSRecord? {
        switch kind {
        case .mx:
            guard let preference = reader.number(), let host = reader.name() else { return nil }
            return .mx(preference: preference, host: host)
        case .srv:
            guard let priority = reader.number(), let weight = reader.number(), let port = reader.number(),
                let host = reader.name()
            else { return nil }
            return .srv(priority: priority, weight: weight, port: port, host: host)
        }
    }
}

/// Reads the pieces of a message, never past its end.
struct DNSReader {
    private let bytes: [UInt8]
    var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= bytes.count - position else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func number() -> UInt16? {
        take(2).map { UInt16($0[$0.startIndex]) << 8 | UInt16($0[$0.startIndex + 1]) }
    }

    func end(after count: Int) -> Int? { count <= bytes.count - position ? position + count : nil }

    /// A name (RFC 1035, 4.1.4) in lower case; the root is the empty one.
    ///
    /// Each pointer must lead further back than the one before, so that no message can lead in circles. Nil
    /// for what is no host name as well: it could not be connected to.
    mutating func name() -> String? {
        var labels: [UInt8] = []
        var at = position
        var farthest = position
        var end: Int?
        while true {
            guard at < bytes.count else { return nil }
            let length = Int(bytes[at])
            switch length & 0xC0 {
            case 0 where length == 0:
                position = end ?? at + 1
                return String(decoding: labels, as: UTF8.self)
            case 0:
                guard at + 1 + length <= bytes.count else { return nil }
                let label = bytes[at + 1..<at + 1 + length]
                guard labels.count + length < 254, label.allSatisfy(Self.isHostByte) else { return nil }
                if !labels.isEmpty { labels.append(UInt8(ascii: ".")) }
                labels += label.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
                at += 1 + length
            case 0xC0:
                guard at + 1 < bytes.count else { return nil }
                let target = (length & 0x3F) << 8 | Int(bytes[at + 1])
                guard target < farthest else { return nil }
                end = end ?? at + 2
                farthest = target
                at = target
            default: return nil
            }
        }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
