import Crypto
import MailModel

/// The digest by which copies of one message are recognised: over what its sender
/// wrote (From, To, Cc, subject, date, Message-ID, body), not over what its way added.
struct ContentDigest {
    private var hasher = SHA256()

    /// Each field is closed by a separator that cannot stand in it.
    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { hasher.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        separate()
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        hasher.update(bufferPointer: bytes)
        separate()
    }

    mutating func add(_ mailboxes: [Mailbox]) {
        for mailbox in mailboxes { add(mailbox.address) }
        separate()
    }

    /// `local@domain` in lower case.
    private mutating func add(_ address: EmailAddress) {
        let (local, domain) = (address.localPart.utf8, address.domain.utf8)
        guard local.allSatisfy({ $0 < 0x80 }), domain.allSatisfy({ $0 < 0x80 }) else {
            return add(address.lowercased)
        }
        let count = local.count + domain.count + 1
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { buffer in
            var index = 0
            for byte in local {
                buffer[index] = Octet.lowercased(byte)
                index += 1
            }
            buffer[index] = Octet.at
            for byte in domain {
                index += 1
                buffer[index] = Octet.lowercased(byte)
            }
            add(UnsafeRawBufferPointer(buffer))
        }
    }

    private mutating func separate() {
        withUnsafeBytes(of: UInt8(0)) { hasher.update(bufferPointer: $0) }
    }

    /// The raw body with CRLF as LF and without blank lines at its end.
    mutating func addBody(_ body: UnsafeRawBufferPointer) {
        var end = body.count
        while end > 0, Octet.isSpace(body[end - 1]) { end -= 1 }
        if body.offset(of: Octet.cr, from: 0, to: end) == nil {
            hasher.update(bufferPointer: body.slice(0..<end))
            return
        }
        var cursor = 0
        let piece = 16384
        withUnsafeTemporaryAllocation(byteCount: piece, alignment: 8) { buffer in
            var filled = 0
            func flush(_ hasher: inout SHA256) {
                hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[0..<filled]))
                filled = 0
            }
            while cursor < end {
                // A CR before LF is left out; copying by runs keeps this a memcpy.
                var stop = body.offset(of: Octet.cr, from: cursor, to: end) ?? end
                let isPair = stop + 1 < body.count && body[stop] == Octet.cr && body[stop + 1] == Octet.lf
                if stop < end, !isPair { stop += 1 }
                var start = cursor
                while start < stop {
                    let length = min(stop - start, piece - filled)
                    UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + length)])
                        .copyMemory(from: body.slice(start..<(start + length)))
                    filled += length
                    start += length
                    if filled == piece { flush(&hasher) }
                }
                cursor = isPair && stop < end ? stop + 1 : stop
            }
            flush(&hasher)
        }
    }

    /// The digest of how a message's body is to be read. What a field says that is missing is what its absence means, and
    /// the names for bytes that stand as they are mean the same: a relay adds the one and changes the other.
    static func ofForm(_ root: Entity) -> Digest256 {
        var digest = ContentDigest()
        digest.add(root.contentType.name)
        root.contentType.parameters?.forEach { name, bytes in
            // Compared without regard to letters' case (RFC 2046, 4.1.2), and the first is what no name means.
            let isCharset = name == "charset"
            let value = isCharset ? bytes.map(Octet.lowercased) : bytes
            guard !isCharset || value != Array("us-ascii".utf8) else { return }
            digest.add(name)
            value.withUnsafeBytes { digest.add($0) }
        }
        digest.separate()
        digest.add(root.encoding.word)
        return digest.finish()
    }

    func finish() -> Digest256 { Digest256(sha256: hasher.finalize()) }
}

extension Digest256 {
    init(sha256 digest: SHA256.Digest) {
        guard let value = Digest256(bytes: digest) else {
            preconditionFailure("SHA-256 has 32 octets")
        }
        self = value
    }
}
