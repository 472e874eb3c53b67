public import MailModel
import MailTransport

extension IMAPSession {
    /// Every folder that the server lists, each with what it is for.
    ///
    /// Roles come from SPECIAL-USE (RFC 6154) and, for those that nothing on the server has, from
    /// well-known names. Folders of other users and shared ones are listed and have no role.
    nonisolated(nonsending) public func folders() async throws(MailFailure) -> [ListedFolder] {
        // Only with both may the extended form be sent; many servers tell the roles anyway.
        let extended = capabilities.contains("SPECIAL-USE") && capabilities.contains("LIST-EXTENDED")
        var listed: [ListedName] = []
        var bytes = 0
        try await demandOK(.list(returnSpecialUse: extended)) { response in
            guard case .list(let name) = response, listed.count < IMAPLimits.folders,
                name.wireName.count <= IMAPLimits.folderNameBytes
            else { return discountResponse() }
            bytes += name.wireName.count
            if bytes <= IMAPLimits.folderNamesBytes { listed.append(name) }
        }
        var seen: Set<[UInt8]> = []
        var folders: [ListedFolder] = []
        for name in listed where seen.insert(name.wireName).inserted {
            folders.append(ListedFolder(name, namespaces: namespaces))
        }
        ListedFolder.assignRolesByName(&folders, namespaces: namespaces)
        return folders
    }

    /// Counts of a folder that need not be open.
    nonisolated(nonsending) public func status(of folder: ListedFolder) async throws(MailFailure)
        -> FolderCounts
    {
        try await status(wireName: folder.wireName)
    }

    /// Counts of a folder that need not be open.
    nonisolated(nonsending) public func status(of folder: FolderName) async throws(MailFailure)
        -> FolderCounts
    {
        try await status(wireName: ModifiedUTF7.encode(folder.rawValue))
    }

    nonisolated(nonsending) private func status(wireName: [UInt8]) async throws(MailFailure) -> FolderCounts {
        try demandSendable(wireName)
        var items: [String: UInt64] = [:]
        try await demandOK(.status(wireName)) { response in
            // Of other folders a server may tell in between, when it was asked to.
            if case .mailboxStatus(let name, let found) = response,
                !sights.hasSubscribed || FolderNews.key(name) == FolderNews.key(wireName)
            {
                items.merge(found) { $1 }
            }
        }
        return FolderCounts(
            messages: items["MESSAGES"].flatMap(UInt32.init(exactly:)) ?? 0,
            uidNext: items["UIDNEXT"].flatMap(UInt32.init(exactly:)).flatMap { $0 > 0 ? UID($0) : nil },
            uidValidity: items["UIDVALIDITY"].flatMap(UInt32.init(exactly:)).map { UIDValidity($0) },
            unseen: items["UNSEEN"].flatMap(UInt32.init(exactly:)))
    }

    /// Opens a folder for reading; what was open before is closed by it.
    ///
    /// EXAMINE does it, and nothing else is sent, but for one case: new messages on a `RenumberingServer`.
    /// Its UIDs hold only for a client that comes with SELECT. That removes `\Recent`, as any client's visit
    /// does, and nothing else.
    ///
    /// - Parameters:
    ///   - mark: of an earlier opening; where the server can, it tells what has vanished since.
    ///   - listing: asks for all UIDs as well, without another way there and back.
    nonisolated(nonsending) public func examine(
        _ folder: ListedFolder, since mark: FolderMark? = nil, listing: Bool = false
    ) async throws(MailFailure) -> FolderState {
        try await examine(wireName: folder.wireName, since: mark, listing: listing)
    }

    /// Opens a folder for reading; what was open before is closed by it.
    nonisolated(nonsending) public func examine(_ folder: FolderName) async throws(MailFailure) -> FolderState
    {
        try await examine(wireName: ModifiedUTF7.encode(folder.rawValue), since: nil, listing: false)
    }

    nonisolated(nonsending) private func examine(
        wireName: [UInt8], since mark: FolderMark?, listing: Bool
    ) async throws(MailFailure) -> FolderState {
        try demandSendable(wireName)
        try await completeIntroduction()
        let plain = IMAPCommand.examine(wireName, capabilities.contains("CONDSTORE") ? .condstore : .plain)
        var opened: Opening
        if let mark, resyncs {
            do throws(MailFailure) {
                opened = try await open(wireName, by: .examine(wireName, .resync(mark)), listing: listing)
                opened.isFollowed = opened.validity == mark.uidValidity.rawValue && opened.modSequence != nil
            } catch  where error.code == .commandRefused {
                // Offered and not done: the folder is compared as with any other server.
                resyncs = false
                opened = try await open(wireName, by: plain, listing: listing)
            }
        } else {
            opened = try await open(wireName, by: plain, listing: listing)
        }
        guard opened.recent > 0,
            let server = RenumberingServer.recognised(
                by: capabilities, id: serverID, saying: opened.phrases)
        else { return try opened.state }
        do throws(MailFailure) {
            // What was listed before may be what the server forgets.
            return try await open(wireName, by: .select(wireName, for: server), listing: listing).state
        } catch  where error.code == .commandRefused {
            return try await open(wireName, by: plain, listing: listing).state
        }
    }

    /// What a server told while it opened a folder.
    private struct Opening {
        var validity: UInt32?
        var exists: UInt32 = 0
        var recent: UInt32 = 0
        var uidNext: UInt32?
        var modSequence: UInt64?
        var vanished: [ClosedRange<UInt32>] = []
        /// Whether those are all that have vanished since the mark.
        var isFollowed = false
        /// Those that tell a `RenumberingServer`.
        var phrases: Set<String> = []
        /// All UIDs; nil where they were not asked for.
        var listed: FolderListing?

        var state: FolderState {
            get throws(MailFailure) {
                guard let validity, validity > 0 else {
                    throw .violation("EXAMINE was answered without UIDVALIDITY: UIDs would mean nothing")
                }
                var state = FolderState(
                    uidValidity: UIDValidity(validity), exists: exists,
                    uidNext: uidNext.flatMap { $0 > 0 ? UID($0) : nil }, highestModSeq: modSequence)
                state.vanished = isFollowed ? UIDSet(ranges: vanished) : nil
                state.listed = listed
                return state
            }
        }
    }

    nonisolated(nonsending) private func open(
        _ name: [UInt8], by command: IMAPCommand, listing: Bool
    ) async throws(MailFailure) -> Opening {
        var opening = Opening()
        var listed: [ClosedRange<UInt32>] = []
        openValidity = nil
        count = MessageCount()
        var isListing = false
        sights.close()
        let question = listing ? [IMAPCommand.searchAll(extended: capabilities.contains("ESEARCH"))] : []
        let replies = try await run([command] + question) { response in
            switch response {
            case .search(let found):
                // From here on the number counts: until now it was that of the opening.
                if !isListing { count.beginListing() }
                isListing = true
                if listed.count <= IMAPLimits.messages { listed += found }
            case .exists(let count): opening.exists = count
            case .recent(let count): opening.recent = count
            case .vanished(let uids, earlier: true)
            where opening.vanished.count + uids.count <= IMAPLimits.messages: opening.vanished += uids
            case .status(let reply):
                if RenumberingServer.knows(reply.text) { opening.phrases.insert(reply.text) }
                switch reply.codeName {
                case "UIDVALIDITY": opening.validity = reply.codeNumber.flatMap(UInt32.init(exactly:))
                case "UIDNEXT": opening.uidNext = reply.codeNumber.flatMap(UInt32.init(exactly:))
                case "HIGHESTMODSEQ": opening.modSequence = reply.codeNumber
                case "NOMODSEQ": opening.modSequence = nil
                default: break
                }
            default: break
            }
        }
        for (index, reply) in replies.enumerated() where reply.kind != .ok {
            // Where nothing is, a server may refuse to search; what it would list is known all the same.
            if index == 0 || opening.exists > 0 { throw refusal(reply) }
        }
        openValidity = opening.validity.map { UIDValidity($0) }
        sights.opened(
            name, messages: opening.exists, uidNext: opening.uidNext, uidValidity: opening.validity)
        if listing {
            if !isListing { count.beginListing() }
            opening.listed = try await completed(try listedUIDs(listed))
        }
        return opening
    }

    private func demandSendable(_ name: [UInt8]) throws(MailFailure) {
        guard IMAPCommand.isSendable(name) else {
            throw MailFailure(
                .folderMissing, kind: .needsPerson, "The folder's name cannot be sent to a server",
                detail: String(decoding: name.prefix(200), as: UTF8.self),
                remedy: "Rename the folder without line breaks.")
        }
    }
}
