import Archive
import ArgumentParser
import Foundation
import MailModel

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes the configuration, the key and the empty archive.",
        discussion: """
            Asks nothing and never replaces a file that is there: a configuration that exists is
            used as it is, and only what is missing is made.

            With --new-key an archive whose key is lost gets a new one. The mailbox passwords are
            forgotten and have to be entered again; nothing else depends on the key.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Makes a new key for an archive whose key is lost.")
    var newKey = false

    func run() throws {
        let path = common.configurationPath
        if !FileManager.default.fileExists(atPath: path) {
            try writeTemplate(to: path)
            Terminal.print("wrote \(path)")
        }
        let configuration = try Configuration(path: path)
        if newKey { return try replaceKey(configuration) }
        let key = try makeKey(configuration)
        if hasArchive(configuration) {
            _ = try Archive.open(directory: configuration.archiveDirectory, key: key)
            Terminal.print("kept  \(configuration.archiveDirectory), which is there already")
        } else {
            _ = try Archive.create(directory: configuration.archiveDirectory, key: key)
            Terminal.print("wrote \(configuration.archiveDirectory)/")
        }
        Terminal.print(
            """

            Next:
              mailworker account add --email ADDRESS --password-file -
              mailworker contact import CONTACTS.csv
              mailworker sync        one pass now
              mailworker run         keep polling

            Keep a copy of \(configuration.keyFile) apart from the archive's backups: without it the
            mailbox passwords have to be entered again.
            """)
    }

    private func makeKey(_ configuration: Configuration) throws(MailFailure) -> SecretKey {
        if let key = try configuration.keyFromEnvironment() { return key }
        if FileManager.default.fileExists(atPath: configuration.keyFile) {
            return try SecretKey(file: configuration.keyFile)
        }
        guard !hasArchive(configuration) else {
            // A new key would open nothing of what is there, and hide that the old one is missing.
            throw MailFailure(
                .keyMissing, kind: .needsPerson, "The archive's key is missing",
                detail: configuration.keyFile,
                remedy:
                    "Put the key that was made with the archive back there, or set MAILWORKER_KEY to it. If it "
                    + "is lost, run mailworker init --new-key.")
        }
        let key = try SecretKey.create(file: configuration.keyFile)
        Terminal.print("wrote \(configuration.keyFile)")
        return key
    }

    private func replaceKey(_ configuration: Configuration) throws {
        if let key = try configuration.keyFromEnvironment() {
            try Archive.replaceKey(directory: configuration.archiveDirectory, with: key)
        } else {
            guard !FileManager.default.fileExists(atPath: configuration.keyFile) else {
                throw MailFailure.usage(
                    "There is a key file", detail: configuration.keyFile,
                    remedy: "If it is not this archive's, move it away first.")
            }
            try Archive.replaceKey(
                directory: configuration.archiveDirectory, with: SecretKey.create(file: configuration.keyFile)
            )
            Terminal.print("wrote \(configuration.keyFile)")
        }
        Terminal.print("Enter each password again: mailworker account edit NAME --password-file FILE")
    }

    private func hasArchive(_ configuration: Configuration) -> Bool {
        FileManager.default.fileExists(atPath: configuration.archiveDirectory + "/mailworker.db")
    }

    private func writeTemplate(to path: String) throws(MailFailure) {
        let template = """
            # mailworker's configuration. Every key has a default; config.example.toml explains them all.

            [archive]
            directory = "mailworker-data"
            key_file = "mailworker.key"

            # Servers on loopback or private addresses are refused unless their network stands here:
            # [network]
            # allow = ["10.0.0.0/8"]

            """
        do throws(MailFailure) {
            try DurableFile.create(path, Array(template.utf8), mode: 0o666)
        } catch {
            guard [.archiveMissing, .archiveUnreadable, .archiveReadOnly].contains(error.code) else {
                throw error
            }
            throw MailFailure(
                .configuration, kind: .needsPerson, "The configuration cannot be written", detail: path,
                remedy: "Check that the directory exists and that this user may write there.")
        }
    }
}
