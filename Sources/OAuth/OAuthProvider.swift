public import MailModel

/// Who hands out the tokens of a mailbox: an authorization server (RFC 6749), with what is known of it.
public enum OAuthProvider: String, Sendable, Hashable, CaseIterable {
    case google
    case yandex
    case mailru
    /// Any other server: its endpoints are the configuration's.
    case custom

    /// What the provider's documentation names; the configuration may override each.
    public var endpoints: OAuthEndpoints {
        switch self {
        case .google:
            OAuthEndpoints(
                authorization: "https://accounts.google.com/o/oauth2/v2/auth",
                token: "https://oauth2.googleapis.com/token",
                // Google's device flow exists, and refuses the scope of mail.
                deviceAuthorization: nil, scope: "https://mail.google.com/")
        case .yandex:
            OAuthEndpoints(
                authorization: "https://oauth.yandex.ru/authorize", token: "https://oauth.yandex.ru/token",
                deviceAuthorization: "https://oauth.yandex.ru/device/code",
                scope: "mail:imap_full mail:smtp")
        case .mailru:
            OAuthEndpoints(
                authorization: "https://o2.mail.ru/login", token: "https://o2.mail.ru/token",
                deviceAuthorization: nil, scope: "mail.imap")
        case .custom:
            OAuthEndpoints(authorization: nil, token: nil, deviceAuthorization: nil, scope: nil)
        }
    }

    /// Parameters of the authorization request beyond the standard's.
    var authorizationParameters: [(name: String, value: String)] {
        switch self {
        // Without them Google gives a refresh token on the first consent only, or none.
        case .google: [("access_type", "offline"), ("prompt", "consent")]
        case .yandex, .mailru, .custom: []
        }
    }

    /// How the device code is presented to the token endpoint: RFC 8628, 3.4, or Yandex's own way.
    var deviceGrant: (type: String, codeParameter: String) {
        switch self {
        case .yandex: ("device_code", "code")
        case .google, .mailru, .custom: ("urn:ietf:params:oauth:grant-type:device_code", "device_code")
        }
    }

    /// Where an administrator registers this program and gets its client id; nil for `custom`.
    public var registrationHelp: String? {
        switch self {
        case .google:
            "Make an OAuth client of the type Desktop app at https://console.cloud.google.com/apis/credentials"
        case .yandex: "Register an application at https://oauth.yandex.ru/client/new"
        case .mailru: "Register an application at https://o2.mail.ru/app/"
        case .custom: nil
        }
    }
}

/// Where an authorization server is asked, and for what.
public struct OAuthEndpoints: Sendable, Hashable {
    /// Opened in the user's browser.
    public var authorization: String?
    public var token: String?
    /// Nil where the provider offers no device flow (RFC 8628) for mail.
    public var deviceAuthorization: String?
    public var scope: String?
}

/// This program as it is registered with a provider.
public struct OAuthClient: Sendable, Hashable {
    public var provider: OAuthProvider
    public var id: String
    /// Nil for a public client (RFC 6749, 2.1).
    public var secret: Secret?
    public var endpoints: OAuthEndpoints
    /// The loopback port that the browser is sent back to; 0 takes a free one, which a provider accepts
    /// only when it follows RFC 8252, 7.3.
    public var redirectPort: UInt16

    public init(
        provider: OAuthProvider, id: String, secret: Secret? = nil, endpoints: OAuthEndpoints? = nil,
        redirectPort: UInt16 = 0
    ) {
        self.provider = provider
        self.id = id
        self.secret = secret
        self.endpoints = endpoints ?? provider.endpoints
        self.redirectPort = redirectPort
    }

    func endpoint(_ url: String?, _ key: String) throws(MailFailure) -> String {
        if let url, !url.isEmpty { return url }
        throw MailFailure(
            .oauthConfiguration, kind: .needsPerson, "An endpoint of the OAuth provider is not known",
            detail: "oauth.\(provider.rawValue).\(key)",
            remedy: "Set it in the configuration, under [oauth.\(provider.rawValue)].")
    }

    /// Both parts of the client's identification in the request's body (RFC 6749, 2.3.1).
    var identification: [(name: String, value: Secret)] {
        var parameters: [(name: String, value: Secret)] = [("client_id", Secret(id))]
        if let secret { parameters.append(("client_secret", secret)) }
        return parameters
    }
}
