import CSandbox
import Glibc
import MIMEParse
import MailModel

/// Requests on their way to a child: each a header, and behind it the message's own octets, which go
/// over from where they lie. Many go in one system call, since each wakes the child.
struct OutgoingRequests: ~Copyable {
    private static let requestsPerCall = 64

    private let requests: ArraySlice<ParseRequest>
    /// All headers, one behind the other.
    private var headers = WireWriter()
    /// The file that the only message goes along as.
    private var file = OutgoingFile()
    private let isFile: Bool
    /// The first request of which something is left to send.
    private var next: Int
    /// How much of it has been sent, its header included.
    private var sent = 0

    /// - Parameter requests: one, or several that are small enough to go inline.
    init(_ requests: ArraySlice<ParseRequest>, mode: MIMEParser.Mode, settings: ParsePool.Settings) {
        self.requests = requests
        next = requests.startIndex
        if let only = requests.first, requests.count == 1, only.message.count > settings.inlineBytes {
            isFile = file.open(only.message)
        } else {
            isFile = false
        }
        for request in requests {
            let count = request.message.count
            ParseFrame.RequestHeader(
                question: request.question, mode: mode, isFile: isFile,
                cpuMilliseconds: settings.cpuMilliseconds(for: count), byteCount: count
            ).write(to: &headers)
        }
    }

    var isSent: Bool { next == requests.endIndex }

    /// Sends what the channel takes now.
    mutating func send(to channel: Int32) {
        while next < requests.endIndex {
            let end = min(requests.endIndex, next + Self.requestsPerCall)
            let descriptor = isFile && sent == 0 ? file.descriptor : -1
            var parts: [iovec] = []
            parts.reserveCapacity(2 * (end - next))
            let result = headers.bytes.withUnsafeBytes { headers in
                withParts(next, before: end, headers, &parts) {
                    mw_channel_send(channel, &$0, $0.count, descriptor)
                }
            }
            if result < 0 {
                // A child that is gone may have answered before; what is left needs no sending.
                if errno != EAGAIN { next = requests.endIndex }
                return
            }
            advance(by: result)
        }
    }

    /// Collects what is left of the requests from `index` on; their octets are valid during `use` only.
    private func withParts(
        _ index: Int, before end: Int, _ headers: UnsafeRawBufferPointer, _ parts: inout [iovec],
        _ use: (inout [iovec]) -> Int
    ) -> Int {
        guard index < end else { return use(&parts) }
        let size = ParseFrame.requestHeaderBytes
        let start = (index - requests.startIndex) * size
        let done = index == next ? sent : 0
        if done < size { Self.add(headers[(start + done)..<(start + size)], to: &parts) }
        if isFile { return withParts(index + 1, before: end, headers, &parts, use) }
        return requests[index].message.withUnsafeBytes { bytes in
            Self.add(bytes[max(0, done - size)...], to: &parts)
            return withParts(index + 1, before: end, headers, &parts, use)
        }
    }

    private static func add(_ bytes: Slice<UnsafeRawBufferPointer>, to parts: inout [iovec]) {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes)
        guard !bytes.isEmpty else { return }
        parts.append(
            iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count))
    }

    private mutating func advance(by count: Int) {
        var left = count
        while left > 0 {
            let size = ParseFrame.requestHeaderBytes + (isFile ? 0 : requests[next].message.count)
            let taken = min(left, size - sent)
            left -= taken
            sent += taken
            guard sent == size else { return }
            next += 1
            sent = 0
        }
    }
}
