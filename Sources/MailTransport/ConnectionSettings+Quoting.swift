import Foundation
import MailModel

extension ConnectionSettings {
    /// The failure without the server's words, where they quote the secret: some servers repeat the command that they
    /// refuse, and a failure is stored and shown.
    func withoutSecret(_ failure: MailFailure) -> MailFailure {
        guard let detail = failure.detail, isQuoted(in: detail) else { return failure }
        var failure = failure
        failure.detail = "\(endpoint.host):\(endpoint.port)"
        return failure
    }

    /// Whether the words hold the secret in a form in which it is sent, or the beginning of one: a server may cut what it
    /// repeats.
    private func isQuoted(in words: String) -> Bool {
        secret.withRevealed { secret in
            guard !secret.isEmpty else { return false }
            // Within quotation marks of IMAP (RFC 9051, 4.3) as well.
            let quoted = secret.replacingOccurrences(of: "\\", with: "\\\\")
                .replacingOccurrences(of: "\"", with: "\\\"")
            if words.contains(secret) || words.contains(quoted) { return true }
            var forms = [secret, "\0\(login)\0\(secret)", "\(login)\0\(login)\0\(secret)"]
                .map { Data($0.utf8).base64EncodedString() }
            forms += SASLMechanism.allCases.map {
                $0.response(login: login, token: secret, endpoint: endpoint)
            }
            forms.append(secret)
            return words.split(whereSeparator: { " \t\"'<>()[]{},;:".contains($0) }).contains { word in
                let beginning = word.prefix(Self.shortestPart)
                return beginning.count == Self.shortestPart && forms.contains { $0.contains(beginning) }
            }
        }
    }

    /// Fewer characters may stand in words and in a secret by chance.
    private static let shortestPart = 8
}
