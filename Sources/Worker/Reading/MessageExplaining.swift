public import Archive
public import MIMEParse
public import MailModel

/// Why a message is where it is, with the facts that stand in its header only.
public struct MessageExplaining: Sendable {
    private let archive: Archive
    private let parsing: any MessageParsing

    public init(archive: Archive, parsing: any MessageParsing) {
        self.archive = archive
        self.parsing = parsing
    }

    /// - Throws: as `Archive.explanation`, and what stops all reading.
    public func explanation(of id: ArchivedMessageID) async throws(MailFailure) -> Explanation {
        var explanation = try archive.explanation(of: id)
        guard let index = explanation.decisions.firstIndex(where: { $0.about == Explanation.kind }) else {
            return explanation
        }
        do {
            let original = try archive.readable(id).original
            let outcome = try await parsing.parse([original])[0]
            explanation.decisions[index].because = [Self.words(outcome.message?.automation)]
        } catch  where [.undisclosed, .originalDamaged, .originalErased].contains(error.code) {
            explanation.decisions[index].because = ["its header cannot be shown: \(error.summary)"]
        }
        return explanation
    }

    private static func words(_ automation: Automation?) -> String {
        guard let automation else { return "it could not be read" }
        let signs = automation.signs.names
        guard !signs.isEmpty else { return "nothing in it says that a program wrote or forwarded it" }
        return "by its \(signs.joined(separator: ", "))"
            + (automation.listID.map { "; the list is \($0)" } ?? "")
    }
}
