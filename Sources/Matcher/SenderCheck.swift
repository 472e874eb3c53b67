public import MailModel

/// What a mail server that we trust has found out about the sender of a message
/// (Authentication-Results, RFC 8601).
public struct SenderCheck: Sendable, Hashable, Codable {
    public enum Outcome: String, Sendable, Hashable, Codable {
        /// The domain of the From field has signed or sent the message.
        case verified
        /// Its domain has said that such a message is not its own.
        case failed
        /// The authority is silent, or has no clear answer.
        case unknown
    }

    public var outcome: Outcome
    /// The results, for people: `dmarc=pass (klient.example), dkim=pass (klient.example)`.
    public var facts: String?

    public init(outcome: Outcome, facts: String?) {
        self.outcome = outcome
        self.facts = facts
    }

    /// Reads the topmost field, if an authority has written it: a server adds its own above what was there. Whatever
    /// stands below came with the message, and the sender may have made it up.
    ///
    /// - Parameter fields: values of the Authentication-Results fields, in the message's order.
    /// - Returns: nil when no authority is known.
    public static func read(
        _ fields: [String], authorities: AuthorityNames, from: [Mailbox]
    ) -> SenderCheck? {
        guard !authorities.isEmpty else { return nil }
        guard let top = fields.first.flatMap(AuthenticationResults.init), authorities.contains(top.authority)
        else { return SenderCheck(outcome: .unknown, facts: nil) }
        return SenderCheck(
            outcome: outcome(top.results, of: from),
            facts: top.results.isEmpty ? nil : top.results.prefix(8).map(\.text).joined(separator: ", "))
    }

    /// Of several authors nobody knows which one was looked at: none is verified, but a refusal is one,
    /// or another address beside the forged one would hide it.
    private static func outcome(_ results: [AuthenticationResults.Result], of authors: [Mailbox]) -> Outcome {
        if authors.count == 1, let author = authors.first {
            return outcome(results, CanonicalAddress.canonicalDomain(author.address.domain))
        }
        return results.contains { $0.method == "dmarc" && $0.value == "fail" } ? .failed : .unknown
    }

    private static func outcome(_ results: [AuthenticationResults.Result], _ domain: String) -> Outcome {
        let dmarc = results.filter { $0.method == "dmarc" }
        if dmarc.contains(where: { $0.value == "fail" }) { return .failed }
        // A result for another domain is about another From field; two of them are one too many.
        if dmarc.count == 1, dmarc[0].value == "pass",
            dmarc[0].domain.map({ isAligned(domain, with: $0) }) ?? true
        {
            return .verified
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

    /// The author's domain is the one that was checked, or lies below it (relaxed alignment, RFC 7489, 3.1). The
    /// other way round a customer's name below a provider's would speak for all of it.
    private static func isAligned(_ domain: String, with checked: String) -> Bool {
        domain == checked || (domain.hasSuffix("." + checked) && checked.contains("."))
    }
}

extension SenderCheck {
    /// One sentence for people, without its full stop.
    public var words: String {
        switch outcome {
        case .verified: "verified" + (facts.map { ": \($0)" } ?? "")
        case .failed: "not verified, and disowned by its domain" + (facts.map { ": \($0)" } ?? "")
        case .unknown: "not verified" + (facts.map { ": \($0)" } ?? "")
        }
    }
}
