extension Look {
    /// A name that was read once, to be compared with many: reading it costs more than a comparison.
    public struct Reading: Sendable {
        /// As it was given.
        public let name: String
        /// Those of the look.
        let joined: [Unicode.Scalar]
        /// An edit may make a pair of two letters, or part one: then the looks differ in more than it.
        let letters: [Unicode.Scalar]

        /// - Parameter name: as `Look` takes it.
        public init(_ name: some StringProtocol) {
            self.name = String(name)
            letters = Look.letters(of: name)
            joined = Look.joined(letters)
        }

        /// Without digits, which count things: the second account of somebody is not a forgery of the first.
        var words: String { Look.unicode(name).filter { !$0.isNumber } }
    }

    /// As for the names themselves.
    public static func resemblance(of name: Reading, to known: Reading) -> Resemblance? {
        guard name.name != known.name else { return nil }
        if name.joined == known.joined { return .sameLetters }
        guard min(name.joined.count, known.joined.count) >= minimumLength,
            isOneEditApart(name.joined, known.joined) || isOneEditApart(name.letters, known.letters),
            name.words != known.words
        else { return nil }
        return .oneLetter
    }
}
