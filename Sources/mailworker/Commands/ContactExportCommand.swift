import Archive
import ArgumentParser
import Foundation
import MailModel
import Worker

struct ContactExportCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case csv, vcard, vcard3
    }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes contacts as CSV or vCards to standard output.",
        discussion: "Only what --as USER may see is written. contact import reads all three forms back.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: ContactSelection

    @Option(help: "csv, vcard (4.0) or vcard3 (3.0).")
    var format = Format.csv

    @Option(help: ArgumentHelp("Writes to this file instead.", valueName: "file"), completion: .file())
    var output: String?

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let contacts = try archive.contacts(try selection.filter(in: archive))
        let text =
            switch format {
            case .csv: ContactCSV.text(of: contacts)
            case .vcard: ContactCards.text(of: contacts, .four)
            case .vcard3: ContactCards.text(of: contacts, .three)
            }
        guard let output else { return try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
        } catch {
            throw MailFailure.usage(
                "The file cannot be written", detail: output,
                remedy: "Check its directory and the free space.")
        }
        Terminal.print("\(contacts.count) contacts written to \(output)")
    }
}
