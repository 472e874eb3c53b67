import GRDB
import MailModel
import Matcher

/// The addresses of our own people, read when they are first asked for: once a transaction,
/// since a company may have thousands and each stranger is compared with them.
final class OwnNames {
    private let query: PreparedStatement
    private var known: Known?

    private struct Known {
        let addresses: Set<CanonicalAddress>
        let domains: [String: Look.Reading]
        let sortedDomains: [Look.Reading]
        /// By the domain of a public provider.
        let localParts: [String: [Look.Reading]]
    }

    init(_ db: Database) throws {
        query = try PreparedStatement(
            db,
            """
            SELECT a.canonical FROM addresses a
            WHERE a.id IN (SELECT address FROM users UNION SELECT address FROM accounts)
            """)
    }

    var addresses: Set<CanonicalAddress> { get throws { try names().addresses } }

    /// All at which somebody of us has an address, with what is read of them.
    var domains: [String: Look.Reading] { get throws { try names().domains } }

    /// The same in a lasting order.
    var sortedDomains: [Look.Reading] { get throws { try names().sortedDomains } }

    /// Of our people's addresses at a domain, in a lasting order.
    func localParts(at domain: String) throws -> [Look.Reading] { try names().localParts[domain] ?? [] }

    private func names() throws -> Known {
        if let known { return known }
        var addresses: Set<CanonicalAddress> = []
        try query.forEachRow { addresses.insert(CanonicalAddress(rawValue: $0.text(0))) }
        var domains: [String: Look.Reading] = [:]
        var localParts: [String: [Look.Reading]] = [:]
        for address in addresses.sorted(by: { $0.rawValue < $1.rawValue }) {
            let domain = String(address.domain)
            if domains[domain] == nil { domains[domain] = Look.Reading(domain) }
            guard PublicMailDomain.contains(domain) else { continue }
            let local = address.rawValue.dropLast(domain.utf8.count + 1)
            localParts[domain, default: []].append(Look.Reading(local))
        }
        let names = Known(
            addresses: addresses, domains: domains,
            sortedDomains: domains.values.sorted { $0.name < $1.name }, localParts: localParts)
        known = names
        return names
    }
}
