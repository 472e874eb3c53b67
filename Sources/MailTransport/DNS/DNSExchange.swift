import Glibc

/// One question to one name server; blocks, at most as long as it is told.
///
/// The socket is connected, so that the system lets in nothing from other addresses, and has a port that the
/// system chose at random; together with the random id that is what an outsider would have to guess.
struct DNSExchange {
    private let server: DNSClient.Server
    private let question: DNSQuestion
    private let deadline: Int64
    private let id = UInt16.random(in: .min ... .max)

    init(_ server: DNSClient.Server, _ question: DNSQuestion, milliseconds: Int) {
        self.server = server
        self.question = question
        deadline = LoopThread.monotonicMilliseconds() &+ Int64(milliseconds)
    }

    /// Nil when nothing came that answers the question.
    func overUDP() -> DNSAnswer? {
        guard let socket = open(Int32(SOCK_DGRAM.rawValue)) else { return nil }
        defer { close(socket) }
        let query = question.bytes(id: id)
        guard send(socket, query, query.count, Int32(MSG_NOSIGNAL)) == query.count else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while isReady(socket, Int16(POLLIN)) {
            let count = recv(socket, &buffer, buffer.count, 0)
            // A refusal of the port arrives as an error.
            guard count >= 0 else { return nil }
            if let answer = DNSAnswer(Array(buffer[..<count]), to: question, id: id) { return answer }
        }
        return nil
    }

    /// RFC 7766: the same with the length before each message.
    func overTCP() -> DNSAnswer? {
        guard let socket = open(Int32(SOCK_STREAM.rawValue)) else { return nil }
        defer { close(socket) }
        let query = question.bytes(id: id)
        let message = [UInt8(query.count >> 8), UInt8(query.count & 0xFF)] + query
        guard isReady(socket, Int16(POLLOUT)),
            send(socket, message, message.count, Int32(MSG_NOSIGNAL)) == message.count,
            let length = receive(2, from: socket),
            let answer = receive(Int(length[0]) << 8 | Int(length[1]), from: socket)
        else { return nil }
        return DNSAnswer(answer, to: question, id: id)
    }

    private func receive(_ count: Int, from socket: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            guard isReady(socket, Int16(POLLIN)) else { return nil }
            let got = bytes.withUnsafeMutableBytes {
                recv(socket, $0.baseAddress! + filled, count - filled, 0)
            }
            guard got > 0 else { return nil }
            filled += got
        }
        return bytes
    }

    private func open(_ type: Int32) -> Int32? {
        let family = server.address.isIPv4 ? AF_INET : AF_INET6
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(family, type | flags, 0)
        guard socket >= 0 else { return nil }
        let code = server.address.withSocketAddress(port: server.port) { connect(socket, $0, $1) }
        guard code == 0 || errno == EINPROGRESS else {
            close(socket)
            return nil
        }
        return socket
    }

    private func isReady(_ socket: Int32, _ event: Int16) -> Bool {
        while true {
            let left = deadline &- LoopThread.monotonicMilliseconds()
            guard left > 0 else { return false }
            var entry = pollfd(fd: socket, events: event, revents: 0)
            let count = poll(&entry, 1, Int32(clamping: left))
            if count < 0, errno == EINTR { continue }
            return count > 0
        }
    }
}

extension IPAddress {
    func withSocketAddress<Result>(
        port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        if isIPv4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes[12...]) }
            return withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}
