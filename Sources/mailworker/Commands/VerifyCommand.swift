import Archive
import ArgumentParser
import MailModel

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Proves originals and ledger.")
    func run() throws {}
}
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Checks the installation.")
    func run() throws {}
}
