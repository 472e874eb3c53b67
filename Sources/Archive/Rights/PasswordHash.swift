import Crypto
import CryptoExtras
import Foundation
public import MailModel

/// What a password must be. Pure.
public enum PasswordRule {
    public static let minimumLength = 10
    public static let maximumLength = 1000

    /// - Throws: `value.invalid`, naming everything that is missing.
    public static func check(_ password: Secret) throws(MailFailure) {
        let text = password.withRevealed { $0 }
        guard text.count <= maximumLength else {
            throw .invalid("The password is too long", remedy: "Use at most \(maximumLength) characters.")
        }
        var missing: [String] = []
        if text.count < minimumLength { missing.append("\(minimumLength) characters") }
        if !text.contains(where: \.isNumber) { missing.append("a digit") }
        if !text.contains(where: \.isUppercase) { missing.append("an upper case letter") }
        if !text.contains(where: \.isLowercase) { missing.append("a lower case letter") }
        guard missing.isEmpty else {
            throw .invalid(
                "The password is too weak", "it lacks \(missing.joined(separator: ", "))",
                remedy: "Use at least \(minimumLength) characters with digits, upper and lower case.")
        }
    }
}

/// A password as it is kept: scrypt (RFC 7914) with a salt of its own, and the costs, so that
/// they can be raised without anybody's password being lost.
struct PasswordHash: Equatable {
    /// 2^15 blocks of 8: 32 MB each, three times: what OWASP asks for.
    private static let costs = (logRounds: 15, blockSize: 8, parallelism: 3)
    private static let keyBytes = 32

    private var logRounds, blockSize, parallelism: Int
    private var salt, key: [UInt8]

    init(_ password: Secret) throws {
        var generator = SystemRandomNumberGenerator()
        salt = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        (logRounds, blockSize, parallelism) = Self.costs
        key = []
        key = try derive(password)
    }

    init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "scrypt", let logRounds = Int(parts[1]),
            (10...20).contains(logRounds), let blockSize = Int(parts[2]), (1...32).contains(blockSize),
            let parallelism = Int(parts[3]), (1...16).contains(parallelism),
            let salt = Data(base64Encoded: String(parts[4])), let key = Data(base64Encoded: String(parts[5])),
            key.count == Self.keyBytes
        else { return nil }
        self.logRounds = logRounds
        self.blockSize = blockSize
        self.parallelism = parallelism
        self.salt = Array(salt)
        self.key = Array(key)
    }

    var text: String {
        "scrypt$\(logRounds)$\(blockSize)$\(parallelism)$\(Data(salt).base64EncodedString())$"
            + Data(key).base64EncodedString()
    }

    /// Takes the same time wherever the two begin to differ.
    func matches(_ password: Secret) throws -> Bool {
        zip(try derive(password), key).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func derive(_ password: Secret) throws -> [UInt8] {
        // One password, however the keyboard composes its letters.
        let bytes = password.withRevealed { Array($0.precomposedStringWithCanonicalMapping.utf8) }
        return try KDF.Scrypt.deriveKey(
            from: bytes, salt: salt, outputByteCount: Self.keyBytes, rounds: 1 << logRounds,
            blockSize: blockSize, parallelism: parallelism
        ).withUnsafeBytes { Array($0) }
    }
}
