/// Tags with endless attributes: libxml2 compares each attribute with all before it.
enum HTMLAttributeLimit {
    /// No tag of real mail has as many.
    private static let maximum = 1000

    /// Blanks out what follows the thousandth attribute of a tag, up to the tag's end.
    static func bound(_ html: inout [UInt8]) {
        // Most mail needs no change, and then no copy either.
        guard html.withUnsafeBytes(isExceeded) else { return }
        html.withUnsafeMutableBytes { bytes in
            let view = UnsafeRawBufferPointer(bytes)
            var cursor = 0
            while let open = view.offset(of: Octet.less, from: cursor, to: view.count) {
                cursor = open + 1
                guard cursor < view.count, Octet.isLetter(view[cursor]) else { continue }
                var tag = Tag(bytes: view, index: cursor)
                while let attribute = tag.nextAttribute() {
                    guard tag.attributes > maximum else { continue }
                    for index in attribute..<tag.index where view[index] != Octet.greater {
                        bytes[index] = Octet.space
                    }
                }
                cursor = tag.index
            }
        }
    }

    private static func isExceeded(in bytes: UnsafeRawBufferPointer) -> Bool {
        var cursor = 0
        while let open = bytes.offset(of: Octet.less, from: cursor, to: bytes.count) {
            cursor = open + 1
            guard cursor < bytes.count, Octet.isLetter(bytes[cursor]) else { continue }
            var tag = Tag(bytes: bytes, index: cursor)
            while tag.nextAttribute() != nil {
                if tag.attributes > maximum { return true }
            }
            cursor = tag.index
        }
        return false
    }

    /// Walks through one start tag as libxml2 does.
    private struct Tag {
        let bytes: UnsafeRawBufferPointer
        var index: Int
        private(set) var attributes = 0

        init(bytes: UnsafeRawBufferPointer, index: Int) {
            self.bytes = bytes
            self.index = index
            skipName()
        }

        /// Where the next attribute starts; `index` is behind it then. Nil at the tag's end.
        mutating func nextAttribute() -> Int? {
            while index < bytes.count, Octet.isSpace(bytes[index]) || bytes[index] == Octet.slash {
                index += 1
            }
            guard index < bytes.count, bytes[index] != Octet.greater else { return nil }
            let start = index
            // What cannot begin a name is part of this one.
            index += 1
            skipName()
            skipValue()
            attributes += 1
            return start
        }

        private mutating func skipName() {
            while index < bytes.count, !Octet.isSpace(bytes[index]), bytes[index] != Octet.greater,
                bytes[index] != Octet.slash, bytes[index] != Octet.equals
            {
                index += 1
            }
        }

        private mutating func skipValue() {
            var cursor = index
            while cursor < bytes.count, Octet.isSpace(bytes[cursor]) { cursor += 1 }
            guard cursor < bytes.count, bytes[cursor] == Octet.equals else { return }
            cursor += 1
            while cursor < bytes.count, Octet.isSpace(bytes[cursor]) { cursor += 1 }
            index = cursor
            guard cursor < bytes.count else { return }
            let quote = bytes[cursor]
            guard quote == Octet.quote || quote == Octet.apostrophe else {
                while index < bytes.count, !Octet.isSpace(bytes[index]), bytes[index] != Octet.greater {
                    index += 1
                }
                return
            }
            index = bytes.offset(of: quote, from: cursor + 1, to: bytes.count).map { $0 + 1 } ?? bytes.count
        }
    }
}
