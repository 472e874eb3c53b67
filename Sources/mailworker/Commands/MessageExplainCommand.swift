import Archive
import ArgumentParser
import MailModel
import Matcher
import Worker

struct MessageExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Why the message is where it is.",
        discussion: """
            Shows each decision with its facts: which way the message went and why, by which header it is a
            newsletter or automatic, what a trusted server found out about its sender, in which form each address is
            compared and whose it is, what it refers to and whether we sent that, whom an address could be taken for, and
            what a setting decided; then the mailboxes in which it was seen, each link with its reason, and what the
            queue has asked.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var id: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() async throws {
        let workplace = try Workplace(common, as: .rights)
        let explaining = MessageExplaining(
            archive: workplace.archive, parsing: workplace.configuration.parsing(atMost: 1))
        let explanation = try await explaining.explanation(of: try ArchivedMessageID(typed: id))
        if json { return Terminal.print(try JSONOutput.document(explanation)) }
        Terminal.print(Terminal.sanitized(explanation.lines.joined(separator: "\n")))
    }
}

extension Explanation {
    fileprivate var lines: [String] {
        var lines = [
            "message \(message.id): \(message.state.rawValue)"
                + (message.stateReason.map { " (\($0))" } ?? "")
                + (message.ignoredBy.map { ", by the rule for \($0)" } ?? ""),
            message.subject ?? "(no subject)", "", "Decided",
        ]
        for decision in decisions {
            lines.append("  \(decision.about): \(decision.outcome)")
            lines += decision.because.map { "    \($0)" }
        }
        lines.append("Seen as")
        for copy in message.copies {
            lines.append(
                "  \(copy.account) / \(copy.folder), UID \(copy.uid) of UIDVALIDITY \(copy.uidValidity): "
                    + copy.state.rawValue + (copy.reason.map { " (\($0))" } ?? "")
                    + (copy.vanishedAt.map { ", no longer there since \($0.shortText)" } ?? "")
                    + (copy.labels.isEmpty ? "" : ", labels \(copy.labels.joined(separator: ", "))"))
            lines.append("    \(copy.size) bytes, sha256 \(copy.sha256.hex)")
        }
        lines.append(message.links.isEmpty ? "In no history" : "In the history of")
        for link in message.links {
            lines.append(
                "  \(link.contactName) (\(link.contact)): \(link.reason)"
                    + (link.removedAt.map { ", removed \($0.shortText) by \(link.removedBy ?? "-")" } ?? ""))
        }
        for question in message.questions {
            lines.append(
                "Review item \(question.item): \(question.reason); \(question.state)"
                    + (question.resolvedBy.map { " by \($0)" } ?? ""))
        }
        if let edited = message.edited { lines.append(edited.words(message.id)) }
        return lines
    }
}
