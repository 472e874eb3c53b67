public import MailModel

extension IMAPSession {
    /// Every UID of the open folder.
    ///
    /// Some servers leave messages out of a SEARCH: Yahoo names a thousand of ten thousand, others the newest ones or
    /// none. So what it names is held against the number of messages that the server tells. Where that is more, the
    /// server is asked what has gone meanwhile, and then for the UID of each message by its number. A server that
    /// answers truly is asked nothing but the one question.
    nonisolated(nonsending) public func listing() async throws(MailFailure) -> FolderListing {
        count.beginListing()
        return try await completed(try await allUIDs())
    }

    /// A SEARCH's answer, with what it has left out. `count` has begun with that listing.
    nonisolated(nonsending) func completed(_ named: UIDSet) async throws(MailFailure) -> FolderListing {
        guard named.count < count.least else { return FolderListing(named) }
        // More than can be listed are not asked for one by one.
        guard count.least <= IMAPLimits.messages else { throw tooManyMessages() }
        // Of messages that are gone a server may tell here, and hardly elsewhere (RFC 9051, 7.5.1).
        try await demandOK(.noop)
        guard named.count < count.least else { return FolderListing(named) }
        let found = try await uidsByNumber()
        let uids = try listedUIDs(named.ranges + found)
        return FolderListing(uids, lacking: max(0, Int(count.least) - uids.count))
    }

    /// What the server tells of the UIDs of messages that it is asked for by their numbers, in small parts: what limits
    /// its answer to a SEARCH may limit one to this as well.
    nonisolated(nonsending) private func uidsByNumber() async throws(MailFailure) -> [ClosedRange<UInt32>] {
        var found: [ClosedRange<UInt32>] = []
        var next: UInt32? = 1
        while next != nil {
            var commands: [IMAPCommand] = []
            var asked = 0
            while let first = next, commands.count < IMAPLimits.commandsInFlight {
                let (last, overflow) = first.addingReportingOverflow(IMAPLimits.numbersAtOnce - 1)
                let isLast = overflow || last >= count.now
                commands.append(.fetchUIDs(isLast ? "\(first):*" : "\(first):\(last)"))
                asked += Int(min(last, max(first, UInt32(clamping: count.now))) - first) + 1
                next = isLast ? nil : last + 1
            }
            let before = found.count
            let replies = try await run(commands) { response in
                guard case .fetch(let data) = response, let uid = data.uid,
                    found.count <= IMAPLimits.messages
                else { return discountResponse() }
                found.append(uid.rawValue...uid.rawValue)
            }
            if let refused = replies.first(where: { $0.kind != .ok }) {
                let failure = refusal(refused)
                guard failure.code == .commandRefused else { throw failure }
                break
            }
            // A number of messages costs a server nothing to tell, and these questions cost us. Each has one answer.
            guard found.count - before > asked / 10 else { break }
        }
        return found
    }

    /// What a SEARCH names.
    nonisolated(nonsending) func allUIDs() async throws(MailFailure) -> UIDSet {
        var ranges: [ClosedRange<UInt32>] = []
        try await demandOK(.searchAll(extended: capabilities.contains("ESEARCH"))) { response in
            if case .search(let found) = response, ranges.count <= IMAPLimits.messages { ranges += found }
        }
        return try listedUIDs(ranges)
    }

    /// A listing that can be believed: ranges cost a server nothing, and each UID in them costs us a question.
    func listedUIDs(_ ranges: [ClosedRange<UInt32>]) throws(MailFailure) -> UIDSet {
        guard ranges.count <= IMAPLimits.messages else { throw tooManyMessages() }
        let uids = UIDSet(ranges: ranges)
        let listed = uids.count
        guard listed <= IMAPLimits.messages else { throw tooManyMessages() }
        guard listed <= Int(count.most) + IMAPLimits.listedBeyondCount else {
            end()
            throw .violation("\(listed) UIDs listed in a folder of \(count.most) messages")
        }
        return uids
    }

    func tooManyMessages() -> MailFailure {
        end()
        return .violation("more than \(IMAPLimits.messages) messages in one folder")
    }
}
