import Crypto
import Foundation

/// The proof key of one authorization (PKCE, RFC 7636): whoever intercepts the code cannot use it.
struct ProofKey: Sendable {
    /// Stays here until the code is exchanged.
    let verifier: String

    init() { verifier = Self.randomText(bytes: 32) }

    init(verifier: String) { self.verifier = verifier }

    /// S256 of the verifier (RFC 7636, 4.2).
    var challenge: String { Self.base64URL(Data(SHA256.hash(data: Data(verifier.utf8)))) }

    /// Unguessable text of URL-safe characters.
    static func randomText(bytes count: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return base64URL(Data((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
}
