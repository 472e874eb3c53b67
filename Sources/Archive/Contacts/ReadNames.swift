import Matcher

/// Names of contacts as they look, each read once a transaction: many strangers are compared with the same ones.
final class ReadNames {
    /// Names that are kept at most; when there are more, it begins anew.
    private static let limit = 8192

    private var known: [String: Look.Reading] = [:]

    func reading(of name: String) -> Look.Reading {
        if let reading = known[name] { return reading }
        if known.count >= Self.limit { known.removeAll(keepingCapacity: true) }
        let reading = Look.Reading(name)
        known[name] = reading
        return reading
    }
}
