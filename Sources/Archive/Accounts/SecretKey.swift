import Crypto
import Foundation
public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// The key that seals secrets at rest: 32 bytes that are never stored in the archive.
public struct SecretKey: Sendable {
    private let key: SymmetricKey

    /// A new random key.
    public init() { key = SymmetricKey(size: .bits256) }

    /// Reads 32 bytes written as 64 hexadecimal digits or as base64.
    ///
    /// - Throws: `key.malformed`.
    public init(text: String) throws(MailFailure) {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if let digest = Digest256(hex: trimmed) {
            key = SymmetricKey(data: digest.bytes)
        } else if let data = Data(base64Encoded: trimmed), data.count == 32 {
            key = SymmetricKey(data: data)
        } else {
            throw MailFailure(
                .keyMalformed, kind: .needsPerson, "The key is not 32 bytes in hexadecimal or base64",
                remedy: "Use the key that mailworker init wrote, or the output of: openssl rand -base64 32")
        }
    }

    /// Reads a key from a file that nobody but its owner may read.
    ///
    /// - Throws: `key.unreadable`, `key.open-to-others`, `key.malformed`.
    public init(file path: String) throws(MailFailure) {
        // Without waiting: nobody may ever write into a pipe of that name.
        let descriptor = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw MailFailure(
                .keyUnreadable, kind: .needsPerson, "The key file cannot be read",
                detail: "\(path): \(String(cString: strerror(errno)))",
                remedy: "Check the path in the configuration and that the file belongs to the user that "
                    + "runs mailworker.")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw MailFailure(
                .keyUnreadable, kind: .needsPerson, "The key file cannot be read", detail: path,
                remedy: "Name a file, not a directory or anything else.")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw MailFailure(
                .keyOpenToOthers, kind: .needsPerson, "The key file may be read by other users",
                detail: path, remedy: "Run: chmod 600 on that file.")
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        guard count >= 0 else {
            throw MailFailure(
                .keyUnreadable, kind: .needsPerson, "The key file cannot be read", detail: path,
                remedy: "Check the disk that it lies on.")
        }
        try self.init(text: String(decoding: buffer[..<count], as: UTF8.self))
    }

    /// Makes a random key and writes it into a new file that only its owner can read.
    ///
    /// - Throws: when the file exists or cannot be made.
    public static func create(file path: String) throws(MailFailure) -> SecretKey {
        let key = SecretKey()
        let text = Array((key.key.withUnsafeBytes { Data($0) }.base64EncodedString() + "\n").utf8)
        do throws(MailFailure) {
            try DurableFile.create(path, text, mode: 0o600)
        } catch {
            guard error.code == .archiveExists else { throw error }
            throw MailFailure(
                .archiveExists, kind: .permanent, "There is a key file already", detail: path,
                remedy: "Keep it: secrets sealed with it cannot be opened with another.")
        }
        return key
    }

    /// AES-GCM with a random nonce; `context` is authenticated, so that a sealed
    /// value cannot be moved to another place.
    func seal(_ bytes: [UInt8], for context: String) throws(MailFailure) -> [UInt8] {
        guard
            let box = try? AES.GCM.seal(bytes, using: key, authenticating: Array(context.utf8)),
            let combined = box.combined
        else { throw Self.wrong }
        return Array(combined)
    }

    func open(_ sealed: [UInt8], for context: String) throws(MailFailure) -> [UInt8] {
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let bytes = try? AES.GCM.open(box, using: key, authenticating: Array(context.utf8))
        else { throw Self.wrong }
        return Array(bytes)
    }

    static let wrong = MailFailure(
        .keyWrong, kind: .needsPerson, "The key does not belong to this archive",
        remedy: "Put back the key that was made with the archive. If it is lost, move the other away, run "
            + "mailworker init --new-key, and enter every account's password again.")

    static let missing = MailFailure(
        .keyMissing, kind: .needsPerson, "The archive was opened without its key",
        remedy: "Name the key file in the configuration.")
}

extension SecretKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "(key)" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
