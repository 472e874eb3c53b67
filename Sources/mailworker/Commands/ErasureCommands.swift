import Archive
import ArgumentParser
import MailModel
import Matcher

struct ContactEraseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Forgets a contact, and the mail that concerns nobody else.",
        discussion: """
            Without --yes it lists what would be erased, and changes nothing. With it the contact, its
            history, and the texts and originals of mail that stands in no other contact's history
            are gone for good; a later poll or import does not bring them back. Mail that stands in
            another contact's history stays there. Reports on the delivery of mail to the contact go
            too; those that name the contact beside others, or of which it is not known what they are
            about, are listed and stay.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id, external id, address or exact name.")
    var contact: String

    @Flag(help: "Erases what is listed without it.")
    var yes = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var plan: ErasurePlan
        var done: Bool

        enum CodingKeys: CodingKey { case done }

        func encode(to encoder: any Encoder) throws {
            try plan.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(done, forKey: .done)
        }
    }

    func run() throws {
        let archive = try Workplace(common).archive
        let found = try archive.findContact(contact)
        let plan = yes ? try erase(found.id, archive) : try archive.erasurePlan(of: found.id)
        if json { return Terminal.print(try JSONOutput.document(Answer(plan: plan, done: yes))) }
        if yes {
            return Terminal.print(
                "erased contact \(found.id) and \(amount(plan.erased.count, "message")); \(plan.kept.count) stay with "
                    + "other contacts. Backups made before still hold them."
                    + plan.naming.map {
                        "\nA report that names the contact is still here: mailworker message private \($0)"
                    }.joined())
        }
        var table = TextTable(["MESSAGE", "WHAT", "DATE", "SUBJECT"])
        let reports = Set(plan.reports)
        for (messages, what) in [
            (plan.erased.filter { !reports.contains($0) }, "erased"),
            (plan.reports, "erased, a report on mail to them"), (plan.kept, "kept, with other contacts"),
            (plan.naming, "kept, a report that names them"),
        ] {
            for id in messages {
                let message = try archive.message(id)
                table.add([
                    id.description, what, message.date?.shortText ?? "-", message.subject ?? "(no subject)",
                ])
            }
        }
        if !table.isEmpty { Terminal.print(table.text) }
        Terminal.print(
            "Nothing was changed. To erase \(found.name) (\(found.id)) and \(amount(plan.erased.count, "message")) for "
                + "good: mailworker contact erase \(found.id) --yes")
    }

    private func erase(_ contact: ContactID, _ archive: Archive) throws(MailFailure) -> ErasurePlan {
        defer { Terminal.clearProgress() }
        return try archive.erase(contact) { progress in
            switch progress {
            case .messages(let done, let total): Terminal.progress("\(done) of \(total) messages …")
            case .packs(let done, let total): Terminal.progress("overwriting: pack \(done) of \(total) …")
            case .searchIndex: Terminal.progress("taking their words out of the search index …")
            }
        }
    }
}

struct MessagePrivateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "private",
        abstract: "Removes what a message says, for good, and never archives it again.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var id: String

    @Flag(help: "Without it nothing is changed.")
    var yes = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let id = try ArchivedMessageID(typed: id)
        let message = try archive.message(id)
        guard yes else {
            return Terminal.print(
                "Nothing was changed. To remove \"\(message.subject ?? "(no subject)")\" for good: "
                    + "mailworker message private \(id) --yes")
        }
        try archive.makePrivate(id)
        Terminal.print("message \(id) is private; its text and original are gone")
    }
}
