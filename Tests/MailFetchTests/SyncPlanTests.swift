import MailFetch
import MailModel
import MailTransport
import Testing

@Suite struct SyncPlanTests {
    static let now = UnixTime(1_800_000_000)

    func action(
        exists: UInt32 = 10, next: UInt32? = 21, validity: UInt32 = 7, ledgerValidity: UInt32? = 7,
        present: Int = 10, highest: UInt32? = 20, sweptAgo: Int64? = 3_600
    ) -> SyncPlan.Action {
        SyncPlan.action(
            folder: FolderState(
                uidValidity: UIDValidity(validity), exists: exists, uidNext: next.map { UID($0) }),
            ledger: LedgerFacts(
                uidValidity: ledgerValidity.map { UIDValidity($0) }, presentCount: present,
                highestUID: highest.map { UID($0) },
                lastFullSweep: sweptAgo.map { Self.now.advanced(bySeconds: -$0) }),
            now: Self.now)
    }

    @Test func aFolderNeverPolledIsSwept() {
        #expect(action(ledgerValidity: nil) == .fullSweep(.firstSync))
    }

    @Test func changedValidityOpensANewEpochWhateverElseIsTrue() {
        #expect(action(ledgerValidity: 6) == .newEpoch)
        #expect(action(ledgerValidity: 6, sweptAgo: nil) == .newEpoch)
        #expect(action(exists: 0, next: 1, ledgerValidity: 8) == .newEpoch)
    }

    @Test func aSweepIsDueOnceADayAndWheneverTheClockIsInDoubt() {
        #expect(action(sweptAgo: nil) == .fullSweep(.due))
        #expect(action(sweptAgo: 86_399) == .nothing)
        #expect(action(sweptAgo: 86_400) == .fullSweep(.due))
        #expect(action(sweptAgo: -1) == .fullSweep(.due))
    }

    @Test func equalCountsAndNoNewUIDMeanNothingToDo() {
        #expect(action() == .nothing)
        #expect(action(exists: 0, next: 1, present: 0, highest: nil) == .nothing)
        // A server whose UIDNEXT lags behind what it has already shown.
        #expect(action(next: 5) == .nothing)
    }

    @Test func newMailIsAskedForAboveTheHighestUID() {
        #expect(action(exists: 13, next: 24) == .fetchNew(from: UID(21)))
        #expect(action(exists: 1, next: 2, present: 0, highest: nil) == .fetchNew(from: UID(1)))
    }

    @Test func oneComeAndOneGoneIsNoticed() {
        #expect(action(next: 22) == .fetchNew(from: UID(21)))
    }

    @Test func withoutUIDNextTheTopIsAlwaysLookedAt() {
        #expect(action(next: nil) == .fetchNew(from: UID(21)))
        #expect(action(exists: 11, next: nil) == .fullSweep(.countsDisagree))
    }

    @Test func countsThatNewMailCannotExplainAreSwept() {
        // Fewer messages: some vanished.
        #expect(action(exists: 9) == .fullSweep(.countsDisagree))
        // More messages than new UIDs: some below the highest one are missing from the ledger.
        #expect(action(exists: 12, next: 22) == .fullSweep(.countsDisagree))
        // Fewer messages than new UIDs: some of the new are gone, or some of the old are missing.
        #expect(action(exists: 11, next: 24) == .fullSweep(.countsDisagree))
    }

    @Test func theTopmostUIDDoesNotOverflow() {
        #expect(action(next: nil, highest: .max) == .nothing)
        #expect(action(exists: 11, next: .max, highest: .max - 2) == .fetchNew(from: UID(.max - 1)))
        #expect(action(exists: .max, next: .max, highest: .max) == .fullSweep(.countsDisagree))
    }

    @Test func whatTheLedgerLacksIsMissingWhereverItLies() {
        let server = UIDSet(ranges: [1...10, 20...30])
        let recorded = UIDSet(ranges: [2...4, 8...25])
        let present = UIDSet(ranges: [2...4, 8...12])
        let difference = SyncPlan.difference(
            server: FolderListing(server), recorded: recorded, present: present)
        #expect(difference.missing.sequenceSet == "1,5:7,26:30")
        #expect(difference.vanished.sequenceSet == "11:12")
        #expect(difference.reappeared.sequenceSet == "20:25")
        // By a list that is known to be short nothing has vanished.
        let short = SyncPlan.difference(
            server: FolderListing(server, lacking: 1), recorded: recorded, present: present)
        #expect(short.missing == difference.missing && short.reappeared == difference.reappeared)
        #expect(short.vanished.isEmpty)
    }

    @Test func onlyAServerThatWasSetBackMakesSharedUIDsDoubtful() {
        let difference = SyncPlan.difference(
            server: FolderListing(UIDSet(ranges: [1...9])), recorded: UIDSet(ranges: [1...9]),
            present: UIDSet(ranges: [1...8]))
        let shared = UIDSet(ranges: [1...8])
        func doubtful(next: UInt32?, sequence: UInt64?, before: UInt64?, highest: UInt32 = 9) -> String {
            let validity = UIDValidity(7)
            return SyncPlan.doubtful(
                difference,
                folder: FolderState(
                    uidValidity: validity, exists: 9, uidNext: next.map { UID($0) }, highestModSeq: sequence),
                ledger: LedgerFacts(
                    uidValidity: validity, presentCount: 8, highestUID: UID(highest), lastFullSweep: nil,
                    mark: before.map { FolderMark(uidValidity: validity, modSequence: $0) }), shared: shared
            ).sequenceSet
        }
        #expect(doubtful(next: 10, sequence: nil, before: nil) == "9")
        #expect(doubtful(next: 10, sequence: 5, before: 5) == "9")
        #expect(doubtful(next: 10, sequence: 4, before: 5) == "1:9")
        #expect(doubtful(next: 10, sequence: nil, before: 5) == "9")
        #expect(doubtful(next: 9, sequence: nil, before: nil) == "1:9")
        #expect(doubtful(next: nil, sequence: nil, before: nil, highest: 20) == "9")
    }
}

@Suite struct FetchBatchesTests {
    func messages(_ sizes: [Int]) -> [MessageMetadata] {
        sizes.enumerated().map { MessageMetadata(uid: UID(UInt32($0 + 1)), size: $1) }
    }

    @Test func anOversizeMessageIsSetApartAndTheNextSmallerOneIsNot() {
        let batches = FetchBatches(messages([99, 100, 101]), messageLimit: 100)
        #expect(batches.oversize.map(\.uid.rawValue) == [3])
        #expect(batches.batches.map(\.sequenceSet) == ["1:2"])
    }

    @Test func impossibleSizesDoNotOverflow() {
        let batches = FetchBatches(messages([.max, -5, .max, .min]), messageLimit: .max)
        #expect(batches.batches.reduce(0) { $0 + $1.count } == 4)
    }

    @Test func bytesAndCountBoundABatchEachByItself() {
        #expect(FetchBatches([], order: .oldestFirst).batches.isEmpty)
        let byCount = FetchBatches(
            messages(Array(repeating: 1, count: 7)), order: .oldestFirst, maximumCount: 3)
        #expect(byCount.batches.map(\.sequenceSet) == ["1:3", "4:6", "7"])
        let byBytes = FetchBatches(messages([40, 60, 1, 200, 50]), order: .oldestFirst, maximumBytes: 100)
        #expect(byBytes.batches.map(\.sequenceSet) == ["1:2", "3", "4", "5"])
    }

    @Test func newestComeFirstUnlessToldOtherwise() {
        let batches = FetchBatches(messages([1, 1, 1, 1, 1]).shuffled(), maximumCount: 2)
        #expect(batches.batches.map(\.sequenceSet) == ["4:5", "2:3", "1"])
    }

    @Test func aUIDListedTwiceIsFetchedOnce() {
        let twice = messages([1, 1]) + messages([1, 1])
        #expect(FetchBatches(twice, maximumCount: 1).batches.map(\.sequenceSet) == ["2", "1"])
    }
}
