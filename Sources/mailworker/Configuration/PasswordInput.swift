import Foundation
import MailModel

/// Reads a password from a file, standard input or the environment. The line's
/// end is not part of it; everything else, spaces included, is.
enum PasswordInput {
    /// - Parameter path: `-` reads one line of standard input.
    static func read(_ path: String) throws(MailFailure) -> Secret {
        let text: String?
        if path == "-" {
            text = Terminal.withoutEcho("Password (one line): ") { readLine(strippingNewline: true) }
        } else {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw MailFailure(
                    .passwordUnavailable, kind: .needsPerson, "The password file cannot be read",
                    detail: path,
                    remedy: "Check that it exists and that this user may read it.")
            }
            // A carriage return and line feed are one Character.
            text = String(data: data, encoding: .utf8).map {
                String($0.prefix { $0 != "\n" && $0 != "\r\n" })
            }
        }
        guard let text, !text.isEmpty else {
            throw MailFailure(
                .passwordUnavailable, kind: .needsPerson, "The password is empty", detail: path,
                remedy: "Put the password on the first line, in UTF-8.")
        }
        return Secret(text)
    }

    static func read(environment name: String) throws(MailFailure) -> Secret {
        guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else {
            throw MailFailure(
                .passwordUnavailable, kind: .needsPerson, "A password's environment variable is not set",
                detail: name, remedy: "Set it for the process, or name a password_file instead.")
        }
        return Secret(text)
    }
}

extension MailFailure.Code {
    /// A password could not be obtained from where the settings point.
    static let passwordUnavailable = Self("password-unavailable")
}
