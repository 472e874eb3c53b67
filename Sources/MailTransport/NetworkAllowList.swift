import Glibc
public import MailModel

/// Where connections may go: the networks, as CIDR blocks, that an administrator has opened beyond the public
/// internet, and the ports that are open there.
///
/// A host name comes from a user; the address it resolves to is judged here, on the socket itself,
/// so that no name can lead the worker into the administrator's own network.
public struct NetworkAllowList: Sendable, Hashable {
    /// One block: the address's 16 bytes (IPv4 mapped into IPv6) and the number of leading bits.
    struct Block: Sendable, Hashable {
        var address: IPAddress
        var prefixLength: Int

        func contains(_ other: IPAddress) -> Bool {
            guard address.isIPv4 == other.isIPv4 else { return false }
            var bits = prefixLength
            for index in 0..<16 where bits > 0 {
                let mask: UInt8 = bits >= 8 ? 0xFF : ~(0xFF >> UInt8(bits))
                if (address.bytes[index] ^ other.bytes[index]) & mask != 0 { return false }
                bits -= 8
            }
            return true
        }
    }

    let blocks: [Block]
    let ports: Set<UInt16>

    /// IMAP (143, 993) and SMTP (25, 465, 587, and 2525, which many providers have beside it).
    public static let mailPorts: Set<UInt16> = [25, 143, 465, 587, 993, 2525]

    /// Nothing but the public internet, nothing without TLS, and nothing but mail.
    public static let publicOnly = NetworkAllowList(blocks: [], ports: mailPorts)

    private init(blocks: [Block], ports: Set<UInt16>) {
        self.blocks = blocks
        self.ports = ports
    }

    /// - Parameters:
    ///   - cidrs: such as `127.0.0.0/8`, `10.1.2.3` or `fd00::/8`.
    ///   - ports: of mail servers outside the listed networks; a name that a user gives must not make this
    ///     machine knock at everybody's doors. In a listed network all are open.
    /// - Throws: `bad-settings`, naming the entry that is not a block.
    public init(_ cidrs: [String], ports: Set<UInt16> = Self.mailPorts) throws(MailFailure) {
        self.ports = ports
        var blocks: [Block] = []
        for cidr in cidrs {
            let pieces = cidr.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let full: Int
            guard let first = pieces.first, let address = IPAddress(String(first)) else {
                throw Self.notABlock(cidr)
            }
            full = address.isIPv4 ? 32 : 128
            var length = full
            if pieces.count == 2 {
                guard let number = Int(pieces[1]), (0...full).contains(number) else {
                    throw Self.notABlock(cidr)
                }
                length = number
            }
            blocks.append(Block(address: address, prefixLength: address.isIPv4 ? length + 96 : length))
        }
        self.blocks = blocks
    }

    private static func notABlock(_ text: String) -> MailFailure {
        MailFailure(
            .badSettings, kind: .needsPerson, "An allowed network is not an address block", detail: text,
            remedy: "Write it as ADDRESS/BITS, for instance 127.0.0.0/8.")
    }

    /// Whether the administrator has named this address.
    func lists(_ address: IPAddress) -> Bool { blocks.contains { $0.contains(address) } }

    /// Whether mail servers on the public internet may be spoken to at this port.
    public func opens(_ port: UInt16) -> Bool { ports.contains(port) }

    /// Whether a socket may be opened to the address: listed, or public, protected by TLS, and at an open port.
    ///
    /// - Parameter port: of the mail server behind it; nil for a web service, whose address the administrator
    ///   gave or a domain's name leads to.
    func permits(_ address: IPAddress, security: TransportSecurity, port: UInt16? = nil) -> Bool {
        lists(address) || (security != .none && address.isPublic && port.map(opens) != false)
    }
}

/// An IPv4 or IPv6 address as 16 bytes; IPv4 is kept mapped (`::ffff:a.b.c.d`).
struct IPAddress: Sendable, Hashable {
    let bytes: [UInt8]

    var isIPv4: Bool { bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private init(v4 octets: some Sequence<UInt8>) {
        bytes = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + octets
    }

    init?(_ text: String) {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: withUnsafeBytes(of: &v4) { Array($0) })
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        self.init(bytes: withUnsafeBytes(of: &v6) { Array($0) })
    }

    /// The address that a host is that needs no looking up, in any form that resolvers take for one: with brackets, with
    /// fewer parts or in hexadecimal (`127.1`, `0x7f000001`), or `localhost` (RFC 6761, 6.3). Nil for every other name.
    init?(writtenAs host: String) {
        var host = host.lowercased()
        if host.hasSuffix(".") { host.removeLast() }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host == "localhost" || host.hasSuffix(".localhost") { host = "127.0.0.1" }
        if let address = IPAddress(host) {
            self = address
            return
        }
        var v4 = in_addr()
        guard inet_aton(host, &v4) != 0 else { return nil }
        self.init(v4: withUnsafeBytes(of: &v4) { Array($0) })
    }

    /// Reads a `sockaddr_in` or `sockaddr_in6`; nil for every other family.
    init?(family: Int32, socketAddress: UnsafeRawPointer) {
        switch family {
        case AF_INET:
            self.init(v4: UnsafeRawBufferPointer(start: socketAddress + 4, count: 4))
        case AF_INET6:
            self.init(bytes: Array(UnsafeRawBufferPointer(start: socketAddress + 8, count: 16)))
        default:
            return nil
        }
    }

    /// False for what the special-purpose registries (RFC 6890 and its successors) keep out of the
    /// public internet: loopback, private, shared, link-local, multicast, documentation, reserved.
    var isPublic: Bool {
        if isIPv4 { return Self.isPublicV4(bytes[12], bytes[13], bytes[14]) }
        // Unspecified, loopback and the deprecated IPv4-compatible block.
        if bytes[..<12].allSatisfy({ $0 == 0 }) { return false }
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address that must be judged itself.
        if bytes[..<12].elementsEqual([0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]) {
            return Self.isPublicV4(bytes[12], bytes[13], bytes[14])
        }
        if bytes[0] == 0x20, bytes[1] == 0x02 { return Self.isPublicV4(bytes[2], bytes[3], bytes[4]) }
        // Documentation, Teredo and the other protocol assignments of 2001::/23.
        if bytes[0] == 0x20, bytes[1] == 0x01, bytes[2] < 2 { return false }
        if bytes[0] == 0x20, bytes[1] == 0x01, bytes[2] == 0x0D, bytes[3] == 0xB8 { return false }
        // Only 2000::/3 is global unicast.
        return bytes[0] & 0xE0 == 0x20
    }

    private static func isPublicV4(_ a: UInt8, _ b: UInt8, _ c: UInt8) -> Bool {
        switch (a, b, c) {
        case (0, _, _), (10, _, _), (127, _, _): false
        case (100, 64...127, _): false
        case (169, 254, _), (172, 16...31, _), (192, 168, _): false
        case (192, 0, 0), (192, 0, 2), (192, 88, 99), (198, 18...19, _), (198, 51, 100), (203, 0, 113): false
        case (224..., _, _): false
        default: true
        }
    }

    var text: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv4 ? AF_INET : AF_INET6
        bytes.withUnsafeBytes { raw in
            _ = inet_ntop(
                family, isIPv4 ? raw.baseAddress! + 12 : raw.baseAddress!, &buffer, socklen_t(buffer.count))
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
