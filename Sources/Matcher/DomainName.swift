import Foundation

/// Host names in the one form in which they are compared: lower case, A-labels
/// (RFC 5890), no trailing dot.
enum DomainName {
    /// Never fails: a label that cannot be an A-label stays as it is, in lower case,
    /// so that equal spellings still compare equal.
    static func canonical(_ domain: String) -> String {
        var domain = domain
        let isPlain = domain.utf8.allSatisfy { $0 < 0x80 && !(65...90).contains($0) && $0 != 0x20 }
        if !isPlain {
            // NFKC also folds the full-width letters and dots of RFC 3490, 3.1.
            domain = domain.precomposedStringWithCompatibilityMapping.lowercased()
            if domain.utf8.contains(where: { $0 >= 0x80 }) {
                domain = aLabels(domain.precomposedStringWithCompatibilityMapping)
            }
        }
        while domain.utf8.last == UInt8(ascii: ".") { domain.removeLast() }
        return domain
    }

    private static func aLabels(_ domain: String) -> String {
        let dots: Set<Unicode.Scalar> = [".", "\u{3002}", "\u{FF0E}", "\u{FF61}"]
        return domain.unicodeScalars.split(omittingEmptySubsequences: false) { dots.contains($0) }
            .map { label -> String in
                guard label.contains(where: { !$0.isASCII }), let encoded = Punycode.encode(label) else {
                    return String(label)
                }
                return "xn--" + encoded
            }
            .joined(separator: ".")
    }

    /// The local part folded for comparing: compatibility forms are kept apart (they
    /// may be different mailboxes), composed and decomposed spellings are not.
    static func foldedLocalPart(_ local: String) -> String {
        local.precomposedStringWithCanonicalMapping.lowercased().precomposedStringWithCanonicalMapping
    }
}

extension String {
    /// Accents taken off letters: `é` is `e`, and `й` stays what it is.
    var decomposedStringWithoutMarks: String {
        guard utf8.contains(where: { $0 >= 0x80 }) else { return self }
        var result = String.UnicodeScalarView()
        for character in precomposedStringWithCanonicalMapping.unicodeScalars {
            if (0x400...0x52F).contains(character.value) {
                result.append(character)
                continue
            }
            let parts = String(character).decomposedStringWithCompatibilityMapping.unicodeScalars
            result.append(contentsOf: parts.filter { $0.properties.generalCategory != .nonspacingMark })
        }
        return String(result)
    }
}
