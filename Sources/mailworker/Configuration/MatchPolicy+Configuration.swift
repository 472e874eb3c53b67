import MailFetch
import MailModel
import Matcher

extension MatchPolicy {
    /// Reads `[matching]`, and takes what is known of providers along.
    init(_ table: ConfigurationReader) throws(MailFailure) {
        self.init()
        threads =
            try table.string(.matchingThreads, oneOf: Threads.allCases.map(\.rawValue))
            .flatMap(Threads.init(rawValue:)) ?? threads
        unverified =
            try table.string(.matchingUnverified, oneOf: Unverified.allCases.map(\.rawValue))
            .flatMap(Unverified.init(rawValue:)) ?? unverified
        let names = try table.strings(.matchingAuthorities) ?? []
        for name in names where !Self.isServerName(name) {
            throw table.complaint(
                .matchingAuthorities, "\"\(name)\" is not the name of a server",
                remedy: "Write what the server calls itself, such as authorities = [\"mx.firma.example\"],"
                    + " or *.firma.example for all below.")
        }
        authorities = AuthorityNames(names)
        for preset in ProviderPreset.allCases where !preset.profile.authorities.isEmpty {
            providerAuthorities[preset.rawValue] = AuthorityNames(preset.profile.authorities)
        }
    }

    private static func isServerName(_ text: String) -> Bool {
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        return !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !";()\"*".utf8.contains($0) }
    }
}
