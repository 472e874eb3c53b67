/// How a connection is protected.
public enum TransportSecurity: String, Sendable, Codable, CaseIterable {
    /// TLS from the first byte (ports 993, 465).
    case tls
    /// STARTTLS, never optional: without it there is no login.
    case starttls
    /// Clear text: only for hosts on the administrator's allow-list.
    case none
}

/// Where a server is and how to reach it, without who signs in.
public struct ServerEndpoint: Sendable, Hashable, Codable {
    public var host: String
    public var port: UInt16
    public var security: TransportSecurity

    public init(host: String, port: UInt16, security: TransportSecurity) {
        self.host = host
        self.port = port
        self.security = security
    }
}
