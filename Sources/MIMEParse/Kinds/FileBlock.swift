/// A file that stands within a text, as programs sent them before MIME: uuencoded or yEnc.
struct FileBlock {
    /// From the first line of the block to the line after its last.
    var range: Range<Int>
    var name: [UInt8]
    /// What `encoding` decodes.
    var data: Range<Int>
    var encoding: TransferEncoding
    /// The text ends before the block does.
    var isCut = false
    /// Something rewrote the text on its way: what it says here is made good by guessing.
    var isRewritten = false

    /// The blocks of a text in their order, at most `limit`.
    static func all(in text: UnsafeRawBufferPointer, limit: Int) -> [FileBlock] {
        var blocks: [FileBlock] = []
        var cursor = 0
        // Each kind is looked for once: scanning anew for each block found would be quadratic.
        var uuencoded = nextUUEncoded(in: text, from: 0)
        var yEnc = YEnc.nextBlock(in: text, from: 0)
        while blocks.count < limit {
            let first = [uuencoded, yEnc].compactMap(\.self).min { $0.range.lowerBound < $1.range.lowerBound }
            guard let first else { break }
            blocks.append(first)
            cursor = first.range.upperBound
            if let block = uuencoded, block.range.lowerBound < cursor {
                uuencoded = nextUUEncoded(in: text, from: cursor)
            }
            if let block = yEnc, block.range.lowerBound < cursor {
                yEnc = YEnc.nextBlock(in: text, from: cursor)
            }
        }
        return blocks
    }

    private static func nextUUEncoded(in text: UnsafeRawBufferPointer, from start: Int) -> FileBlock? {
        UUEncoding.nextBlock(in: text, from: start).map {
            FileBlock(
                range: $0.range, name: $0.name, data: $0.data, encoding: .uuencode, isCut: $0.isCut,
                isRewritten: $0.hasForeignCharacters)
        }
    }

    func moved(by offset: Int) -> FileBlock {
        FileBlock(
            range: (range.lowerBound + offset)..<(range.upperBound + offset), name: name,
            data: (data.lowerBound + offset)..<(data.upperBound + offset), encoding: encoding, isCut: isCut,
            isRewritten: isRewritten)
    }
}
