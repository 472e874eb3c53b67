import MailModel
import MailTransport

/// Settings out of a domain's SRV records (RFC 6186, RFC 8314). Pure.
struct ServiceRecords {
    /// What is asked for, in the order of preference: TLS from the first byte before STARTTLS (RFC 8314, 3).
    enum Service: String, CaseIterable {
        case imaps = "_imaps._tcp"
        case imap = "_imap._tcp"
        case submissions = "_submissions._tcp"
        case submission = "_submission._tcp"

        var security: TransportSecurity {
            switch self {
            case .imaps, .submissions: .tls
            case .imap, .submission: .starttls
            }
        }
    }

    var locations: [Service: [ServiceLocation]]
    /// Whether connections to a port may be made.
    var isPortOpen: (UInt16) -> Bool

    /// Nil when no IMAP server is told of.
    func settings(of address: EmailAddress, at domain: String) -> FoundSettings? {
        guard let imap = endpoint(.imaps, .imap) else { return nil }
        return FoundSettings(
            imap: imap, smtp: endpoint(.submissions, .submission), login: address.addrSpec,
            by: .serviceRecords, at: domain)
    }

    /// A target is a name (RFC 2782), not an address in any of its spellings: no certificate could be held against
    /// the domain by it. No top-level domain begins with a digit.
    private static func isName(_ host: String) -> Bool {
        !host.contains(":") && host.split(separator: ".").last?.first?.isLetter == true
    }

    private func endpoint(_ services: Service...) -> ServerEndpoint? {
        for service in services {
            if let location = locations[service]?.first(where: {
                isPortOpen($0.port) && Self.isName($0.host)
            }) {
                return ServerEndpoint(host: location.host, port: location.port, security: service.security)
            }
        }
        return nil
    }
}
