import Archive
import Foundation

/// Who acts: the person at this terminal, as far as the system knows it. What only the environment says stands beside
/// that, and never instead of it: anybody can set a variable.
struct Actor {
    /// The user that this process runs as.
    var account: String
    /// The user who signed in, as the kernel has kept it since (/proc/self/loginuid); nil for services and where it
    /// is not kept.
    var login: String?
    /// Who says to have come by sudo; nil when there is no such user.
    var sudoer: String?
    /// The machine from which a person is signed in, else the terminal.
    var origin: String

    /// - Parameter isUser: whether the machine has a user of that name.
    init(
        account: String, login: String?, terminal: String?, environment: [String: String],
        isUser: (String) -> Bool
    ) {
        self.account = account
        self.login = login == account ? nil : login
        sudoer = environment["SUDO_USER"].flatMap { $0 != account && $0 != login && isUser($0) ? $0 : nil }
        let peer = environment["SSH_CONNECTION"]?.split(separator: " ").first.map(String.init)
        origin = peer.flatMap { Self.isAddress($0) ? "ssh from \($0)" : nil } ?? terminal ?? "no terminal"
    }

    /// The name of whoever signed in.
    var person: String { login ?? account }

    /// The account that acts, and how one came to it.
    var systemUser: String {
        let ways = [login.map { "signed in as \($0)" }, sudoer.map { "sudo by \($0)" }].compactMap { $0 }
        return ways.isEmpty ? account : "\(account) (\(ways.joined(separator: ", ")))"
    }

    static var present: Actor {
        Actor(
            account: name(of: getuid()) ?? "uid \(getuid())", login: signedIn,
            terminal: ttyname(STDIN_FILENO).map { String(cString: $0) },
            environment: ProcessInfo.processInfo.environment, isUser: { getpwnam($0) != nil })
    }

    /// The name that stands with a decision: the CRM's user when one was named.
    static var name: String { Act.current?.person ?? present.person }

    /// How what was just done is taken back, for the end of a sentence; empty when it cannot be.
    static var wayBack: String {
        if let undo = Act.current?.undo { return "; to take it back: mailworker undo \(undo)" }
        return Act.current?.isTooLargeToUndo == true ? "; it is too large to be taken back" : ""
    }

    private static func name(of user: uid_t) -> String? {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) }
    }

    private static var signedIn: String? {
        guard let file = FileHandle(forReadingAtPath: "/proc/self/loginuid"),
            let bytes = try? file.readToEnd(),
            let user = uid_t(
                String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)),
            user != .max
        else { return nil }
        return name(of: user) ?? "uid \(user)"
    }

    /// Of either family, with the zone that a link-local one may have.
    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.count == 1 || parts[1].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }) else {
            return false
        }
        var address = in6_addr()
        return inet_pton(AF_INET6, parts[0], &address) == 1
            || parts.count == 1 && inet_pton(AF_INET, text, &address) == 1
    }
}
