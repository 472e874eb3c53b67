public import MailModel

/// What an account signs in with, as it is kept.
public enum StoredCredential: Sendable, Hashable {
    case password(Secret)
    /// Of OAuth 2.0 (RFC 6749, 1.5): worth nothing at the mail server, and exchanged for access tokens.
    case refreshToken(Secret)

    public enum Kind: String, Sendable, Codable {
        case password
        case refreshToken = "refresh-token"
    }

    public var kind: Kind {
        switch self {
        case .password: .password
        case .refreshToken: .refreshToken
        }
    }

    var secret: Secret {
        switch self {
        case .password(let secret), .refreshToken(let secret): secret
        }
    }
}
