public import MailModel

extension Mailbox {
    /// Another address as the display name is what a forger writes.
    var namesAnother: Bool {
        guard let name = displayName?.lowercased(), name.contains("@") else { return false }
        return !name.contains(address.lowercased)
    }

    /// The other addresses that the display name shows, at most three.
    public var addressesInName: [EmailAddress] {
        guard namesAnother, let displayName else { return [] }
        let words = displayName.split { $0.isWhitespace || "<>()[],;:\"'".contains($0) }.filter {
            $0.contains("@")
        }
        return words.prefix(3).compactMap { EmailAddress($0) }
    }
}
