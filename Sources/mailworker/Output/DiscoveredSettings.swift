import MailFetch
import MailModel

/// What was found of an address, as people and programs are shown it.
struct DiscoveredSettings: Encodable {
    private let address: EmailAddress
    private let found: FoundSettings

    init(_ found: FoundSettings, _ address: EmailAddress) {
        self.found = found
        self.address = address
    }

    var text: String {
        let isKnown = found.preset != .custom
        var lines = [
            "address: \(address.addrSpec)", "found by: \(found.source)",
            isKnown ? "provider: \(found.preset.profile.title) (preset \(found.preset.rawValue))" : nil,
            "imap: \(found.imap.text)", "smtp: \(found.smtp?.text ?? "-")", "login: \(found.login)",
        ].compactMap { $0 }
        lines += found.notes.map { "note: \($0)" }
        return lines.joined(separator: "\n")
    }

    /// The servers alone.
    var line: String {
        (["imap \(found.imap.text)"] + (found.smtp.map { ["smtp \($0.text)"] } ?? [])).joined(separator: ", ")
    }

    private enum Key: String, CodingKey {
        case address, preset, imap, smtp, login, notes
        case source = "found_by"
        case sourceDetail = "found_at"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(address.addrSpec, forKey: .address)
        try container.encode(found.source.name, forKey: .source)
        try container.encode(found.source.description, forKey: .sourceDetail)
        try container.encode(found.preset.rawValue, forKey: .preset)
        try container.encode(found.imap, forKey: .imap)
        try container.encode(found.smtp, forKey: .smtp)
        try container.encode(found.login, forKey: .login)
        try container.encode(found.notes, forKey: .notes)
    }
}
