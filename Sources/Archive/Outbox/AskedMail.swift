import Crypto
import Foundation

/// What is asked for under an idempotency key, to be told from another mail under the same key.
///
/// Two digests stand side by side in 32 bytes: of the words, and of the words with the files. A file that cannot be read
/// any more is no other mail, so that whoever repeats a request after its files are gone hears of the one that was queued.
/// Without files it is the digest of the words alone, as earlier versions stored it of every mail.
public struct AskedMail: Sendable, Hashable {
    private static let half = 16

    private let words: [UInt8]
    /// Nil where they cannot be read.
    private let files: [UInt8]?

    /// - Parameters:
    ///   - words: the options, texts and paths, the same each time that they are asked for.
    ///   - files: the SHA-256 of each file's content, in order; nil where one cannot be read now.
    public init(words: [UInt8], files: [[UInt8]]? = []) {
        let own = Array(SHA256.hash(data: words))
        self.words = own
        self.files = files.map { files in
            files.isEmpty ? own : Array(SHA256.hash(data: own + files.flatMap(\.self)))
        }
    }

    /// What is stored of it.
    var digest: Data { Data(words.prefix(Self.half) + (files ?? words).suffix(Self.half)) }

    /// Whether a mail that was stored is this one.
    func isThat(of stored: Data) -> Bool {
        guard stored.prefix(Self.half).elementsEqual(words.prefix(Self.half)) else { return false }
        let rest = stored.suffix(Self.half)
        // An earlier version did not look at the files.
        return files == nil || rest.elementsEqual((files ?? words).suffix(Self.half))
            || rest.elementsEqual(words.suffix(Self.half))
    }
}
