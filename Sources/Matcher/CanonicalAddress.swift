import Foundation
public import MailModel

/// An address in the form in which people are compared: two addresses that are
/// known to reach one mailbox are equal here, all others are not.
///
/// The form is for comparing and looking up only; mail is sent to, and shown
/// with, the address as it was written.
public struct CanonicalAddress: Hashable, Sendable, RawRepresentable {
    /// `local@domain`; the domain is what follows the last `@`.
    public let rawValue: String

    /// Takes a value that was canonical when it was stored.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Domain in lower-case A-labels without a trailing dot, local part case-folded
    /// and without needless quotes, and the provider's own equivalences applied.
    public init(_ address: EmailAddress) {
        let domain = DomainName.canonical(address.domain)
        var local = address.localPart
        if local.utf8.contains(where: { (65...90).contains($0) || $0 >= 0x80 || $0 == 0x5C || $0 == 0x22 }) {
            local = Self.foldedLocalPart(Self.unquoted(local))
        }
        guard let provider = MailProvider.named(byDomain: domain) else {
            rawValue = local + "@" + domain
            return
        }
        if provider.foldsTags, let plus = local.utf8.firstIndex(of: UInt8(ascii: "+")),
            plus != local.startIndex
        {
            local = String(local[..<plus])
        }
        switch provider.dots {
        case .significant: break
        case .ignored:
            let bare = local.utf8.filter { $0 != UInt8(ascii: ".") }
            if !bare.isEmpty { local = String(decoding: bare, as: UTF8.self) }
        case .equalHyphens:
            local = String(
                decoding: local.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "-") : $0 }, as: UTF8.self)
        }
        rawValue = local + "@" + (provider.isOneMailbox ? provider.domains[0] : domain)
    }

    /// What follows the last `@`.
    public var domain: Substring {
        guard let at = rawValue.lastIndex(of: "@") else { return rawValue[...] }
        return rawValue[rawValue.index(after: at)...]
    }

    /// The address without what follows the first `+` of its local part, which many servers take for a tag and
    /// some for a part of the name: it suggests whose the address is. Nil without a tag.
    public var withoutTag: CanonicalAddress? {
        guard let at = rawValue.lastIndex(of: "@"), let plus = rawValue[..<at].firstIndex(of: "+"),
            plus != rawValue.startIndex
        else { return nil }
        return CanonicalAddress(rawValue: String(rawValue[..<plus] + rawValue[at...]))
    }

    /// A domain in the form in which `domain` has it.
    public static func canonicalDomain(_ domain: String) -> String { DomainName.canonical(domain) }

    /// The local part folded for comparing: compatibility forms are kept apart (they
    /// may be different mailboxes), composed and decomposed spellings are not.
    private static func foldedLocalPart(_ local: String) -> String {
        local.precomposedStringWithCanonicalMapping.lowercased().precomposedStringWithCanonicalMapping
    }

    /// Quotes and quoted pairs (RFC 5322, 3.2.4) removed; the characters stay.
    private static func unquoted(_ local: String) -> String {
        var inner = local[...]
        if inner.utf8.count >= 2, inner.first == "\"", inner.last == "\"" {
            inner = inner.dropFirst().dropLast()
        }
        guard inner.utf8.contains(0x5C) else { return String(inner) }
        var result = ""
        var isEscaped = false
        for scalar in inner.unicodeScalars {
            if scalar == "\\", !isEscaped {
                isEscaped = true
                continue
            }
            isEscaped = false
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}

extension CanonicalAddress: Codable {
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
