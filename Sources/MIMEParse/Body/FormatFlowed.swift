/// Undoes format=flowed (RFC 3676) in unquoted paragraphs. Quoted lines stay as
/// they are: their marks tell who said what.
enum FormatFlowed {
    /// `text` has LF line ends.
    static func unflowed(_ text: [UInt8], deletesSpace: Bool) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        text.withUnsafeBytes { bytes in
            var cursor = 0
            var isContinuing = false
            while cursor < bytes.count {
                let newline = bytes.offset(of: Octet.lf, from: cursor, to: bytes.count)
                var start = cursor
                var end = newline ?? bytes.count
                cursor = newline.map { $0 + 1 } ?? bytes.count
                if end > start, bytes[start] == Octet.greater {
                    if isContinuing { result.append(Octet.lf) }
                    result.append(contentsOf: bytes.slice(start..<end))
                    isContinuing = false
                } else {
                    if end > start, bytes[start] == Octet.space { start += 1 }
                    let isSignature =
                        end - start == 3 && bytes.slice(start..<end).hasPrefixIgnoringCase("-- ")
                    let isFlowed = !isSignature && end > start && bytes[end - 1] == Octet.space
                    if isSignature, isContinuing { result.append(Octet.lf) }
                    if isFlowed, deletesSpace { end -= 1 }
                    result.append(contentsOf: bytes.slice(start..<end))
                    isContinuing = isFlowed
                }
                if !isContinuing, newline != nil { result.append(Octet.lf) }
            }
        }
        return result
    }
}
