import CZlib
import MailModel

/// Both directions of a connection under COMPRESS=DEFLATE (RFC 4978): raw deflate (RFC 1951), each piece that is sent
/// flushed, so that the other side can read it at once.
///
/// What comes is expanded in pieces of bounded size, on demand: a server that sends a bomb fills no memory, and
/// what it expands to meets the limits that any response meets.
final class StreamCompression {
    /// The most that one call expands to; a thousand times as much may stand behind one piece of the network's.
    static let pieceBytes = 128 << 10

    private var inflation = z_stream()
    private var deflation = z_stream()
    private var input: [UInt8] = []
    private var consumed = 0
    /// zlib may hold back more than it had room for, although it has taken all input.
    private var mayHoldOutput = false
    private var isOver = false

    /// Nil when there is no memory for it.
    init?() {
        let size = Int32(MemoryLayout<z_stream>.size)
        // Negative: without the header and checksum of RFC 1950.
        guard inflateInit2_(&inflation, -15, ZLIB_VERSION, size) == Z_OK else { return nil }
        // Commands are short: a window of 1 KB and the least memory do, instead of the usual 256 KB.
        guard
            deflateInit2_(
                &deflation, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -10, 1, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
                == Z_OK
        else {
            inflateEnd(&inflation)
            return nil
        }
    }

    deinit {
        inflateEnd(&inflation)
        deflateEnd(&deflation)
    }

    /// Whether there is something to expand without more bytes from the network.
    var hasMore: Bool { consumed < input.count || mayHoldOutput }

    /// Gives bytes as they came; only when `hasMore` is false.
    func feed(_ bytes: [UInt8]) {
        input = bytes
        consumed = 0
    }

    /// The next piece; empty when more bytes are needed first.
    /// - Throws: `protocol-violation` for what is no deflate stream, or goes on behind its end.
    func expand() throws(MailFailure) -> [UInt8] {
        guard !isOver else { throw .violation("compressed bytes behind the end of their stream") }
        var code = Z_OK
        let available = input.count - consumed
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { output, count in
            input.withUnsafeMutableBufferPointer { bytes in
                inflation.next_in = bytes.baseAddress.map { $0 + consumed }
                inflation.avail_in = UInt32(available)
                inflation.next_out = output.baseAddress
                inflation.avail_out = UInt32(Self.pieceBytes)
                code = inflate(&inflation, Z_SYNC_FLUSH)
            }
            count = Self.pieceBytes - Int(inflation.avail_out)
        }
        consumed += available - Int(inflation.avail_in)
        isOver = code == Z_STREAM_END
        mayHoldOutput = inflation.avail_out == 0 && !isOver
        // Z_BUF_ERROR says only that nothing was left to do.
        guard code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END else {
            isOver = true
            throw .violation("compressed bytes that cannot be read")
        }
        return piece
    }

    /// Bytes as they are to be sent.
    func compress(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        var result: [UInt8] = []
        let size = max(256, Int(deflateBound(&deflation, UInt(bytes.count))) + 16)
        bytes.withUnsafeMutableBufferPointer { source in
            deflation.next_in = source.baseAddress
            deflation.avail_in = UInt32(source.count)
            repeat {
                result += [UInt8](unsafeUninitializedCapacity: size) { output, count in
                    deflation.next_out = output.baseAddress
                    deflation.avail_out = UInt32(size)
                    _ = deflate(&deflation, Z_SYNC_FLUSH)
                    count = size - Int(deflation.avail_out)
                }
            } while deflation.avail_out == 0
        }
        return result
    }
}
