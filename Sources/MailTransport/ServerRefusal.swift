public import MailModel

/// What a server's own words of refusal mean: the response codes of RFC 5530, the enhanced status
/// codes of RFC 3463, and the sentences of the large providers.
///
/// One table for IMAP and SMTP, at login and later, because providers use the same sentences in both.
public enum ServerRefusal: String, Sendable, Hashable, CaseIterable {
    case loginRefused
    case appPasswordNeeded
    case webLoginNeeded
    /// The mailbox is there, and mail programs are not let in.
    case accessDisabled
    /// The provider has shut the mailbox.
    case accountLocked
    case serverBusy
    case tooManyConnections
    /// The server names its administrator as the one who must act.
    case administratorNeeded

    /// The first row that fits decides, so the more telling rows come first.
    private static let table: [(words: String, meaning: ServerRefusal)] = [
        ("application-specific password", .appPasswordNeeded),
        ("application password", .appPasswordNeeded),
        ("app password", .appPasswordNeeded),
        ("app-specific password", .appPasswordNeeded),
        ("5.7.9", .appPasswordNeeded),
        ("parol prilozheniya", .appPasswordNeeded),
        ("пароль приложения", .appPasswordNeeded),
        ("пароль для внешн", .appPasswordNeeded),
        ("[contactadmin]", .administratorNeeded),
        ("[webalert", .webLoginNeeded),
        ("web browser", .webLoginNeeded),
        ("web login required", .webLoginNeeded),
        ("accept eula", .webLoginNeeded),
        ("через веб-интерфейс", .webLoginNeeded),
        // Yandex says one sentence for both; a wrong password is the more frequent.
        ("invalid credentials or imap is disabled", .loginRefused),
        ("not enabled for imap", .accessDisabled),
        ("imap access is disabled", .accessDisabled),
        ("imap is disabled", .accessDisabled),
        ("imap disabled", .accessDisabled),
        ("enable imap", .accessDisabled),
        ("does not have access rights to this service", .accessDisabled),
        ("smtpclientauthentication is disabled", .accessDisabled),
        ("basic authentication is disabled", .accessDisabled),
        ("доступ по imap", .accessDisabled),
        ("imap отключ", .accessDisabled),
        ("account is locked", .accountLocked),
        ("account has been locked", .accountLocked),
        ("account is disabled", .accountLocked),
        ("account has been disabled", .accountLocked),
        ("account disabled", .accountLocked),
        ("account is blocked", .accountLocked),
        ("user is blocked", .accountLocked),
        ("user blocked", .accountLocked),
        ("account suspended", .accountLocked),
        ("ящик заблокирован", .accountLocked),
        ("аккаунт заблокирован", .accountLocked),
        ("пользователь заблокирован", .accountLocked),
        ("too many simultaneous connections", .tooManyConnections),
        ("too many connections", .tooManyConnections),
        ("too many sessions", .tooManyConnections),
        ("maximum number of connections", .tooManyConnections),
        ("connection limit", .tooManyConnections),
        ("session limit", .tooManyConnections),
        ("слишком много одновременных", .tooManyConnections),
        ("слишком много соединений", .tooManyConnections),
        ("слишком много подключений", .tooManyConnections),
        ("bandwidth limit", .serverBusy),
        ("[unavailable]", .serverBusy),
        ("[inuse]", .serverBusy),
        ("[limit]", .serverBusy),
        ("[throttled]", .serverBusy),
        ("[overquota]", .serverBusy),
        ("[serverbug]", .serverBusy),
        ("[authenticationfailed]", .loginRefused),
        ("[authorizationfailed]", .loginRefused),
        ("[expired]", .loginRefused),
        ("[privacyrequired]", .loginRefused),
        ("5.7.8", .loginRefused),
        ("4.7.", .serverBusy),
        ("try again later", .serverBusy),
        ("try later", .serverBusy),
        ("temporar", .serverBusy),
        ("rate limit", .serverBusy),
        ("throttl", .serverBusy),
        ("too many", .serverBusy),
        ("timed out", .serverBusy),
        ("слишком много", .serverBusy),
        ("слишком часто", .serverBusy),
        ("превышен", .serverBusy),
        ("попробуйте позже", .serverBusy),
        ("повторите попытку", .serverBusy),
        ("временно", .serverBusy),
        ("invalid credentials", .loginRefused),
        ("incorrect username or password", .loginRefused),
        ("invalid user or password", .loginRefused),
        ("invalid login or password", .loginRefused),
        ("username and password not accepted", .loginRefused),
        ("неверн", .loginRefused),
        ("неправильн", .loginRefused),
        ("authentication failed", .loginRefused),
        ("login failed", .loginRefused),
        ("535", .loginRefused),
    ]

    /// A server that is in trouble itself refuses sign-ins in these words, and with the same result as a wrong password.
    private static let troublesAtSignIn = [
        "unavailable", "internal error", "internal server error", "server error", "system error",
        "внутренняя ошибка", "ошибка сервера", "недоступ",
    ]

    /// What refused a sign-in: a wrong login or password, unless the words say otherwise.
    init(ofSignIn text: String) {
        if let known = ServerRefusal(reading: text) {
            self = known
        } else {
            let lowered = text.lowercased()
            self = Self.troublesAtSignIn.contains { lowered.contains($0) } ? .serverBusy : .loginRefused
        }
    }

    /// Nil when the words say nothing known.
    /// - Parameter text: the refusing replies, as the server wrote them.
    public init?(reading text: String) {
        let lowered = text.lowercased()
        guard let row = Self.table.first(where: { Self.says(lowered, $0.words) }) else { return nil }
        self = row.meaning
    }

    /// Whether the words stand in the text. Codes count as such only, and not as digits of an identifier or an address.
    private static func says(_ text: String, _ words: String) -> Bool {
        guard words.utf8.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ".") }) else {
            return text.contains(words)
        }
        let bytes = Array(text.utf8)
        let code = Array(words.utf8)
        guard bytes.count >= code.count else { return false }
        return (0...(bytes.count - code.count)).contains { start in
            bytes[start..<start + code.count].elementsEqual(code)
                && (start == 0 || isSeparator(bytes[start - 1]))
                && isEnd(of: code, bytes[(start + code.count)...])
        }
    }

    /// Whether a code ends here: one that ends in a point goes on with its last number.
    private static func isEnd(of code: [UInt8], _ rest: ArraySlice<UInt8>) -> Bool {
        let rest = code.last == UInt8(ascii: ".") ? rest.drop(while: isDigit) : rest
        guard let next = rest.first else { return true }
        if next == UInt8(ascii: ".") { return rest.dropFirst().first.map(isDigit) != true }
        return isSeparator(next) || next == UInt8(ascii: "-")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// What may stand before a code: a blank, a bracket, or the hyphen behind a reply's number.
    private static func isSeparator(_ byte: UInt8) -> Bool { " \t-#([<:;,)]>".utf8.contains(byte) }

    /// The failure to show, with the server's own words in its detail, and the delay that they ask for.
    public func failure(detail: String) -> MailFailure {
        switch self {
        case .loginRefused:
            MailFailure(
                .loginRefused, kind: .credential, "The server refused the login or password", detail: detail,
                remedy:
                    "Check the login (usually the full address) and the password. Yandex, Mail.ru and Gmail"
                    + " accept only an app password made in the account's security settings, and want IMAP"
                    + " switched on in the mailbox's settings.")
        case .appPasswordNeeded:
            MailFailure(
                .appPasswordNeeded, kind: .credential, "The server wants an app password", detail: detail,
                remedy: "Make an app password in the mailbox's security settings and enter it instead of the"
                    + " ordinary password.")
        case .webLoginNeeded:
            MailFailure(
                .webLoginNeeded, kind: .credential,
                "The provider wants its user to sign in with a browser first",
                detail: detail,
                remedy:
                    "Sign in to the mailbox in a browser, confirm that it was you, and use an app password.")
        case .accessDisabled:
            MailFailure(
                .accessDisabled, kind: .credential, "The mailbox does not let mail programs in",
                detail: detail,
                remedy:
                    "Switch IMAP, and SMTP for sending, on in the mailbox's settings, or have the domain's"
                    + " administrator allow them.")
        case .accountLocked:
            MailFailure(
                .accountLocked, kind: .credential, "The provider has locked the mailbox", detail: detail,
                remedy: "Sign in to the mailbox in a browser and do what the provider asks for there.")
        case .serverBusy:
            MailFailure(
                .serverBusy, kind: .transient, "The server is busy or limits this account for now",
                detail: detail, remedy: "It is tried again later by itself.",
                retryAfterSeconds: StatedDelay.seconds(in: detail))
        case .tooManyConnections:
            MailFailure(
                .tooManyConnections, kind: .transient,
                "The server allows no more connections to this account",
                detail: detail,
                remedy: "It is tried again later; other mail programs of this user count too.",
                retryAfterSeconds: StatedDelay.seconds(in: detail))
        case .administratorNeeded:
            MailFailure(
                .loginRefused, kind: .needsPerson, "The server asks to contact its administrator",
                detail: detail, remedy: "Ask the mail server's administrator about this account.")
        }
    }
}

/// Collects what the server said while libcurl signed in, of which libcurl itself tells nothing.
struct LoginTranscript {
    private(set) var bytes: [UInt8] = []
    /// The refusals come last; a longer dialogue than this is not a login.
    private static let limit = 16 << 10

    mutating func append(_ line: UnsafeRawBufferPointer) {
        if bytes.count + line.count > Self.limit { bytes.removeAll(keepingCapacity: true) }
        bytes.append(contentsOf: line.prefix(Self.limit))
    }

    var isEmpty: Bool { bytes.isEmpty }

    /// Whether IMAP's AUTH=GSSAPI is among the capabilities, and no mechanism has come as far as a
    /// continuation (RFC 9051, 6.2.2): no password was sent.
    var offersKerberosAndChallengedNobody: Bool {
        let lines = String(decoding: bytes, as: UTF8.self).uppercased().split(whereSeparator: \.isNewline)
        return lines.contains { $0.contains(" AUTH=GSSAPI") } && !lines.contains { $0.hasPrefix("+") }
    }

    /// Whether SMTP's AUTH has succeeded (RFC 4954, 6).
    var hasAuthenticated: Bool {
        String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).contains {
            $0.hasPrefix("235")
        }
    }

    /// The replies that refuse something, joined by spaces: NO, BAD and BYE of IMAP, and the 4xx
    /// and 5xx of SMTP. Other lines (a greeting, capabilities) must not be mistaken for a reason.
    func refusals(_ mailProtocol: MailProtocol) -> String {
        var kept: [String] = []
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            switch mailProtocol {
            case .imap:
                let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
                guard words.count >= 2, ["NO", "BAD", "BYE"].contains(words[1].uppercased()) else { continue }
                // Without the tag, which means nothing to a reader.
                kept.append(words.dropFirst().joined(separator: " "))
            case .smtp:
                guard let first = line.utf8.first, first == UInt8(ascii: "4") || first == UInt8(ascii: "5"),
                    line.utf8.prefix(3).allSatisfy({ (0x30...0x39).contains($0) })
                else { continue }
                kept.append(String(line))
            }
        }
        return kept.joined(separator: " ")
    }
}
