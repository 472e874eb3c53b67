import Foundation
import MailModel
import MailSend

/// Pictures that HTML shows by the names of their files (`cid:NAME`), under identifiers that every mail program takes
/// (RFC 2392): a file's name may be in any script and hold spaces, an identifier may not.
struct InlineImages {
    /// The pictures with their identifiers.
    let images: [Enclosure]
    private let identifiers: [String: String]

    /// - Parameter message: what makes the identifiers the mail's own.
    /// - Throws: `send.inline-images` when two files have one name.
    init(_ files: [Enclosure], of message: MessageID) throws(MailFailure) {
        var images: [Enclosure] = []
        var identifiers: [String: String] = [:]
        let tail = Self.identifier(message)
        for (index, file) in files.enumerated() {
            let name = file.filename ?? ""
            var image = file
            image.contentID = "image\(index + 1).\(tail)"
            guard identifiers.updateValue(image.contentID ?? "", forKey: name) == nil else {
                throw MailFailure(
                    .sameInlineName, kind: .permanent, "Two pictures of the mail have the same file name",
                    detail: name, remedy: "Rename one of the files, and its cid: in the HTML.")
            }
            images.append(image)
        }
        self.images = images
        self.identifiers = identifiers
    }

    /// The HTML with identifiers in place of names, however those are written: as they are, with entities, or
    /// percent-encoded. A `cid:` that names none of the files stays.
    func naming(in html: String) -> String {
        guard !identifiers.isEmpty else { return html }
        var result = ""
        var rest = html[...]
        while let found = rest.range(of: "cid:", options: .caseInsensitive) {
            result += rest[..<found.upperBound]
            let before = rest[..<found.lowerBound].last
            rest = rest[found.upperBound...]
            let written = rest.prefix(while: Self.isOfReference(after: before))
            guard let identifier = identifier(of: String(written)) else { continue }
            result += identifier
            rest = rest[written.endIndex...]
        }
        return result + rest
    }

    /// The message's own words, without a domain that would be too long or is not ASCII.
    private static func identifier(_ message: MessageID) -> String {
        let parts = message.rawValue.split(separator: "@", maxSplits: 1)
        let domain = parts.count == 2 ? parts[1] : ""
        let isPlain = domain.utf8.allSatisfy {
            ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || "-.".utf8.contains($0)
        }
        let isUsable = isPlain && (1...100).contains(domain.utf8.count)
        return "\(parts.first ?? "")@\(isUsable ? domain : "mailworker.invalid")"
    }

    /// In quotes a name ends with them; without any it has no space.
    private static func isOfReference(after before: Character?) -> (Character) -> Bool {
        if before == "\"" || before == "'" { return { $0 != before } }
        return { !$0.isWhitespace && !"\"'<>()".contains($0) }
    }

    private func identifier(of written: String) -> String? {
        var text = written
        for (entity, sign) in [
            ("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"),
        ] {
            text = text.replacing(entity, with: sign)
        }
        return [written, text, text.removingPercentEncoding ?? text].lazy.compactMap { identifiers[$0] }.first
    }
}

extension MailFailure.Code {
    static let sameInlineName = Self("send.inline-images")
}
