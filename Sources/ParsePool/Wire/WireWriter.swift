/// Builds the frames that parent and child exchange. Integers are in the machine's own
/// order: both ends are the same program on the same machine.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    /// The length that stands for "there is none".
    static let absent = UInt32.max

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    mutating func write(_ value: UInt8) { bytes.append(value) }

    mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func write(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }

    mutating func write(raw value: UnsafeRawBufferPointer) { bytes.append(contentsOf: value) }

    mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            write(UInt32(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    mutating func write(_ text: String?) {
        if let text { write(text) } else { write(Self.absent) }
    }

    mutating func write<Element>(_ list: [Element], _ each: (inout WireWriter, Element) -> Void) {
        write(UInt32(list.count))
        for element in list { each(&self, element) }
    }

    /// Writes an answer's header, then its body, and puts the body's length in.
    mutating func frame(_ status: ParseFrame.Status, _ body: (inout WireWriter) -> Void) {
        let start = bytes.count
        write(status.rawValue)
        write(UInt32(0))
        body(&self)
        let length = UInt32(bytes.count - start - ParseFrame.answerHeaderBytes)
        withUnsafeBytes(of: length) { length in
            bytes.withUnsafeMutableBytes { all in
                all[(start + 4)..<(start + 8)].copyBytes(from: length)
            }
        }
    }
}
