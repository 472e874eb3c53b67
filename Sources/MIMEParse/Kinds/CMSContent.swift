/// The outermost layer of a CMS message (RFC 5652): which content it is, and for signed data
/// the content itself.
///
/// A walker of our own over BER: it steps over what it does not need without building a tree,
/// follows indefinite lengths by counting, and copies nothing but the content's pieces. A
/// general ASN.1 library would hold every node of a message that a stranger sent.
struct CMSContent {
    enum Kind {
        case signed, encrypted, compressed, other
    }

    var kind: Kind
    /// The content entity of signed data; nil when it stands elsewhere (a detached signature).
    var content: [UInt8]?
    /// The octets end before the structure does.
    var isDamaged = false

    /// Nil when this is no CMS.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = BERReader(bytes)
        guard let info = reader.header(), info.tag == 0x30, let type = reader.objectIdentifier() else {
            return nil
        }
        switch type {
        // pkcs7-signedData, envelopedData, and what RFC 5083 and RFC 3274 add.
        case [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02]: kind = .signed
        case [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x03]: kind = .encrypted
        case [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x17]: kind = .encrypted
        case [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x09]: kind = .compressed
        default: kind = .other
        }
        guard kind == .signed else { return }
        // [0] { SEQUENCE { version, digestAlgorithms, SEQUENCE { type, [0] { OCTET STRING } } } }
        guard reader.header()?.tag == 0xA0, reader.header()?.tag == 0x30, reader.skip(), reader.skip(),
            reader.header()?.tag == 0x30, reader.objectIdentifier() != nil
        else {
            isDamaged = true
            return
        }
        guard reader.header()?.tag == 0xA0, let (octets, isWhole) = reader.octetString() else { return }
        content = octets
        isDamaged = !isWhole
    }
}

/// Steps through BER (X.690) one header at a time.
struct BERReader {
    /// Constructed strings within strings; nobody needs more.
    private static let maximumDepth = 16

    struct Header {
        var tag: UInt8
        /// Nil for the indefinite form.
        var length: Int?
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Identifier and length octets of the next element; nil, and nothing consumed, at the
    /// end or for a form that CMS does not use. A length may reach beyond the octets.
    mutating func header() -> Header? {
        let start = position
        guard let tag = next(), tag & 0x1F != 0x1F, let first = next() else {
            position = start
            return nil
        }
        if first < 0x80 { return Header(tag: tag, length: Int(first)) }
        if first == 0x80, tag & 0x20 != 0 || tag == 0 { return Header(tag: tag, length: nil) }
        let count = Int(first & 0x7F)
        var length = 0
        guard count > 0, count <= 4 || leadingZeros(count - 4) else {
            position = start
            return nil
        }
        for _ in 0..<min(count, 4) {
            guard let byte = next() else {
                position = start
                return nil
            }
            length = length << 8 | Int(byte)
        }
        return Header(tag: tag, length: length)
    }

    /// The octets of an OBJECT IDENTIFIER.
    mutating func objectIdentifier() -> [UInt8]? {
        guard let header = header(), header.tag == 0x06, let length = header.length, length < 64,
            length <= bytes.count - position
        else { return nil }
        defer { position += length }
        return Array(bytes.slice(position..<(position + length)))
    }

    /// Passes over one element whatever it holds; false when it is not whole.
    mutating func skip() -> Bool {
        // Elements of indefinite length that are open; inside them everything is stepped over.
        var open = 0
        repeat {
            guard let header = header() else { return false }
            if header.tag == 0, header.length == 0 {
                guard open > 0 else { return false }
                open -= 1
            } else if let length = header.length {
                guard length <= bytes.count - position else { return false }
                position += length
            } else {
                open += 1
            }
        } while open > 0
        return true
    }

    /// An OCTET STRING, primitive or in pieces; false beside it when the end is missing.
    mutating func octetString() -> ([UInt8], isWhole: Bool)? {
        guard let first = header(), first.tag & 0x1F == 0x04 else { return nil }
        if first.tag & 0x20 == 0 {
            guard let length = first.length else { return nil }
            return take(length)
        }
        var result: [UInt8] = []
        // Where each open element ends; nil for the indefinite form.
        var ends: [Int?] = [first.length.map { position + $0 }]
        while let end = ends.last {
            if let end, position >= end {
                ends.removeLast()
                continue
            }
            guard let header = header() else { return (result, false) }
            if header.tag == 0, header.length == 0 {
                if end == nil { ends.removeLast() } else { return (result, false) }
            } else if header.tag & 0x1F != 0x04 {
                return (result, false)
            } else if header.tag & 0x20 != 0 {
                guard ends.count < Self.maximumDepth else { return (result, false) }
                ends.append(header.length.map { position + $0 })
            } else if let length = header.length {
                let (piece, isWhole) = take(length)
                result += piece
                if !isWhole { return (result, false) }
            } else {
                return (result, false)
            }
        }
        return (result, true)
    }

    private mutating func take(_ length: Int) -> ([UInt8], isWhole: Bool) {
        let end = min(bytes.count, position + length)
        defer { position = end }
        return (Array(bytes.slice(position..<end)), end - position == length)
    }

    private mutating func next() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func leadingZeros(_ count: Int) -> Bool {
        for _ in 0..<count {
            guard next() == 0 else { return false }
        }
        return true
    }
}
