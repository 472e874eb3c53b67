import Dispatch
import Glibc
public import MailModel

/// A mail server of a domain (RFC 5321, 5.1).
public struct MailExchanger: Sendable, Hashable {
    public var preference: Int
    public var host: String
}

/// Where a service of a domain is (RFC 2782).
public struct ServiceLocation: Sendable, Hashable {
    public var priority: Int
    public var weight: Int
    public var port: UInt16
    public var host: String
}

/// Asks name servers for what the system's own lookup has no word for: a domain's mail servers and services.
///
/// For looking something up now and then, while a person waits: each question takes a thread of the system's
/// for as long as it lasts. Nothing is kept.
public struct DNSClient: Sendable {
    /// A name server, by address.
    public struct Server: Sendable, Hashable {
        let address: IPAddress
        let port: UInt16

        /// - Parameter text: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`.
        public init?(_ text: String) {
            var host = Substring(text)
            var port: UInt16 = 53
            let colons = text.count { $0 == ":" }
            if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
                host = text[text.index(after: text.startIndex)..<end]
                let rest = text[text.index(after: end)...]
                guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
                if !rest.isEmpty {
                    guard let number = UInt16(rest.dropFirst()) else { return nil }
                    port = number
                }
            } else if colons == 1, let colon = text.firstIndex(of: ":") {
                host = text[..<colon]
                guard let number = UInt16(text[text.index(after: colon)...]) else { return nil }
                port = number
            }
            guard port > 0, let address = IPAddress(String(host)) else { return nil }
            self.address = address
            self.port = port
        }
    }

    private let servers: [Server]
    private let tries: Int
    private let tryMilliseconds: Int

    /// - Parameters:
    ///   - servers: asked one after the other until one answers.
    ///   - tries: of all servers; a datagram may be lost.
    public init(servers: [Server], tries: Int = 2, tryMilliseconds: Int = 3_000) {
        self.servers = servers
        self.tries = tries
        self.tryMilliseconds = tryMilliseconds
    }

    /// The name servers of this machine, as `resolv.conf(5)` has them.
    public static func systemServers(file: String = "/etc/resolv.conf") -> [Server] {
        var servers: [Server] = []
        if let stream = fopen(file, "re") {
            var line: UnsafeMutablePointer<CChar>?
            var capacity = 0
            while getline(&line, &capacity, stream) > 0, servers.count < 3 {
                guard let line else { break }
                let words = String(cString: line).split(whereSeparator: \.isWhitespace)
                if words.count >= 2, words[0] == "nameserver", let server = Server(String(words[1])) {
                    servers.append(server)
                }
            }
            free(line)
            fclose(stream)
        }
        // What the system's own lookup falls back on.
        return servers.isEmpty ? [Server("127.0.0.1")].compactMap { $0 } : servers
    }

    /// The most preferred first; empty when the domain has none.
    /// - Throws: `name-lookup-failed` when no server gives an answer.
    public func mailExchangers(of domain: String) async throws(MailFailure) -> [MailExchanger] {
        var found: [MailExchanger] = []
        for record in try await records(domain, .mx) {
            if case .mx(let preference, let host) = record, !host.isEmpty {
                found.append(MailExchanger(preference: Int(preference), host: host))
            }
        }
        return found.sorted { ($0.preference, $0.host) < ($1.preference, $1.host) }
    }

    /// The most preferred first; empty when the domain has no such service.
    /// - Parameter service: such as `_imaps._tcp`.
    /// - Throws: `name-lookup-failed` when no server gives an answer.
    public func locations(of service: String, at domain: String) async throws(MailFailure)
        -> [ServiceLocation]
    {
        var found: [ServiceLocation] = []
        for record in try await records("\(service).\(domain)", .srv) {
            if case .srv(let priority, let weight, let port, let host) = record, !host.isEmpty, port > 0 {
                found.append(
                    ServiceLocation(
                        priority: Int(priority), weight: Int(weight), port: port, host: host))
            }
        }
        // The weight is for sharing load among many clients; one that asks once takes the strongest.
        return found.sorted {
            ($0.priority, -$0.weight, $0.host, $0.port) < ($1.priority, -$1.weight, $1.host, $1.port)
        }
    }

    private func records(
        _ name: String, _ kind: DNSQuestion.Kind
    ) async throws(MailFailure) -> [DNSRecord] {
        guard let question = DNSQuestion(name, kind) else { return [] }
        let result: Result<[DNSRecord], MailFailure> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: ask(question)) }
        }
        return try result.get()
    }

    private func ask(_ question: DNSQuestion) -> Result<[DNSRecord], MailFailure> {
        var words = "no name server is known"
        for _ in 0..<tries {
            for server in servers {
                let exchange = DNSExchange(server, question, milliseconds: tryMilliseconds)
                var answer = exchange.overUDP()
                if answer == .truncated { answer = exchange.overTCP() }
                switch answer {
                case .records(let records): return .success(records)
                case .noSuchName: return .success([])
                case .refused(let code): words = "the name server answers with code \(code)"
                case .malformed, .truncated: words = "the name server's answer cannot be read"
                case nil: words = "the name server does not answer"
                }
            }
        }
        return .failure(
            MailFailure(
                .nameLookupFailed, kind: .transient, "The domain's records could not be looked up",
                detail: "\(question.name): \(words)",
                remedy: "Check the name servers in [network] dns or /etc/resolv.conf, or name the mail"
                    + " servers yourself with --imap-host and --smtp-host."))
    }
}
