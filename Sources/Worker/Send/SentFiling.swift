import Archive
import Crypto
import MIMEParse
import MailModel
import Matcher

/// Puts what was sent into the archive at once: the same way as mail that was fetched, so that every contact
/// among its recipients has it in the history, and the copy that a later poll finds in the Sent folder is
/// known as one.
struct SentFiling: Sendable {
    let archive: Archive
    let parsing: any MessageParsing

    /// Where the ledger has it: no folder of the server's has this name.
    static let folder = FolderName("(sent)")
    private static let validity = UIDValidity(1)
    private static let batchBytes = 16 << 20

    /// Files some of what is due; the rest with the next call.
    /// - Returns: how many were filed.
    func run() async throws(MailFailure) -> Int {
        var batch: [Archive.OutboxToFile] = []
        var bytes = 0
        for item in try archive.outboxToFile() {
            if !batch.isEmpty, bytes + item.size > Self.batchBytes { break }
            batch.append(item)
            bytes += item.size
        }
        guard !batch.isEmpty else { return 0 }
        var originals: [MessageBytes] = []
        for item in batch { originals.append(try content(of: item)) }
        let outcomes = try await parsing.parse(originals)
        var arrivals: [Arrival] = []
        for (item, (original, outcome)) in zip(batch, zip(originals, outcomes)) {
            let folder = try archive.folder(account: item.account, name: Self.folder, role: .sent)
            let received = ReceivedMessage(
                folder: folder, uidValidity: Self.validity, uid: nil, internalDate: archive.time,
                bytes: original)
            var arrival = MessageReader.arrival(of: received, read: outcome)
            // The wire form has no Bcc field; who wrote it knows to whom it went.
            arrival.content?.participants += item.blind.map {
                Participant(role: .bcc, mailbox: Mailbox(address: $0))
            }
            arrivals.append(arrival)
        }
        let filed = try archive.ingest(arrivals)
        try archive.noteFiled(zip(batch, filed).map { ($0.item, $1.message) })
        return batch.count
    }

    private func content(of item: Archive.OutboxToFile) throws(MailFailure) -> MessageBytes {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(item.size)
        var number = 0
        while true {
            let piece = try archive.outboxPiece(item.item, number)
            if piece.isEmpty { break }
            bytes += piece
            number += 1
        }
        return MessageBytes(bytes)
    }
}

extension IngestOutcome {
    /// The message that it has become; nil when it could not be recorded.
    var message: ArchivedMessageID? {
        switch self {
        case .linked(let id, contacts: _), .review(let id), .duplicate(of: let id), .ignored(let id, rule: _),
            .quarantined(let id):
            id
        case .alreadyKnown, .failed: nil
        }
    }
}
