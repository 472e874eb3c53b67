public import MailModel

/// What a mail server that we trust has found out about the sender of a message
/// (Authentication-Results, RFC 8601).
public struct SenderCheck: Sendable, Hashable {
    public enum Outcome: String, Sendable, Hashable, Codable {
        /// The domain of the From field has signed or sent the message.
        case verified
        /// Its domain has said that such a message is not its own.
        case failed
        /// The authority is silent, or has no clear answer.
        case unknown
    }

    public var outcome: Outcome
    /// The results, for people: `dmarc=pass, dkim=pass (klient.example)`.
    public var facts: String?

    public init(outcome: Outcome, facts: String?) {
        self.outcome = outcome
        self.facts = facts
    }

    /// Reads the topmost field that one of the authorities has written: a server adds its own
    /// above what was there. Fields of anybody else, who may be the sender, are not read.
    ///
    /// - Parameter fields: values of the Authentication-Results fields, in the message's order.
    /// - Returns: nil when no authority is configured.
    public static func read(
        _ fields: [String], authorities: Set<String>, from: [Mailbox]
    ) -> SenderCheck? {
        guard !authorities.isEmpty else { return nil }
        guard from.count == 1, let author = from.first else {
            return SenderCheck(outcome: .unknown, facts: nil)
        }
        for field in fields {
            let statements = statements(in: field)
            guard let name = statements.first?.first, authorities.contains(name.lowercased()) else {
                continue
            }
            let results = statements.dropFirst().compactMap(Result.init)
            let domain = CanonicalAddress.canonicalDomain(author.address.domain)
            return SenderCheck(
                outcome: outcome(results, domain),
                facts: results.isEmpty ? nil : results.prefix(8).map(\.text).joined(separator: ", "))
        }
        return SenderCheck(outcome: .unknown, facts: nil)
    }

    private static func outcome(_ results: [Result], _ domain: String) -> Outcome {
        if let dmarc = results.first(where: { $0.method == "dmarc" }) {
            if dmarc.value == "fail" { return .failed }
            // A result for another domain is about another From field.
            if dmarc.value == "pass", dmarc.domain.map({ isAligned(domain, with: $0) }) ?? true {
                return .verified
            }
        }
        let aligned = results.filter { $0.domain.map { isAligned(domain, with: $0) } ?? false }
        if aligned.contains(where: { ($0.method == "dkim" || $0.method == "spf") && $0.value == "pass" }) {
            return .verified
        }
        let isRefused = ["dkim", "spf"].allSatisfy { method in
            aligned.contains { $0.method == method && $0.value == "fail" }
        }
        return isRefused ? .failed : .unknown
    }

    /// The author's domain is the one that was checked, or lies below it.
    private static func isAligned(_ domain: String, with checked: String) -> Bool {
        domain == checked || (domain.hasSuffix("." + checked) && checked.contains("."))
    }

    private struct Result {
        var method: String
        var value: String
        /// The domain that the result is about.
        var domain: String?

        init?(_ words: [String]) {
            guard let first = words.first, let equals = first.firstIndex(of: "=") else { return nil }
            method = String(first[..<equals].prefix { $0 != "/" }).lowercased()
            value = first[first.index(after: equals)...].lowercased()
            guard !method.isEmpty, !value.isEmpty, method.count < 20, value.count < 20 else { return nil }
            var properties: [String: String] = [:]
            for word in words.dropFirst() {
                guard let equals = word.firstIndex(of: "=") else { continue }
                let name = word[..<equals].lowercased()
                if properties[name] == nil { properties[name] = String(word[word.index(after: equals)...]) }
            }
            let names =
                switch method {
                case "dkim": ["header.d", "header.i"]
                case "spf": ["smtp.mailfrom", "smtp.helo"]
                default: ["header.from"]
                }
            let about = names.lazy.compactMap { properties[$0] }.first
            domain = about.map { text in
                CanonicalAddress.canonicalDomain(String(text.split(separator: "@").last ?? ""))
            }
        }

        var text: String { "\(method)=\(value)" + (domain.map { " (\($0))" } ?? "") }
    }

    /// The field's statements, each as its words; comments left out (RFC 8601, 2.2).
    private static func statements(in field: String) -> [[String]] {
        var statements: [[String]] = [[]]
        var word = ""
        var depth = 0
        var isQuoted = false
        var isEscaped = false
        func finishWord() {
            if !word.isEmpty { statements[statements.count - 1].append(word) }
            word = ""
        }
        for character in field.prefix(4096) {
            if isEscaped {
                isEscaped = false
                if depth == 0 { word.append(character) }
                continue
            }
            switch character {
            case "\\" where isQuoted || depth > 0: isEscaped = true
            case "\"" where depth == 0: isQuoted.toggle()
            case _ where isQuoted: word.append(character)
            case "(": depth += 1
            case ")" where depth > 0: depth -= 1
            case _ where depth > 0: break
            case ";":
                finishWord()
                statements.append([])
            case _ where character.isWhitespace: finishWord()
            default: word.append(character)
            }
        }
        finishWord()
        return statements
    }
}
