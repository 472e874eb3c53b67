public import MailModel

/// What somebody may be called, going by their mail.
public enum PersonName {
    /// The display name, unless it only repeats an address; else words made of the local part: `ivan.petrov`
    /// is Ivan Petrov.
    public static func guess(displayName: String?, address: EmailAddress) -> String {
        let given = (displayName ?? "").trimmed(of: "\"'")
        if !given.isEmpty, !given.contains("@") { return turned(given) }
        let words = address.localPart.split { ".-_+\"".contains($0) }
            .filter { $0.contains(where: \.isLetter) }
        guard !words.isEmpty else { return address.addrSpec }
        return words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: " ")
    }

    /// The same within bounds, for a name that nobody looks at before it is used: visible characters only, and no
    /// longer than names are.
    public static func bounded(displayName: String?, address: EmailAddress) -> String {
        let name = visible(guess(displayName: displayName.map(visible), address: address))
        return name.isEmpty ? address.addrSpec : name
    }

    private static func visible(_ text: String) -> String {
        var name = ""
        for character in text {
            let isHidden = character.unicodeScalars.allSatisfy {
                [.control, .format, .privateUse, .unassigned].contains($0.properties.generalCategory)
            }
            if character.isWhitespace || isHidden {
                if !name.isEmpty, name.last != " " { name += " " }
            } else {
                // One letter may carry any number of marks.
                name.unicodeScalars.append(contentsOf: character.unicodeScalars.prefix(4))
            }
            if name.count > longest { break }
        }
        return name.prefix(longest).trimmed(of: "")
    }

    private static let longest = 80

    /// `Petrov, Ivan` as directories write it is Ivan Petrov.
    private static func turned(_ name: String) -> String {
        let parts = name.split(separator: ",").map { $0.trimmed(of: "") }
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) else { return name }
        return "\(parts[1]) \(parts[0])"
    }
}

extension StringProtocol {
    fileprivate func trimmed(of characters: String) -> String {
        let isEdge = { (character: Character) in
            character.isWhitespace || characters.contains(character)
                || character.unicodeScalars.allSatisfy { $0.properties.generalCategory == .control }
        }
        var rest = self[...]
        while let first = rest.first, isEdge(first) { rest = rest.dropFirst() }
        while let last = rest.last, isEdge(last) { rest = rest.dropLast() }
        return String(rest)
    }
}
