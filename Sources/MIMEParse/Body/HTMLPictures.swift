/// Pictures that stand within the HTML itself (`src="data:image/png;base64,…"`): megabytes that say nothing to a
/// reader, and in front of the text they would leave no room for it.
enum HTMLPictures {
    /// Shorter ones may stay.
    private static let shortest = 1024

    /// Takes them out.
    static func remove(from html: inout [UInt8]) {
        var kept = 0
        html.withUnsafeMutableBytes { bytes in
            let view = UnsafeRawBufferPointer(bytes)
            var start = 0
            var cursor = 4
            func keep(to end: Int) {
                guard end > start else { return }
                if kept < start {
                    for index in 0..<(end - start) { bytes[kept + index] = bytes[start + index] }
                }
                kept += end - start
            }
            while let colon = view.offset(of: Octet.colon, from: cursor, to: view.count) {
                cursor = colon + 1
                guard view.slice((colon - 4)..<cursor).hasPrefixIgnoringCase("data:") else { continue }
                while cursor < view.count, !isEnd(view[cursor]) { cursor += 1 }
                guard cursor - colon > shortest else { continue }
                keep(to: colon + 1)
                start = cursor
            }
            keep(to: view.count)
        }
        html.removeLast(html.count - kept)
    }

    private static func isEnd(_ byte: UInt8) -> Bool {
        switch byte {
        case Octet.quote, Octet.apostrophe, Octet.closeParenthesis, Octet.less, Octet.greater: true
        default: false
        }
    }
}
