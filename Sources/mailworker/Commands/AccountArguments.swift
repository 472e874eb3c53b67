public import Archive
public import ArgumentParser
import Foundation
public import MailModel

extension TransportSecurity: ExpressibleByArgument {}

extension Disclosure: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

/// The options of `account add` and `account edit`.
struct AccountArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The CRM user whose mailbox it is.", valueName: "user"))
    var user: String?

    @Option(help: ArgumentHelp("The mailbox's address.", valueName: "address"))
    var email: String?

    @Option(help: "gmail, yandex, mailru, rambler, icloud, fastmail, outlook, or custom.")
    var preset: String?

    @Option(help: ArgumentHelp("The name to sign in with. (default: the email)", valueName: "login"))
    var login: String?

    @Option(
        help: ArgumentHelp(
            "A file with the password on one line, or - for standard input.", valueName: "file"),
        completion: .file())
    var passwordFile: String?

    @Option(help: ArgumentHelp("The IMAP server. (default: the preset's)", valueName: "host"))
    var imapHost: String?

    @Option(help: ArgumentHelp("(default: 993 with tls, 143 otherwise)", valueName: "port"))
    var imapPort: Int?

    @Option(help: "tls, starttls or none. (default: tls)")
    var imapSecurity: TransportSecurity?

    @Option(help: ArgumentHelp("The SMTP server.", valueName: "host"))
    var smtpHost: String?

    @Option(help: ArgumentHelp("(default: 465 with tls, 587 otherwise)", valueName: "port"))
    var smtpPort: Int?

    @Option(help: "tls, starttls or none. (default: tls)")
    var smtpSecurity: TransportSecurity?

    @Option(help: ArgumentHelp("Minutes between two polls, 1 to 1440.", valueName: "n"))
    var pollMinutes: Int?

    @Option(help: ArgumentHelp("Minutes that the server may stay silent, 1 to 60.", valueName: "n"))
    var timeoutMinutes: Int?

    @Option(
        help: ArgumentHelp(
            "The folder of sent mail. (default: the one the server marks)", valueName: "folder"))
    var sentFolder: String?

    @Option(
        help: ArgumentHelp(
            "Who puts sent mail into that folder: server, append (we do), or auto. (default: auto)",
            valueName: "who"))
    var sentCopy: String?

    @Option(
        help: ArgumentHelp(
            "A further folder to poll; may be given several times. Empty: none.", valueName: "folder"))
    var folder: [String] = []

    @Option(
        help: ArgumentHelp(
            "Older mail is recorded, not fetched: a day such as 2026-01-31. Empty: all is fetched.",
            valueName: "date"))
    var since: String?

    @Option(
        help: ArgumentHelp("A private certificate authority in PEM.", valueName: "file"), completion: .file())
    var caFile: String?

    @Option(
        help: ArgumentHelp(
            "A key that its servers may have, sha256/BASE64, whoever signed for it; may be given several "
                + "times. Empty: certificate authorities decide.", valueName: "pin"))
    var pin: [String] = []

    @Option(help: ArgumentHelp("socks5://, socks5h:// or http:// proxy.", valueName: "url"))
    var proxy: String?

    @Flag(
        inversion: .prefixedNo,
        help: "Whether a session stays open, so that new mail is filed when it comes.")
    var push: Bool?

    @Option(
        help: ArgumentHelp(
            "What the user's colleagues see of the mail in it: everything, people (and the subject) or "
                + "presence (that there was mail). (default: everything)", valueName: "what"))
    var colleaguesSee: Disclosure?

    func validate() throws {
        for (value, range, name) in [
            (imapPort, 1...65_535, "--imap-port"), (smtpPort, 1...65_535, "--smtp-port"),
            (pollMinutes, 1...1440, "--poll-minutes"), (timeoutMinutes, 1...60, "--timeout-minutes"),
        ] {
            if let value, !range.contains(value) {
                throw ValidationError(
                    "\(name) takes a number from \(range.lowerBound) to \(range.upperBound).")
            }
        }
        if let caFile, !caFile.isEmpty, !FileManager.default.isReadableFile(atPath: caFile) {
            throw ValidationError("--ca-file \(caFile) cannot be read.")
        }
        if pin != [""], let wrong = pin.first(where: { KeyPin($0) == nil }) {
            throw ValidationError("--pin \(wrong) is none; it is written sha256/BASE64.")
        }
        if let sentCopy, !AccountOptions.sentCopies.contains(sentCopy) {
            throw ValidationError("--sent-copy takes auto, server or append.")
        }
        if let since, !since.isEmpty, UnixTime(day: since) == nil {
            throw ValidationError("--since takes a day such as 2026-01-31.")
        }
    }

    var options: AccountOptions {
        var options = AccountOptions()
        options.user = user
        options.email = email
        options.preset = preset
        options.login = login
        options.imapHost = imapHost
        options.imapPort = imapPort
        options.imapSecurity = imapSecurity
        options.smtpHost = smtpHost
        options.smtpPort = smtpPort
        options.smtpSecurity = smtpSecurity
        options.pollMinutes = pollMinutes
        options.timeoutMinutes = timeoutMinutes
        options.sentFolder = sentFolder
        options.sentCopy = sentCopy
        options.folders = folder.isEmpty ? nil : folder
        options.since = since.flatMap(UnixTime.init(day:))
        options.fetchesOlder = since?.isEmpty == true
        // Later commands run from other directories.
        options.caFile = caFile.map { $0.isEmpty ? $0 : URL(fileURLWithPath: $0).standardizedFileURL.path }
        options.pins = pin.isEmpty ? nil : pin.compactMap { KeyPin($0) }
        options.proxy = proxy
        options.push = push
        options.colleaguesSee = colleaguesSee
        return options
    }
}
