public import MailModel
import MailTransport

/// The one place of a mailbox that is written to: the Sent folder, to which a copy of what was sent can be
/// appended. Nothing else can be expressed here, and `IMAPCommand` still has no case that writes.
public struct SentFolder {
    private let session: IMAPSession
    private let folder: ListedFolder

    /// - Parameter folder: the account's Sent folder, as the session listed it.
    public init(_ folder: ListedFolder, on session: IMAPSession) {
        self.session = session
        self.folder = folder
    }

    /// How many messages with this Message-ID are there.
    ///
    /// - Throws: `command-refused` when the server does not search; what ends a session.
    nonisolated(nonsending) public func count(of messageID: MessageID) async throws(MailFailure) -> Int {
        guard Self.isSendable(messageID) else { throw .unsearchable }
        _ = try await session.examine(folder)
        let tag = session.freshTag()
        try await session.sendLine(
            tag + Array(" UID SEARCH HEADER \"Message-ID\" \"<\(messageID.rawValue)>\"\r\n".utf8))
        var count = 0
        let reply = try await answer(to: tag) { response in
            if case .search(let ranges) = response { count += ranges.reduce(0) { $0 + $1.count } }
        }
        guard reply.kind == .ok else { throw session.refusal(reply) }
        return count
    }

    /// - Throws: as `count`.
    nonisolated(nonsending) public func contains(_ messageID: MessageID) async throws(MailFailure) -> Bool {
        try await count(of: messageID) > 0
    }

    /// Appends a message, marked as read (RFC 9051, 6.3.12).
    ///
    /// - Parameters:
    ///   - size: of all pieces together, in bytes.
    ///   - piece: read until it is empty.
    /// - Throws: the server's refusal; what ends a session, after which the message may be there.
    nonisolated(nonsending) public func append(
        size: Int, _ piece: (Int) throws(MailFailure) -> [UInt8]
    ) async throws(MailFailure) {
        let tag = session.freshTag()
        try await session.sendLine(
            tag + Array(" APPEND \"".utf8) + folder.wireName.flatMap(Self.quoted)
                + Array("\" (\\Seen) {\(size)}\r\n".utf8))
        // The server says whether it takes the message before it gets it.
        while true {
            let response = try await session.nextResponse()
            if case .continuation = response { break }
            if case .tagged(let answered, let reply) = response, answered == tag {
                throw session.refusal(reply)
            }
        }
        var number = 0
        while true {
            let bytes = try piece(number)
            if bytes.isEmpty { break }
            try await session.sendBytes(bytes)
            number += 1
        }
        try await session.sendBytes([0x0D, 0x0A])
        let reply = try await answer(to: tag) { _ in }
        guard reply.kind == .ok else { throw session.refusal(reply) }
    }

    nonisolated(nonsending) private func answer(
        to tag: [UInt8], _ note: (Response) -> Void
    ) async throws(MailFailure) -> StatusReply {
        while true {
            let response = try await session.nextResponse()
            if case .tagged(let answered, let reply) = response, answered == tag { return reply }
            note(response)
        }
    }

    private static func quoted(_ byte: UInt8) -> [UInt8] {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), byte] : [byte]
    }

    private static func isSendable(_ messageID: MessageID) -> Bool {
        !messageID.rawValue.isEmpty && messageID.rawValue.utf8.count <= 900
            && messageID.rawValue.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
    }
}

extension MailFailure {
    fileprivate static let unsearchable = MailFailure(
        .commandRefused, kind: .permanent, "The Message-ID is none that a server can be asked for")
}
