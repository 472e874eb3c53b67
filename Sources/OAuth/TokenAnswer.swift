import Foundation
public import MailModel

/// An access token with its lifetime, as the token endpoint hands it out (RFC 6749, 5.1).
public struct IssuedToken: Sendable, Hashable {
    public var accessToken: Secret
    /// Present in an authorization, and in a refresh by providers that renew it each time.
    public var refreshToken: Secret?
    public var lifetimeSeconds: Int

    public init(accessToken: Secret, refreshToken: Secret?, lifetimeSeconds: Int) {
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.lifetimeSeconds = lifetimeSeconds
    }
}

/// Reads what an authorization server answers: the one place where its error codes become failures.
enum TokenAnswer {
    /// Where nothing is said (RFC 6749 leaves it open): short enough for every provider known.
    private static let assumedLifetimeSeconds = 600

    /// The fields of an answer that are text or numbers.
    static func fields(_ body: [UInt8]) -> [String: String]? {
        guard let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
            return nil
        }
        return object.compactMapValues { value in
            if let text = value as? String { return text }
            // Some providers write numbers as text, so text is what everything becomes.
            return (value as? NSNumber)?.stringValue
        }
    }

    static func token(_ status: Int, _ body: [UInt8], sent secrets: [Secret]) throws(MailFailure)
        -> IssuedToken
    {
        let fields = fields(body)
        guard status == 200, let fields, fields["error"] == nil else {
            throw failure(status, fields, sent: secrets)
        }
        guard let access = fields["access_token"], isToken(access) else { throw unreadable(status) }
        let refresh = fields["refresh_token"].flatMap { isToken($0) ? Secret($0) : nil }
        let lifetime = fields["expires_in"].flatMap { Double($0) } ?? Double(assumedLifetimeSeconds)
        return IssuedToken(
            accessToken: Secret(access), refreshToken: refresh,
            // Not longer than a day on our account, and never negative: clocks and servers err.
            lifetimeSeconds: lifetime.isNaN ? 0 : Int(min(max(lifetime, 0), 86_400)))
    }

    /// What goes into a header or a SASL response must not be able to end it.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 16 << 10 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// RFC 6749, 5.2, and RFC 8628, 3.5.
    static func failure(_ status: Int, _ fields: [String: String]?, sent secrets: [Secret]) -> MailFailure {
        let code = fields?["error"] ?? ""
        let words = [code, fields?["error_description"] ?? ""].filter { !$0.isEmpty }
        var detail = printable("HTTP \(status), " + words.joined(separator: ": "))
        // A server that quotes what it was sent would put a secret on the terminal.
        let quotes = secrets.contains { $0.withRevealed { !$0.isEmpty && detail.contains($0) } }
        if quotes { detail = "HTTP \(status)" }
        switch code {
        case "invalid_grant", "expired_token":
            return MailFailure(
                .authorizationRevoked, kind: .credential, "The mailbox's authorization is no longer valid",
                detail: detail, remedy: "Its user has to authorize it again.")
        case "access_denied":
            return MailFailure(
                .authorizationRefused, kind: .needsPerson, "The mailbox was not authorized", detail: detail,
                remedy: "Run the command again and allow the access in the browser.")
        case "invalid_client", "unauthorized_client":
            return MailFailure(
                .oauthConfiguration, kind: .needsPerson, "The OAuth provider does not know this program",
                detail: detail, remedy: "Correct client_id and client_secret_file in the configuration.")
        case "invalid_request", "invalid_scope", "unsupported_grant_type":
            return MailFailure(
                .oauthConfiguration, kind: .needsPerson, "The OAuth provider refused the request",
                detail: detail,
                remedy: "Check endpoints and scope in the configuration, and the application's permissions"
                    + " at the provider.")
        case "authorization_pending", "slow_down":
            return MailFailure(
                .authorizationPending, kind: .transient, "The user has not answered yet", detail: code)
        default:
            if (400..<429).contains(status), fields != nil, !code.isEmpty,
                !["temporarily_unavailable", "server_error"].contains(code)
            {
                return MailFailure(
                    .oauthConfiguration, kind: .needsPerson, "The OAuth provider refused the request",
                    detail: detail, remedy: "Check the [oauth] part of the configuration.")
            }
            return MailFailure(
                .tokenServiceBusy, kind: .transient, "The OAuth provider gave no token", detail: detail,
                remedy: "It is tried again later; if it stays so, check the token_url in the configuration.")
        }
    }

    static func unreadable(_ status: Int) -> MailFailure {
        MailFailure(
            .tokenServiceBusy, kind: .transient, "The OAuth provider's answer could not be understood",
            detail: "HTTP \(status)", remedy: "Check the token_url in the configuration.")
    }

    /// Short, and without what could steer a terminal or break a line of a log.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(500).map {
                    $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) ? " " : $0
                }))
    }
}

extension MailFailure.Code {
    /// The refresh token is worth nothing any more: revoked, expired, or the password was changed.
    public static let authorizationRevoked = Self("authorization-revoked")
    /// The user or the provider said no, or nobody answered in time.
    public static let authorizationRefused = Self("authorization-refused")
    /// The device flow waits for its user.
    static let authorizationPending = Self("authorization-pending")
    /// The `[oauth]` part of the configuration does not fit the provider.
    public static let oauthConfiguration = Self("oauth-configuration")
    /// The token endpoint gave no token for reasons of its own.
    public static let tokenServiceBusy = Self("token-service-busy")
}
