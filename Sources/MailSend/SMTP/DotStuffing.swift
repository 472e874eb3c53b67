import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Makes a message's bytes into what DATA carries (RFC 5321, 4.5.2): lines that begin with a dot get
/// another one, and the end is a dot alone.
///
/// It also is the last gate before the wire. A bare CR or LF, a NUL or an overlong line is refused
/// here, whoever has let it pass before: servers differ in what they take for an end of data, and what
/// one reads as text another reads as a second mail.
struct DotStuffing {
    private var carried: [UInt8] = []

    /// - Throws: `send.content` for bytes that may not go out.
    mutating func append(_ bytes: [UInt8], to output: inout [UInt8]) throws(MailFailure) {
        if carried.isEmpty {
            try stuff(bytes, into: &output)
        } else {
            let joined = carried + bytes
            carried.removeAll(keepingCapacity: true)
            try stuff(joined, into: &output)
        }
    }

    /// Ends the message; a last line without its CRLF gets one.
    mutating func finish(into output: inout [UInt8]) throws(MailFailure) {
        if !carried.isEmpty {
            let last = carried + [0x0D, 0x0A]
            carried.removeAll()
            try stuff(last, into: &output)
        }
        output += [UInt8(ascii: "."), 0x0D, 0x0A]
    }

    private mutating func stuff(_ bytes: [UInt8], into output: inout [UInt8]) throws(MailFailure) {
        output.reserveCapacity(output.count + bytes.count + 64)
        var fault = false
        var rest = 0
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            var start = 0
            while start < buffer.count, let found = memchr(base + start, 0x0A, buffer.count - start) {
                let end = UnsafeRawPointer(found) - base
                // The first CR of the line is the one before its LF, and no NUL is in it.
                guard end > start, buffer[end - 1] == 0x0D,
                    end - 1 - start <= SMTPLimits.messageLineBytes,
                    memchr(base + start, 0x0D, end - start).map({ UnsafeRawPointer($0) - base }) == end - 1,
                    memchr(base + start, 0, end - start) == nil
                else {
                    fault = true
                    return
                }
                if buffer[start] == UInt8(ascii: ".") { output.append(UInt8(ascii: ".")) }
                output.append(contentsOf: buffer[start...end])
                start = end + 1
            }
            rest = start
        }
        let left = bytes[rest...]
        guard !fault, left.count <= SMTPLimits.messageLineBytes + 1 else { throw .unsendableContent }
        carried = Array(left)
    }
}
