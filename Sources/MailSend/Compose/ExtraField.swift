import MailModel

/// A field beyond those of every mail: typed, so that no value can hold another field.
public enum ExtraField: Sendable, Hashable {
    /// Auto-Submitted (RFC 3834, 5): a program wrote this.
    case autoSubmitted(AutoSubmitted)
    /// List-Unsubscribe (RFC 2369, 3.2); with an https address and `oneClick`,
    /// List-Unsubscribe-Post too (RFC 8058).
    case listUnsubscribe(urls: [String], oneClick: Bool)
    /// List-Id (RFC 2919): a name of letters, digits, dots and hyphens.
    case listID(String)
    /// Precedence: bulk, which older responders look at.
    case bulk
    /// X-Auto-Response-Suppress: All, which Exchange looks at.
    case noAutoResponse
    /// Feedback-ID, by which Gmail groups complaints: letters, digits and `:._-`.
    case feedbackID(String)
    /// A field of one's own, `X-…`, with one line of text.
    case custom(name: String, value: String)

    public enum AutoSubmitted: String, Sendable {
        case generated = "auto-generated"
        case replied = "auto-replied"
        case notified = "auto-notified"
    }
}

extension ExtraField {
    var name: String {
        switch self {
        case .autoSubmitted: "Auto-Submitted"
        case .listUnsubscribe: "List-Unsubscribe"
        case .listID: "List-Id"
        case .bulk: "Precedence"
        case .noAutoResponse: "X-Auto-Response-Suppress"
        case .feedbackID: "Feedback-ID"
        case .custom(let name, _): name
        }
    }

    /// - Throws: `compose.field`, `compose.control-character`, `compose.too-long`.
    func write(into header: inout HeaderWriter, limits: ComposerLimits) throws(MailFailure) {
        switch self {
        case .autoSubmitted(let word): header.field(name, [word.rawValue])
        case .bulk: header.field(name, ["bulk"])
        case .noAutoResponse: header.field(name, ["All"])
        case .listID(let list):
            let isName = list.utf8.allSatisfy {
                Grammar.isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
            }
            guard isName, !list.isEmpty, list.utf8.count <= 255 else { throw .badField(name) }
            header.field(name, ["<\(list)>"])
        case .feedbackID(let text):
            let isToken = text.utf8.allSatisfy { Grammar.isAlphanumeric($0) || ":._-".utf8.contains($0) }
            guard isToken, !text.isEmpty, text.utf8.count <= 200 else { throw .badField(name) }
            header.field(name, [text])
        case .listUnsubscribe(let urls, let oneClick):
            guard !urls.isEmpty, urls.allSatisfy(Self.isUnsubscribeURL) else {
                throw .badField("List-Unsubscribe")
            }
            let last = urls.count - 1
            header.field(
                "List-Unsubscribe", urls.enumerated().map { "<\($1)>" + ($0 < last ? "," : "") })
            guard oneClick else { return }
            // RFC 8058, 3.1: the POST goes to an https address.
            guard urls.contains(where: { $0.lowercased().hasPrefix("https:") }) else {
                throw .badField("List-Unsubscribe-Post")
            }
            header.field("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"])
        case .custom(let name, let value):
            let isName = name.utf8.allSatisfy { Grammar.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            guard isName, name.lowercased().hasPrefix("x-"), (3...76).contains(name.utf8.count) else {
                throw .badField(name)
            }
            guard let line = Grammar.line(value) else { throw .controlCharacter(in: name) }
            guard line.utf8.count <= limits.lineBytes else {
                throw .overlong(name, limit: limits.lineBytes)
            }
            header.unstructured(name, line)
        }
    }

    private static func isUnsubscribeURL(_ url: String) -> Bool {
        let start = url.lowercased()
        guard start.hasPrefix("https://") || start.hasPrefix("http://") || start.hasPrefix("mailto:")
        else { return false }
        // A comma separates, a blank folds.
        return Grammar.isIdentifier(url) && !url.utf8.contains(UInt8(ascii: ","))
            && !url.utf8.contains(UInt8(ascii: "\""))
    }
}
