import MailModel

/// A person's or company's card (vCard 2.1, RFC 2426, RFC 6350): what a contact needs of it.
public struct VCard: Codable, Hashable, Sendable {
    /// A telephone number with the words that the card gives it (`cell`, `work` …), in lower case.
    public struct Phone: Codable, Hashable, Sendable {
        public var number: String
        public var kinds: [String]
    }

    /// The name as it is to be shown: FN, else composed of N.
    public var name: String?
    public var familyName: String?
    public var givenName: String?
    /// With its departments.
    public var organisation: String?
    /// Without them.
    public var company: String?
    public var title: String?
    /// As they stand in the card, the preferred ones first; nothing proves that they are addresses.
    public var emails: [String] = []
    /// Addresses and numbers that are not here, since no card has so many.
    public var passedOver = 0
    /// Whether the end of the card was read.
    public var isWhole = true
    public var phones: [Phone] = []
    /// KIND (RFC 6350, 6.1.4) in lower case, or what a CRM's own X-CRM-KIND says.
    public var kind: String?
    /// X-CRM-ID: the number in the CRM that wrote the card.
    public var externalID: String?
    /// CATEGORIES; nil without any.
    public var categories: [String]?

    enum CodingKeys: String, CodingKey {
        case name, organisation, company, title, emails, phones, kind, categories
        case externalID = "external_id"
        case familyName = "family_name"
        case givenName = "given_name"
    }

    /// The cards of a file, at most `limit`. Never fails: what is no card is passed over, and
    /// a card that is cut has what was read. `charset` is what came with the file, nil without
    /// one; a property's own CHARSET (vCard 2.1) comes first.
    public static func read(_ bytes: [UInt8], charset: [UInt8]? = nil, limit: Int = 1000) -> [VCard] {
        var reader = VCardReader(charset: charset, limit: limit)
        reader.read(ContentText.readable(bytes, charset: charset))
        return reader.cards
    }
}

/// Files whose octets no line reader could take apart, made UTF-8 first.
enum ContentText {
    static func readable(_ bytes: [UInt8], charset: [UInt8]?) -> [UInt8] {
        var label = charset
        if bytes.starts(with: [0xFF, 0xFE]) { label = Array("utf-16le".utf8) }
        if bytes.starts(with: [0xFE, 0xFF]) { label = Array("utf-16be".utf8) }
        guard let label, Charset(label: label)?.kind == .stateful else { return bytes }
        var defects = DefectLog()
        var result: [UInt8] = []
        bytes.withUnsafeBytes { TextDecoder.decode($0, label: label, into: &result, defects: &defects) }
        return result
    }
}

private struct VCardReader {
    let charset: [UInt8]?
    let limit: Int
    var cards: [VCard] = []
    private var card = VCard()
    /// Of each address in `card.emails`, 1 for the first choice.
    private var preferences: [Int] = []
    /// Cards within a card (AGENT) are passed over.
    private var depth = 0
    private static let maximumValues = 100
    /// Octets of a value that are kept: no name, address or number is as long.
    private static let maximumValue = 1024

    init(charset: [UInt8]?, limit: Int) {
        self.charset = charset
        self.limit = limit
    }

    mutating func read(_ bytes: [UInt8]) {
        var lines = ContentLineReader(bytes)
        while cards.count < limit, let line = lines.next() {
            switch line.name {
            case "BEGIN" where isCard(line):
                depth += 1
                if depth == 1 { begin() }
            case "END" where isCard(line) && depth > 0:
                depth -= 1
                if depth == 0 { finish() }
            default:
                if depth == 1 { add(line) }
            }
        }
        // The end is cut off.
        if depth > 0, cards.count < limit {
            card.isWhole = false
            finish()
        }
    }

    private func isCard(_ line: ContentLine) -> Bool {
        line.value.withUnsafeBytes { $0.trimmed().equalsIgnoringCase("vcard") }
    }

    private mutating func begin() {
        card = VCard()
        preferences = []
    }

    private mutating func finish() {
        card.emails = zip(preferences, card.emails).enumerated()
            .sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(\.element.1)
        if card.name == nil {
            let names = [card.givenName, card.familyName].compactMap(\.self)
            card.name = names.isEmpty ? nil : names.joined(separator: " ")
        }
        cards.append(card)
        begin()
        depth = 0
    }

    private mutating func add(_ line: ContentLine) {
        switch line.name {
        case "FN": card.name = card.name ?? ContentLineText.unescaped(text(line))
        case "N": setNames(text(line))
        case "ORG":
            // Its departments follow (RFC 6350, 6.6.4).
            let parts = ContentLineText.components(text(line), separator: ";")
            card.company = card.company ?? parts.first?.nonEmpty
            card.organisation = card.organisation ?? parts.joined(separator: ", ").nonEmpty
        case "TITLE": card.title = card.title ?? ContentLineText.unescaped(text(line))
        case "KIND": card.kind = card.kind ?? ContentLineText.unescaped(text(line))?.lowercased()
        case "X-CRM-KIND": card.kind = ContentLineText.unescaped(text(line))?.lowercased()
        case "X-CRM-ID": card.externalID = card.externalID ?? ContentLineText.unescaped(text(line))
        case "CATEGORIES":
            let names = ContentLineText.components(text(line), separator: ",")
            card.categories = Array(((card.categories ?? []) + names).prefix(Self.maximumValues))
        case "EMAIL": addEmail(line)
        case "TEL": addPhone(line)
        default: break
        }
    }

    private mutating func setNames(_ value: String) {
        guard card.familyName == nil, card.givenName == nil else { return }
        // An empty component keeps its place.
        let marked = value.unicodeScalars.reduce(into: (pieces: [String.UnicodeScalarView()], escaped: false))
        {
            if $1 == ";", !$0.escaped {
                $0.pieces.append(String.UnicodeScalarView())
            } else {
                $0.pieces[$0.pieces.count - 1].append($1)
            }
            $0.escaped = $1 == "\\" && !$0.escaped
        }
        let parts = marked.pieces.map { ContentLineText.unescaped(String($0)) }
        card.familyName = parts.first ?? nil
        card.givenName = parts.count > 1 ? parts[1] : nil
    }

    private mutating func addEmail(_ line: ContentLine) {
        guard card.emails.count < Self.maximumValues else {
            card.passedOver += 1
            return
        }
        guard var email = ContentLineText.unescaped(text(line)) else { return }
        if email.lowercased().hasPrefix("mailto:") { email.removeFirst(7) }
        let preference = Self.preference(line)
        if let index = card.emails.firstIndex(of: email) {
            preferences[index] = min(preferences[index], preference)
        } else {
            card.emails.append(email)
            preferences.append(preference)
        }
    }

    /// PREF from 1 to 100 (RFC 6350, 5.3), or the type `pref` of the older versions; what has neither comes last.
    private static func preference(_ line: ContentLine) -> Int {
        if let number = line.word("PREF").flatMap(Int.init) { return min(max(number, 1), 100) }
        let isPreferred = line.parameters.contains { parameter in
            parameter.name == "PREF"
                || parameter.name == "TYPE"
                    && String(decoding: parameter.value, as: UTF8.self).lowercased().split(separator: ",")
                        .contains("pref")
        }
        return isPreferred ? 1 : 101
    }

    private mutating func addPhone(_ line: ContentLine) {
        guard card.phones.count < Self.maximumValues else {
            card.passedOver += 1
            return
        }
        guard var number = ContentLineText.unescaped(text(line)) else { return }
        if number.lowercased().hasPrefix("tel:") { number.removeFirst(4) }
        let kinds = line.parameters.filter { $0.name == "TYPE" }
            .flatMap { String(decoding: $0.value, as: UTF8.self).lowercased().split(separator: ",") }
            .map(String.init)
        let ignored: Set<String> = ["quoted-printable", "pref", "voice"]
        card.phones.append(VCard.Phone(number: number, kinds: kinds.filter { !ignored.contains($0) }))
    }

    private func text(_ line: ContentLine) -> String {
        var octets = Array(line.value)
        if ContentLineReader.isQuotedPrintable(line) {
            var decoded: [UInt8] = []
            _ = octets.withUnsafeBytes { QuotedPrintable.decode($0, into: &decoded) }
            octets = decoded
        } else if let encoding = line.word("ENCODING")?.lowercased(), encoding == "b" || encoding == "base64"
        {
            var decoder = Base64Decoder()
            var decoded: [UInt8] = []
            octets.withUnsafeBytes { decoder.decode($0, into: &decoded) }
            decoder.finish(into: &decoded)
            octets = decoded
        }
        var defects = DefectLog()
        let label = line.parameter("CHARSET") ?? charset
        return octets.withUnsafeBytes {
            TextDecoder.string(
                $0.slice(0..<min($0.count, Self.maximumValue)), label: label, defects: &defects)
        }
    }
}

extension String {
    var nonEmpty: String? { isEmpty ? nil : self }
}
