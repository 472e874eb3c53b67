public import Archive
public import MIMEParse
public import MailModel
import Matcher

/// Messages as people are shown them: read anew out of their originals, with the words that a person has put in
/// place of their own. Whatever shows, quotes or indexes what a message says reads it here.
public struct ShownMessages: Sendable {
    private let archive: Archive
    private let parsing: any MessageParsing

    /// - Parameter archive: as its viewer may see it.
    public init(archive: Archive, parsing: any MessageParsing) {
        self.archive = archive
        self.parsing = parsing
    }

    /// - Throws: as `Archive.readable`, and what stops all reading.
    public func read(_ id: ArchivedMessageID) async throws(MailFailure) -> ParseOutcome {
        let readable = try archive.readable(id)
        return try await parsing.parse([readable.original])[0].showing(readable.edit)
    }
}

extension ParseOutcome {
    /// The same reading with the words of an edit.
    func showing(_ edit: MessageEdit?) -> ParseOutcome {
        guard let edit, case .read(let message) = self else { return self }
        return .read(message.showing(subject: edit.subject.map { $0.isEmpty ? nil : $0 }, text: edit.text))
    }
}
