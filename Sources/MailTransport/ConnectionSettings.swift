public import MailModel

/// The protocols that a channel can be opened for.
public enum MailProtocol: String, Sendable, Hashable, CaseIterable {
    case imap
    case smtp
}

/// What the secret of a connection is, and so how it is presented.
public enum Authentication: String, Sendable, Hashable {
    case password
    /// An OAuth 2.0 access token, presented with OAUTHBEARER (RFC 7628) or XOAUTH2.
    case accessToken
}

/// Everything needed to open one authenticated connection.
///
/// Printing a value shows neither login, secret nor proxy.
public struct ConnectionSettings: Sendable, Hashable {
    public var endpoint: ServerEndpoint
    /// The name to sign in with, usually the full address.
    public var login: String
    public var secret: Secret
    public var authentication: Authentication
    /// A PEM file of certificate authorities trusted instead of the system's own; nil for the system's.
    public var caFile: String?
    /// The server must have one of these keys, and then needs no authority; none: authorities decide.
    public var pins: [KeyPin] = []
    /// `socks5://`, `socks5h://` or `http://`, with `user:password@` where the proxy wants it. Nil
    /// connects directly; the environment's proxy variables are never read.
    public var proxy: String?
    /// Seconds. The deadline of the whole opening (name lookup to login), and then of each
    /// single send and receive.
    public var timeoutSeconds: Int
    /// Addresses outside the public internet that may be reached, and the only ones that may be
    /// spoken to without TLS. Behind a proxy, which looks names up itself, nothing is spoken to without TLS, and only hosts
    /// that are addresses are judged.
    public var allowedNetworks: NetworkAllowList

    public init(
        endpoint: ServerEndpoint, login: String, secret: Secret,
        authentication: Authentication = .password, caFile: String? = nil, pins: [KeyPin] = [],
        proxy: String? = nil, timeoutSeconds: Int = 60, allowedNetworks: NetworkAllowList = .publicOnly
    ) {
        self.endpoint = endpoint
        self.login = login
        self.secret = secret
        self.authentication = authentication
        self.caFile = caFile
        self.pins = pins
        self.proxy = proxy
        self.timeoutSeconds = timeoutSeconds
        self.allowedNetworks = allowedNetworks
    }
}

extension ConnectionSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(connection settings, security \(endpoint.security.rawValue))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension ConnectionSettings {
    /// Refuses what could change the meaning of a URL or of a login command.
    func validate() throws(MailFailure) {
        let host = endpoint.host
        // Anything that ends the host part of a URL, or that no host name has.
        let forbidden = Set("/?#@\\%\"'<>^`{|} ".unicodeScalars)
        guard !host.isEmpty, host.utf8.count <= 255,
            !host.unicodeScalars.contains(where: {
                $0.value < 0x21 || $0.value == 0x7F || forbidden.contains($0)
            })
        else {
            throw MailFailure(
                .unknownHost, kind: .needsPerson, "The server's host name is not a host name", detail: host,
                remedy: "Correct the host name; it has no scheme, path or spaces.")
        }
        guard endpoint.port != 0 else {
            throw MailFailure(
                .badSettings, kind: .needsPerson, "The server's port is 0", detail: host,
                remedy: "Set the port, for instance 993 for IMAP or 465 for SMTP over TLS.")
        }
        guard timeoutSeconds > 0, timeoutSeconds <= 86_400 else {
            throw MailFailure(
                .badSettings, kind: .needsPerson, "The server timeout is out of range",
                detail: "\(timeoutSeconds) s", remedy: "Set it between 1 second and 1 day.")
        }
        // libcurl's LOGIN escapes quotes and backslashes only; a line break would start a command.
        let hasControl = { (text: String) in text.utf8.contains { $0 < 0x20 || $0 == 0x7F } }
        guard !login.isEmpty, !hasControl(login), !secret.withRevealed(hasControl) else {
            throw MailFailure(
                .badSettings, kind: .credential, "The login or password is empty or has control characters",
                remedy:
                    "Enter them again; a line break at the end of a password file's line is removed, others are not."
            )
        }
        if let proxy {
            let schemes = ["socks5://", "socks5h://", "http://"]
            guard schemes.contains(where: proxy.lowercased().hasPrefix), !hasControl(proxy),
                !proxy.contains(" ")
            else {
                throw MailFailure(
                    .badSettings, kind: .needsPerson, "The proxy is not one that is supported",
                    remedy: "Write it as socks5://HOST:PORT, socks5h://HOST:PORT or http://HOST:PORT.")
            }
            try validateBehindProxy()
        }
    }

    /// The address of a server behind a proxy is never seen here: what can be said of it by its name is.
    private func validateBehindProxy() throws(MailFailure) {
        guard endpoint.security != .none else {
            throw MailFailure(
                .addressNotAllowed, kind: .needsPerson, "Behind a proxy nothing is spoken to without TLS",
                detail: "\(endpoint.host):\(endpoint.port)",
                remedy: "Use security tls or starttls, or no proxy.")
        }
        guard let address = IPAddress(writtenAs: endpoint.host) else { return }
        guard allowedNetworks.permits(address, security: endpoint.security, port: endpoint.port) else {
            throw MailFailure(
                .addressNotAllowed, kind: .needsPerson,
                "The server's address is neither on the public internet nor on the allow-list",
                detail: "\(endpoint.host):\(endpoint.port)",
                remedy: "Correct the host, or have the administrator add the network to [network] allow.")
        }
    }

    /// The URL that makes libcurl speak the protocol with the endpoint's security.
    func url(for mailProtocol: MailProtocol) -> String {
        let scheme = mailProtocol.rawValue + (endpoint.security == .tls ? "s" : "")
        let isLiteral = endpoint.host.contains(":") && !endpoint.host.hasPrefix("[")
        let host = isLiteral ? "[\(endpoint.host)]" : endpoint.host
        // With SMTP the path is the name in the greeting (curl's own would be that of this machine): an address literal,
        // as of a client that has no name in the net (RFC 5321, 4.1.4).
        let greeting = mailProtocol == .smtp ? "%5B127.0.0.1%5D" : ""
        return "\(scheme)://\(host):\(endpoint.port)/\(greeting)"
    }
}
