public import MailModel

extension CanonicalAddress {
    /// What makes the form in which an address is compared another one than was written, apart from the case of its
    /// letters, for people; empty when nothing does.
    public static func changes(in address: EmailAddress) -> [String] {
        let canonical = CanonicalAddress(address)
        let written = address.domain.lowercased()
        let domain = canonicalDomain(address.domain)
        var changes: [String] = []
        if written.hasSuffix("."), !domain.hasSuffix(".") {
            changes.append("the dot behind the domain says nothing")
        }
        if written.utf8.contains(where: { $0 >= 0x80 }) {
            changes.append("\(written) is \(domain) in A-labels (IDNA)")
        }
        if address.localPart.hasPrefix("\""), !canonical.rawValue.hasPrefix("\"") {
            changes.append("the quotes of its local part say nothing")
        }
        guard let provider = MailProvider.named(byDomain: domain) else { return changes }
        let local = address.localPart
        if provider.foldsTags, let plus = local.firstIndex(of: "+"), plus != local.startIndex {
            changes.append("\(local[plus...]) is a tag at \(domain)")
        }
        let name = local.prefix { $0 != "+" }
        switch provider.dots {
        case .significant: break
        case .ignored: if name.contains(".") { changes.append("dots say nothing at \(domain)") }
        case .equalHyphens:
            if name.contains(".") { changes.append("a dot is a hyphen at \(domain)") }
        }
        if provider.isOneMailbox, domain != provider.domains[0] {
            changes.append("\(domain) and \(provider.domains[0]) are one mailbox")
        }
        return changes
    }
}
