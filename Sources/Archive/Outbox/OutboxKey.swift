import Crypto
import MailModel

/// The idempotency key of a mail: the same one is the same mail, also when the mail is erased by then. Callers make keys
/// out of addresses ("welcome-ADDRESS"), so that of an erased mail only a digest of its key stays.
struct OutboxKey {
    let text: String

    /// What stands in the place of the key.
    var digest: String {
        if text.wholeMatch(of: /erased:[0-9a-f]{64}/) != nil { return text }
        // A SHA-256 has 32 bytes.
        return "erased:" + Digest256(bytes: SHA256.hash(data: Array(text.utf8)))!.hex
    }
}
