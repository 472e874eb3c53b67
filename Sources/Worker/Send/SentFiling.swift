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
    /// What is larger does not go through memory as a whole.
    var heapBytes = MailLimits.standard.heapMessageBytes

    /// Where the ledger has it: no folder of the server's has this name.
    static let folder = FolderName("(sent)")
    private static let validity = UIDValidity(1)
    private let disk = DiskQueue("filing")
    private static let batchBytes = 16 << 20
    private static let smallBytes = 64 << 10

    /// Files some of what is due; the rest with the next call.
    ///
    /// - Parameter limit: how many mails at most.
    /// - Returns: how many were filed; those that could not be are put off.
    func run(limit: Int = 100) async throws(MailFailure) -> Int {
        var batch: [Archive.OutboxToFile] = []
        var bytes = 0
        let archive = archive
        let due = try await disk.run { () throws(MailFailure) in try archive.outboxToFile(limit: limit) }
        for item in due {
            if !batch.isEmpty, bytes + item.size > Self.batchBytes { break }
            batch.append(item)
            bytes += item.size
        }
        guard !batch.isEmpty else { return 0 }
        var originals: [MessageBytes] = []
        // All small ones at once, if nothing is wrong with any.
        let small =
            (try? archive.outboxContents(of: batch.filter { $0.size <= Self.smallBytes }.map(\.item))) ?? [:]
        for item in batch {
            do throws(MailFailure) {
                if let bytes = small[item.item], bytes.count == item.size {
                    originals.append(MessageBytes(bytes))
                } else {
                    originals.append(try content(of: item))
                }
            } catch  where error.code == .archiveCorrupt {
                try putOff(item, .failed(error))
                batch.removeAll { $0.item == item.item }
            } catch {
                throw error
            }
        }
        let readings = try await parsing.parse(originals)
        var arrivals: [Arrival] = []
        var folders: [AccountID: FolderID] = [:]
        for (item, (original, outcome)) in zip(batch, zip(originals, readings)) {
            let folder: FolderID
            if let known = folders[item.account] {
                folder = known
            } else {
                folder = try archive.folder(account: item.account, name: Self.folder, role: .sent)
                folders[item.account] = folder
            }
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
        var filed: [(item: OutboxID, message: ArchivedMessageID)] = []
        let outcomes = try await disk.run { [arrivals] () throws(MailFailure) in try archive.ingest(arrivals)
        }
        for (item, outcome) in zip(batch, outcomes) {
            if let message = outcome.message {
                filed.append((item.item, message))
            } else {
                try putOff(item, outcome)
            }
        }
        try await disk.run { [filed] () throws(MailFailure) in try archive.noteFiled(filed) }
        return filed.count
    }

    /// The mail is sent, and only its place in the archive is missing: that is tried for ever, ever more seldom.
    private func putOff(_ item: Archive.OutboxToFile, _ outcome: IngestOutcome) throws(MailFailure) {
        var words = "It was not recorded"
        var first: Int64 = 60
        if case .failed(let failure) = outcome {
            words = [failure.summary, failure.detail].compactMap { $0 }.joined(separator: ": ")
            if failure.isOfThisMachine { first = 5 }
        }
        let pause = min(6 * 3600, first << min(Int64(item.tries), 12))
        try archive.noteNotFiled(item.item, until: archive.time.advanced(bySeconds: pause), because: words)
    }

    /// A large mail goes through a file, so that memory stays bounded.
    private func content(of item: Archive.OutboxToFile) throws(MailFailure) -> MessageBytes {
        guard item.size > heapBytes else {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(item.size)
            try forEachPiece(of: item) { bytes += $0 }
            return MessageBytes(bytes)
        }
        guard let file = UnnamedFile() else { throw .noSpool() }
        try forEachPiece(of: item) { (piece) throws(MailFailure) in
            guard file.append(piece) else { throw .noSpool() }
        }
        guard let mapped = MessageBytes(mapping: file.descriptor, count: item.size) else { throw .noSpool() }
        return mapped
    }

    private func forEachPiece(
        of item: Archive.OutboxToFile, _ body: ([UInt8]) throws(MailFailure) -> Void
    ) throws(MailFailure) {
        var number = 0
        while true {
            let piece = try archive.outboxPiece(item.item, number)
            if piece.isEmpty { return }
            try body(piece)
            number += 1
        }
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
