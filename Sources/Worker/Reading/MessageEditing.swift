public import Archive
import Foundation
public import MIMEParse
public import MailModel
import Matcher

/// Puts a person's words in place of a message's own, and takes them back. What is derived from a text (the first
/// words in listings, the signature that suggests whose it is, the index) follows in the same breath.
public struct MessageEditing: Sendable {
    private let archive: Archive
    private let parsing: any MessageParsing

    public init(archive: Archive, parsing: any MessageParsing) {
        self.archive = archive
        self.parsing = parsing
    }

    /// - Parameters:
    ///   - subject: nil leaves it; empty takes it away.
    ///   - text: the same; lines may end in CRLF.
    /// - Throws: as `Archive.edit`.
    public func edit(
        _ id: ArchivedMessageID, subject: String?, text: String?, by person: String
    ) async throws(MailFailure) {
        var words = EditedWords(subject: subject, text: text.map(Self.cleaned))
        if let text = words.text {
            words.snippet = text.isEmpty ? nil : MessageReader.snippet(of: text)
            // The digest is of no use here: the words have none.
            let shown = ParsedMessage(contentDigest: Digest256(bytes: [UInt8](repeating: 0, count: 32))!)
                .showing(subject: nil, text: text)
            words.signature = SignatureLines.text(of: shown)
        }
        try archive.edit(id, words, by: person)
        try await SearchIndexing(archive: archive, parsing: parsing).index([id])
    }

    /// - Throws: as `Archive.revertEdit`.
    public func revert(_ id: ArchivedMessageID) async throws(MailFailure) {
        let original = try archive.readable(id).original
        let own = try await parsing.parse([original])[0].message
        try archive.revertEdit(of: id, signature: own.flatMap(SignatureLines.text))
        try await SearchIndexing(archive: archive, parsing: parsing).index([id])
    }

    /// Lines end in LF; no byte order mark in front.
    private static func cleaned(_ text: String) -> String {
        var text = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        if text.hasPrefix("\u{FEFF}") { text.unicodeScalars.removeFirst() }
        return text
    }
}
