public import MailModel
public import MailTransport

/// Finds the servers of a mailbox from nothing but its address.
///
/// Asked in this order, until one knows: the table of providers, the domain's mail servers (whose owners are
/// often a provider), the domain's service records, and the domain's file for mail programs. No other party
/// learns the address: of it the domain alone is sent, to name servers, and to the domain itself.
public struct SettingsDiscovery: Sendable {
    public var dns: DNSClient
    /// Where a domain's file for mail programs may be; `{domain}` stands for the domain.
    public var autoconfigURLs = Self.usualAutoconfigURLs
    public var allowedNetworks: NetworkAllowList
    private let loop: NetworkLoop

    public static let usualAutoconfigURLs = [
        "https://autoconfig.{domain}/mail/config-v1.1.xml",
        "https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    ]

    public init(dns: DNSClient, loop: NetworkLoop, allowedNetworks: NetworkAllowList) {
        self.dns = dns
        self.loop = loop
        self.allowedNetworks = allowedNetworks
    }

    /// - Throws: `settings-not-found`, which says what was asked; `name-lookup-failed` when no name server
    ///   answers and nothing else knew.
    public func settings(of address: EmailAddress) async throws(MailFailure) -> FoundSettings {
        let domain = DomainName.canonical(address.domain)
        if let preset = ProviderPreset(domain: domain), let imap = preset.imap {
            return FoundSettings(preset, of: address, by: .domain(domain), imap: imap)
        }
        var lookupFailure: MailFailure?
        do throws(MailFailure) {
            // The others only keep mail while the first ones are away, and may be anybody's.
            let exchangers = try await dns.mailExchangers(of: domain)
            let best = exchangers.map(\.preference).min()
            for exchanger in exchangers where exchanger.preference == best {
                if let preset = ProviderPreset(mailExchanger: exchanger.host), let imap = preset.imap {
                    return FoundSettings(
                        preset, of: address, by: .mailExchanger(exchanger.host), imap: imap)
                }
            }
            if let found = try await services(at: domain).settings(of: address, at: domain) {
                return Self.byProvider(found, address)
            }
        } catch {
            // The file may be reached all the same: the system's own lookup is not ours.
            lookupFailure = error
        }
        if let found = await autoconfig(address, domain) { return found }
        if let lookupFailure { throw lookupFailure }
        throw MailFailure(
            .settingsNotFound, kind: .needsPerson, "Nothing tells which mail servers the address has",
            detail: "\(domain) has no mail server of a known provider, no service records (_imaps._tcp)"
                + " and no autoconfig file",
            remedy: "Ask whoever keeps the mailbox, and name the servers: --imap-host HOST --smtp-host HOST.")
    }

    private func services(at domain: String) async throws(MailFailure) -> ServiceRecords {
        var records = ServiceRecords(locations: [:], isPortOpen: allowedNetworks.opens)
        for service in ServiceRecords.Service.allCases {
            records.locations[service] = try await dns.locations(of: service.rawValue, at: domain)
        }
        return records
    }

    /// A file that is not there, or is none, is the ordinary case.
    private func autoconfig(_ address: EmailAddress, _ domain: String) async -> FoundSettings? {
        for template in autoconfigURLs {
            var request = HTTPRequest(url: template.replacing("{domain}", with: HTTPRequest.escaped(domain)))
            request.timeoutSeconds = 10
            request.allowedNetworks = allowedNetworks
            guard let response = try? await loop.send(request), response.status == 200,
                let document = AutoconfigDocument(response.body, for: address),
                let (imap, login) = document.endpoint("imap", isPortOpen: allowedNetworks.opens)
            else { continue }
            let smtp = document.endpoint("smtp", isPortOpen: allowedNetworks.opens)?.0
            let source = FoundSettings.Source.autoconfig(request.url)
            return Self.byProvider(
                FoundSettings(imap: imap, smtp: smtp, login: login, by: source, at: domain), address)
        }
        return nil
    }

    /// What a company tells may be no more than that a provider keeps its mail.
    private static func byProvider(_ found: FoundSettings, _ address: EmailAddress) -> FoundSettings {
        guard let preset = ProviderPreset.allCases.first(where: { $0.imap == found.imap }) else {
            return found
        }
        return FoundSettings(preset, of: address, by: found.source, imap: found.imap)
    }
}
