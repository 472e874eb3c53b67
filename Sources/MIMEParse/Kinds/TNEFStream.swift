/// One TNEF stream (MS-OXTNEF): what a winmail.dat holds, as ranges of its octets.
///
/// Every length is checked against what is there, and a stream that contradicts itself is
/// read up to that place.
struct TNEFStream {
    struct File {
        var properties = MAPIProperties()
        /// attAttachTitle: a short name in the stream's code page.
        var title: Range<Int>?
        var data: Range<Int>?
    }

    var properties = MAPIProperties()
    /// attBody: the plain text in the stream's code page.
    var plainBody: Range<Int>?
    var subject: Range<Int>?
    var codePage: UInt32 = 0
    var files: [File] = []
    var isDamaged = false

    static let signature: [UInt8] = [0x78, 0x9F, 0x3E, 0x22]

    /// The low halves of attribute ids; the high ones only repeat the data's type.
    private enum Attribute: UInt16 {
        case subject = 0x8004
        case body = 0x800C
        case attachData = 0x800F
        case attachTitle = 0x8010
        case attachRendData = 0x9002
        case mapiProperties = 0x9003
        case attachment = 0x9005
        case codePage = 0x9007
    }

    /// Nil when `range` does not begin a TNEF stream.
    init?(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, maximumFiles: Int) {
        var reader = LittleEndianReader(bytes, range)
        guard let magic = reader.take(4), bytes.slice(magic).elementsEqual(Self.signature) else { return nil }
        guard reader.uint16() != nil else {
            isDamaged = true
            return
        }
        while reader.left > 0 {
            guard reader.uint8() != nil, let id = reader.uint32(), let length = reader.uint32() else {
                isDamaged = true
                return
            }
            guard let data = reader.take(Int(length)), reader.take(2) != nil else {
                isDamaged = true
                return
            }
            if let attribute = Attribute(rawValue: UInt16(truncatingIfNeeded: id)) {
                guard files.count <= maximumFiles else {
                    isDamaged = true
                    return
                }
                read(attribute, data, bytes)
            }
        }
    }

    private mutating func read(_ attribute: Attribute, _ data: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
        switch attribute {
        case .subject: subject = data
        case .body: plainBody = data
        case .codePage:
            var number = LittleEndianReader(bytes, data)
            codePage = number.uint32() ?? 0
        case .mapiProperties:
            properties = MAPIProperties(bytes, data)
            if properties.isDamaged { isDamaged = true }
        case .attachRendData: files.append(File())
        case .attachTitle: change { $0.title = data }
        case .attachData: change { $0.data = data }
        case .attachment:
            let read = MAPIProperties(bytes, data)
            if read.isDamaged { isDamaged = true }
            change { $0.properties = read }
        }
    }

    /// Changes the last file; streams of poor writers leave out the attribute that begins one.
    private mutating func change(_ body: (inout File) -> Void) {
        if files.isEmpty { files.append(File()) }
        body(&files[files.count - 1])
    }
}

/// The properties of a message or attachment (MS-OXTNEF, 2.1.3.4): those that we read.
struct MAPIProperties {
    enum Tag: UInt16 {
        case subject = 0x0037
        case body = 0x1000
        case compressedRTF = 0x1009
        case bodyHTML = 0x1013
        case displayName = 0x3001
        case attachData = 0x3701
        case attachFileName = 0x3704
        case attachMethod = 0x3705
        case attachLongFileName = 0x3707
        case attachMIMETag = 0x370E
        case attachContentID = 0x3712
        case internetCodePage = 0x3FDE
    }

    struct Value {
        var range: Range<Int>
        var isUnicode: Bool
    }

    private var values: [Tag: Value] = [:]
    private(set) var isDamaged = false

    init() {}

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        var reader = LittleEndianReader(bytes, range)
        guard let count = reader.uint32() else {
            isDamaged = true
            return
        }
        // A count that lies is stopped by the end of the data: each property takes octets.
        for _ in 0..<count {
            guard readProperty(&reader) else {
                isDamaged = true
                return
            }
        }
    }

    subscript(_ tag: Tag) -> Value? { values[tag] }

    private mutating func readProperty(_ reader: inout LittleEndianReader) -> Bool {
        guard let type = reader.uint16(), let id = reader.uint16() else { return false }
        if id >= 0x8000, !Self.skipName(&reader) { return false }
        let isMultiple = type & 0x1000 != 0
        let base = type & 0x0FFF
        if let width = Self.fixedWidth(of: base) {
            var count = 1
            if isMultiple {
                guard let number = reader.uint32() else { return false }
                count = Int(number)
            }
            guard count <= reader.left / width, let range = reader.take(count * width) else { return false }
            keep(id, range, isUnicode: false)
            return true
        }
        // Strings, binaries and objects are always counted.
        guard [0x000D, 0x001E, 0x001F, 0x0102].contains(base), let count = reader.uint32() else {
            return false
        }
        for index in 0..<count {
            guard let length = reader.uint32(), let range = reader.takePadded(Int(length)) else {
                return false
            }
            if index == 0 { keep(id, range, isUnicode: base == 0x001F) }
        }
        return true
    }

    private mutating func keep(_ id: UInt16, _ range: Range<Int>, isUnicode: Bool) {
        if let tag = Tag(rawValue: id) { values[tag] = Value(range: range, isUnicode: isUnicode) }
    }

    /// Octets of a value with its padding; nil for a type of no fixed width.
    private static func fixedWidth(of type: UInt16) -> Int? {
        switch type {
        case 0x0002, 0x0003, 0x0004, 0x000A, 0x000B: 4
        case 0x0005, 0x0006, 0x0007, 0x0014, 0x0040: 8
        case 0x0048: 16
        default: nil
        }
    }

    /// A named property has its name in front of its values.
    private static func skipName(_ reader: inout LittleEndianReader) -> Bool {
        guard reader.take(16) != nil, let kind = reader.uint32() else { return false }
        if kind == 0 { return reader.take(4) != nil }
        guard let length = reader.uint32() else { return false }
        return reader.takePadded(Int(length)) != nil
    }
}
