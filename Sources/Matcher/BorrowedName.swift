/// What a domain borrows from another one without misspelling it: the same name under another ending
/// (`acme-corp.com`), a whole domain as its first labels (`acme-corp.ru.evil.com`), a word behind or before
/// the name (`acme-corp-support.ru`).
///
/// It gives candidates to look up and judges them. No list of public suffixes is needed to warn.
public struct BorrowedName: Sendable, Hashable {
    /// The label that somebody has registered, such as `acme-corp` of `mail.acme-corp.co.uk`.
    public let label: String
    /// Whole domains that stand in this one before its end.
    public let enclosed: [String]
    /// The label without words that hyphens add to it.
    public let stems: [String]
    private let domain: String

    /// - Parameter domain: in A-labels, in lower case.
    public init(_ domain: some StringProtocol) {
        let name = String(domain)
        self.domain = name
        let labels = name.split(separator: ".", maxSplits: Self.maximumLabels).map { String($0) }
        let label = Self.registered(labels)
        self.label = label
        enclosed = Self.enclosed(labels)
        guard !label.hasPrefix("xn--") else {
            stems = []
            return
        }
        let words = label.split(separator: "-", maxSplits: Self.maximumLabels)
        var stems: [String] = []
        for count in 1..<max(words.count, 1) {
            stems.append(words.prefix(count).joined(separator: "-"))
            stems.append(words.suffix(count).joined(separator: "-"))
        }
        self.stems = stems.filter { $0.utf8.count >= Self.minimumStem }
    }

    /// What this domain borrows from a known one; nil also for a part of the known one, which is its owner's.
    public func resemblance(to known: String) -> Look.Resemblance? {
        guard domain != known, !domain.hasSuffix("." + known), !known.hasSuffix("." + domain) else {
            return nil
        }
        if enclosed.contains(known) { return .enclosedName }
        let other = Self.registered(known.split(separator: ".").map(String.init))
        if label == other { return label.utf8.count >= Self.minimumLabel ? .otherEnding : nil }
        return stems.contains(other) ? .addedWord : nil
    }

    /// Shorter names are many companies' under many endings.
    private static let minimumLabel = 4
    /// What shorter names are part of is mostly an ordinary word.
    private static let minimumStem = 6
    /// Nobody reads more, and no domain that is used has more.
    private static let maximumLabels = 10

    /// Endings of two labels below a country's: `co.uk`, `com.tr`, `msk.ru`.
    private static let secondLevels: Set<Substring> = [
        "ac", "co", "com", "edu", "go", "gov", "in", "msk", "ne", "net", "nov", "or", "org", "spb",
    ]

    private static func registered(_ labels: [String]) -> String {
        guard labels.count > 1 else { return labels.first ?? "" }
        let isTwofold =
            labels.count > 2 && labels[labels.count - 1].utf8.count == 2
            && secondLevels.contains(labels[labels.count - 2][...])
        return labels[labels.count - (isTwofold ? 3 : 2)]
    }

    /// Runs of labels that end before the domain does, also within a label with hyphens: `acme-corp.ru-login.com`.
    private static func enclosed(_ labels: [String]) -> [String] {
        guard labels.count > 2 else { return [] }
        var found: [String] = []
        for start in 0..<(labels.count - 2) {
            for end in (start + 1)..<(labels.count - 1) {
                let head = labels[start..<end].joined(separator: ".") + "."
                found.append(head + labels[end])
                if let hyphen = labels[end].firstIndex(of: "-"), hyphen > labels[end].startIndex {
                    found.append(head + labels[end][..<hyphen])
                }
            }
        }
        return found
    }
}
