/// yEnc (the draft of 2002, version 1.3): a file within a text, its octets moved by 42.
enum YEnc {
    /// The next `=ybegin` to `=yend` at or after `start`. Parts of one file that follow each
    /// other directly are one block. A block without its end reaches to the end of the text,
    /// since its octets are no text either.
    static func nextBlock(in bytes: UnsafeRawBufferPointer, from start: Int) -> FileBlock? {
        guard let begin = marker("=ybegin ", in: bytes, from: start) else { return nil }
        let first = attributes(of: bytes, lineAt: begin)
        guard let name = first.name else { return nil }
        var end = blockEnd(in: bytes, from: begin)
        while let next = nextLine(of: bytes, behind: end),
            bytes.slice(next..<bytes.count).hasPrefixIgnoringCase("=ybegin "),
            case let following = attributes(of: bytes, lineAt: next),
            following.name == name, following.part.map({ $0 > 1 }) ?? false
        {
            end = blockEnd(in: bytes, from: next)
        }
        return FileBlock(range: begin..<end, name: name, data: begin..<end, encoding: .yenc)
    }

    /// Decodes the blocks in `bytes`; true when one is cut or does not have its size or checksum.
    static func decode(_ bytes: UnsafeRawBufferPointer, into result: inout [UInt8]) -> Bool {
        var cursor = 0
        var isDamaged = false
        while let begin = marker("=ybegin ", in: bytes, from: cursor) {
            var line = bytes.line(from: begin, to: bytes.count)
            cursor = line.next
            let blockStart = result.count
            var isClosed = false
            while cursor < bytes.count {
                line = bytes.line(from: cursor, to: bytes.count)
                let text = bytes.slice(cursor..<max(cursor, line.end))
                if text.hasPrefixIgnoringCase("=yend ") {
                    let trailer = attributes(of: bytes, lineAt: cursor)
                    cursor = line.next
                    isClosed = true
                    if !trailer.fits(result[blockStart...]) { isDamaged = true }
                    break
                }
                cursor = line.next
                if !text.hasPrefixIgnoringCase("=ypart ") { decodeLine(text, into: &result) }
            }
            if !isClosed { isDamaged = true }
        }
        return isDamaged
    }

    private static func decodeLine(_ line: UnsafeRawBufferPointer, into result: inout [UInt8]) {
        var isEscaped = false
        for byte in line where byte != Octet.cr {
            if isEscaped {
                result.append(byte &- 106)
                isEscaped = false
            } else if byte == Octet.equals {
                isEscaped = true
            } else {
                result.append(byte &- 42)
            }
        }
    }

    /// What a `=ybegin`, `=ypart` or `=yend` line says.
    private struct Attributes {
        var name: [UInt8]?
        var part: Int?
        var size: Int?
        var checksum: UInt32?
        var partChecksum: UInt32?

        func fits(_ block: ArraySlice<UInt8>) -> Bool {
            if let size, size != block.count { return false }
            // Of a part, `crc32` is the checksum of the whole file.
            guard let wanted = part == nil ? partChecksum ?? checksum : partChecksum else { return true }
            var actual = CRC32()
            actual.update(block)
            return actual.value == wanted
        }
    }

    private static func attributes(of bytes: UnsafeRawBufferPointer, lineAt start: Int) -> Attributes {
        let line = bytes.line(from: start, to: min(bytes.count, start + 1024))
        let text = bytes.slice(start..<max(start, line.end))
        var attributes = Attributes()
        var cursor = 0
        while let equals = text.offset(of: Octet.equals, from: cursor, to: text.count) {
            var keyStart = equals
            while keyStart > 0, text[keyStart - 1] > Octet.space, text[keyStart - 1] != Octet.equals {
                keyStart -= 1
            }
            let key = text.slice(keyStart..<equals)
            if key.equalsIgnoringCase("name") {
                // The name is last and may hold blanks.
                let name = text.slice((equals + 1)..<text.count).trimmed().withoutQuotes
                attributes.name = name.isEmpty ? nil : Array(name)
                break
            }
            var end = equals + 1
            while end < text.count, text[end] > Octet.space { end += 1 }
            let value = String(decoding: text.slice((equals + 1)..<end), as: UTF8.self)
            if key.equalsIgnoringCase("part") { attributes.part = Int(value) }
            if key.equalsIgnoringCase("size") { attributes.size = Int(value) }
            if key.equalsIgnoringCase("crc32") { attributes.checksum = UInt32(value, radix: 16) }
            if key.equalsIgnoringCase("pcrc32") { attributes.partChecksum = UInt32(value, radix: 16) }
            cursor = max(end, equals + 1)
        }
        return attributes
    }

    private static func blockEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let end = marker("=yend ", in: bytes, from: start) else { return bytes.count }
        return bytes.line(from: end, to: bytes.count).next
    }

    /// The start of the next line that is not blank.
    private static func nextLine(of bytes: UnsafeRawBufferPointer, behind end: Int) -> Int? {
        var cursor = end
        while cursor < bytes.count, Octet.isSpace(bytes[cursor]) { cursor += 1 }
        return cursor < bytes.count ? cursor : nil
    }

    /// The next line that begins with `word`.
    private static func marker(
        _ word: StaticString, in bytes: UnsafeRawBufferPointer, from start: Int
    ) -> Int? {
        var cursor = start
        while let equals = bytes.offset(of: Octet.equals, from: cursor, to: bytes.count) {
            let isLineStart = equals == 0 || bytes[equals - 1] == Octet.lf
            if isLineStart, bytes.slice(equals..<bytes.count).hasPrefixIgnoringCase(word) { return equals }
            cursor = equals + 1
        }
        return nil
    }
}
