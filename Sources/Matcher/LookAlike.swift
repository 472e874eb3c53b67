/// A known name that an unknown one could be taken for.
public struct LookAlike: Sendable, Hashable, Codable {
    /// The unknown address.
    public var address: String
    /// The address or domain that it resembles; nil when it only mixes alphabets.
    public var known: String?
    public var resemblance: Look.Resemblance

    public init(address: String, known: String?, resemblance: Look.Resemblance) {
        self.address = address
        self.known = known
        self.resemblance = resemblance
    }

    /// What a listing says behind the address.
    public var warning: String {
        guard let known else { return "it mixes Cyrillic and Latin letters" }
        return (Self.beginnings[resemblance] ?? Self.beginning) + known
    }

    private static let beginning = "it looks like "
    private static let beginnings: [Look.Resemblance: String] = [
        .oneLetter: "it differs in one letter from ", .otherEnding: "it only differs in its ending from ",
        .enclosedName: "it only contains the name ", .addedWord: "it adds a word to ",
        .addressAsName: "it bears as a name the address ",
    ]

    /// Whom a sentence names that ends in a warning; nil for every other sentence.
    public static func known(inWarning sentence: String) -> Substring? {
        guard let space = sentence.lastIndex(of: " "),
            ([beginning] + beginnings.values).contains(where: { sentence[...space].hasSuffix(": " + $0) })
        else { return nil }
        return sentence[sentence.index(after: space)...]
    }
}
