/// Servers whose findings about senders are believed, by the names that they give themselves (the authserv-id of
/// RFC 8601, 2.5).
public struct AuthorityNames: Sendable, Hashable {
    private var names: Set<String> = []
    /// With the dot in front.
    private var endings: [String] = []

    /// - Parameter patterns: names, or `*.NAME` for all below one; case does not matter.
    public init(_ patterns: some Sequence<String>) {
        for pattern in patterns {
            let pattern = pattern.lowercased()
            if pattern.hasPrefix("*.") {
                endings.append(String(pattern.dropFirst()))
            } else if !pattern.isEmpty {
                names.insert(pattern)
            }
        }
    }

    public var isEmpty: Bool { names.isEmpty && endings.isEmpty }

    public func contains(_ name: String) -> Bool {
        let name = name.lowercased()
        return names.contains(name) || endings.contains { name.hasSuffix($0) }
    }
}
