import Archive

extension Finding {
    /// For a person: what, where, of which message.
    var line: String {
        "\(subject.rawValue) \(place)" + (message.map { " (message \($0))" } ?? "") + ": \(text)"
    }
}

extension VerifyReport {
    /// One line for each finding, and one for those that are only counted.
    var findingLines: [String] {
        findings.map(\.line) + (furtherFindings > 0 ? ["… and \(furtherFindings) more"] : [])
    }
}
