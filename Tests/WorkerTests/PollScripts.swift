import MailTestKit

/// The parts of which a server's side of a poll is made.
enum PollScripts {
    typealias Steps = [IMAPScript.Step]

    static func script(_ parts: Steps...) -> IMAPScript {
        IMAPScript([.opening(capabilities: "IMAP4rev1")] + parts.flatMap { $0 })
    }

    /// The usual case: INBOX is all there is.
    static func inbox(
        validity: Int = 7, exists: Int, next: Int, _ parts: Steps...
    ) -> IMAPScript {
        IMAPScript(
            [.opening(capabilities: "IMAP4rev1")] + folders("INBOX")
                + examine("INBOX", validity: validity, exists: exists, next: next) + parts.flatMap { $0 })
    }

    static func folders(_ names: String...) -> Steps {
        [.expect("LIST")] + names.map { .send("* LIST () \"/\" \"\($0)\"") } + [done]
    }

    static func examine(_ name: String, validity: Int = 7, exists: Int, next: Int) -> Steps {
        [
            .expect("EXAMINE \"\(name)\""), .send("* \(exists) EXISTS"),
            .send("* OK [UIDVALIDITY \(validity)] valid"), .send("* OK [UIDNEXT \(next)] next"),
            .send("$T OK [READ-ONLY] done"),
        ]
    }

    /// EXAMINE of INBOX on a server that can tell what has vanished since a mark.
    static func reexamine(since sequence: Int, to next: Int, exists: Int, uidNext: Int, vanished: String)
        -> Steps
    {
        [
            .expect("EXAMINE \"INBOX\" (QRESYNC (7 \(sequence)))"), .send("* \(exists) EXISTS"),
            .send("* OK [UIDVALIDITY 7] valid"), .send("* OK [UIDNEXT \(uidNext)] next"),
            .send("* OK [HIGHESTMODSEQ \(next)] highest"), .send("* VANISHED (EARLIER) \(vanished)"),
            .send("$T OK [READ-ONLY] done"),
        ]
    }

    /// - Parameter gone: the number of a message of which the server tells now that it is gone.
    static func search(_ uids: String, gone: Int? = nil) -> Steps {
        [.expect("UID SEARCH ALL"), .send("* SEARCH \(uids)")]
            + (gone.map { [.send("* \($0) EXPUNGE")] } ?? []) + [done]
    }

    /// What is asked where a search has named fewer messages than there are.
    static func askedByNumber(_ uids: [Int]) -> Steps {
        [.expect("NOOP"), done, .expect("FETCH 1:* (UID)")]
            + uids.enumerated().map { .send("* \($0 + 1) FETCH (UID \($1))") } + [done]
    }

    /// - Parameter day: of the arrival.
    static func metadata(_ set: String, _ uids: [Int], size: Int = 10, day: String = "06-May-2024") -> Steps {
        [.expect("UID FETCH \(set) (UID RFC822.SIZE")]
            + uids.map {
                .send("* \($0) FETCH (UID \($0) RFC822.SIZE \(size) INTERNALDATE \"\(day) 10:00:00 +0000\")")
            } + [done]
    }

    /// - Parameter numbers: of the fixture's messages, where they are not the UIDs.
    static func bodies(_ set: String, _ uids: [Int], numbers: [Int]? = nil, padding: Int = 0) -> Steps {
        [asked(set)] + zip(uids, numbers ?? uids).map { body($0, number: $1, padding: padding) } + [done]
    }

    static func asked(_ set: String) -> IMAPScript.Step {
        .expect("UID FETCH \(set) (UID INTERNALDATE BODY.PEEK[])")
    }

    static func askedPiece(_ uid: Int, from offset: Int = 0) -> IMAPScript.Step {
        .expect("UID FETCH \(uid) (UID INTERNALDATE BODY.PEEK[]<\(offset).1048576>)")
    }

    /// A part of a message, from its beginning or from where a fetch stopped.
    static func piece(_ uid: Int, from offset: Int = 0, of bytes: [UInt8]) -> IMAPScript.Step {
        let rest = Array(bytes.dropFirst(offset))
        return .sendBytes(
            Array("* \(uid) FETCH (UID \(uid) BODY[]<\(offset)> {\(rest.count)}\r\n".utf8) + rest
                + Array(")\r\n".utf8))
    }

    static func body(_ uid: Int, number: Int? = nil, padding: Int = 0) -> IMAPScript.Step {
        message(uid, WorkerFixture.mail(number ?? uid, padding: padding))
    }

    static func message(_ uid: Int, _ bytes: [UInt8]) -> IMAPScript.Step {
        .sendBytes(head(uid, bytes.count) + bytes + Array(")\r\n".utf8))
    }

    static func head(_ uid: Int, _ count: Int) -> [UInt8] {
        Array("* \(uid) FETCH (UID \(uid) BODY[] {\(count)}\r\n".utf8)
    }

    static let done = IMAPScript.Step.send("$T OK done")

    /// A mailbox of three messages, polled for the first time.
    static let firstSync = inbox(
        exists: 3, next: 4, search("1 2 3"), metadata("1:3", [1, 2, 3]), bodies("1:3", [1, 2, 3]))

    static func refusingLogin(_ words: String) -> IMAPScript {
        IMAPScript([
            .send("* OK hi"), .expect("CAPABILITY"), .send("* CAPABILITY IMAP4rev1"), done,
            .expect("LOGIN"), .send("$T NO \(words)"),
        ])
    }
}
