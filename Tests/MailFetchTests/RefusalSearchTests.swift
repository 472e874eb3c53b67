import MailModel
import MailTransport
import Testing

@testable import MailFetch

@Suite struct RefusalSearchTests {
    private static let plain = MailFailure(.commandRefused, kind: .transient, "No")
    private static let busy = MailFailure(.serverBusy, kind: .transient, "Busy")
    private static let all = UIDSet(ranges: [1...500])

    /// A server that refuses every question in which one of these messages is.
    private struct Server {
        var came = UIDSet()
        var questions = 0
        var search: RefusalSearch

        init(
            _ all: UIDSet = RefusalSearchTests.all, refusing bad: UIDSet, _ failure: MailFailure,
            insists: Bool = false, after earlier: UIDSet = UIDSet()
        ) {
            search = RefusalSearch(insists: insists)
            if !earlier.isEmpty { search.came() }
            var asked = [all]
            while !asked.isEmpty {
                questions += asked.count
                let refused = asked.filter { !$0.intersection(bad).isEmpty }
                for uids in asked where !refused.contains(uids) { came = came.union(uids) }
                if refused.count < asked.count { search.came() }
                for uids in refused.reversed() { search.refused(uids, failure) }
                asked = search.next()
            }
        }

        var alone: String { UIDSet(search.alone.map(\.uid)).sequenceSet }
    }

    // MARK: A server that is busy

    @Test func aServerThatIsBusyFromTheBeginningIsAskedNothingMore() {
        let server = Server(refusing: Self.all, Self.busy)
        #expect(server.questions == 1 && server.search.stop == Self.busy && server.search.alone.isEmpty)
    }

    @Test func aServerThatBecomesBusyIsSoonAskedNothingMore() {
        let server = Server(refusing: Self.all, Self.busy, after: UIDSet([UID(900)]))
        #expect(server.questions == 17 && server.search.stop == Self.busy)
        #expect(server.search.alone.isEmpty, "nothing shows that a message is meant")
    }

    @Test func aServerThatNamesADelayIsAskedNothingMore() {
        let asking = MailFailure(.serverBusy, kind: .transient, "Busy", retryAfterSeconds: 60)
        let server = Server(refusing: UIDSet([UID(7)]), asking, after: UIDSet([UID(900)]))
        #expect(server.questions == 1 && server.search.stop == asking)
    }

    @Test func aMessageOfWhichItIsSaidAfterOthersHaveComeIsFound() {
        for bad in [UIDSet([UID(500)]), UIDSet([UID(1)]), UIDSet([UID(3), UID(250), UID(251), UID(499)])] {
            let server = Server(refusing: bad, Self.busy, after: UIDSet([UID(900)]))
            #expect(server.search.stop == nil && server.alone == bad.sequenceSet)
            #expect(server.came == Self.all.subtracting(bad))
        }
    }

    @Test func whoInsistsFindsThemThoughNothingHasCome() {
        // Every tenth of them, the newest too.
        let bad = UIDSet((1...50).map { UID($0 * 10) })
        let server = Server(refusing: bad, Self.busy, insists: true)
        #expect(server.search.stop == nil && server.alone == bad.sequenceSet)
        #expect(server.came == Self.all.subtracting(bad))
    }

    @Test func whoInsistsTakesTheOnlyMessageForTheReason() {
        let server = Server(UIDSet([UID(9)]), refusing: UIDSet([UID(9)]), Self.busy, insists: true)
        #expect(server.search.stop == nil && server.alone == "9")
    }

    @Test func whoInsistsGivesUpOnAServerThatIsBusy() {
        let server = Server(refusing: Self.all, Self.busy, insists: true)
        #expect(server.questions == 17 && server.search.stop == Self.busy && server.search.alone.isEmpty)
    }

    // MARK: A server that refuses

    @Test func whatIsRefusedWithoutBeingBusyIsFoundByHalves() {
        let bad = UIDSet([UID(3), UID(250), UID(251), UID(499)])
        let server = Server(refusing: bad, Self.plain)
        #expect(server.search.stop == nil && server.alone == bad.sequenceSet)
        #expect(server.came == Self.all.subtracting(bad))
        #expect(server.questions < 80)
    }

    @Test func whereAHundredAreRefusedTheRestWaits() {
        let server = Server(refusing: Self.all, Self.plain)
        #expect(server.search.stop == Self.plain)
        #expect((100...110).contains(server.search.alone.count) && server.questions < 250)
    }

    @Test func anyOtherFailureEndsTheSearch() {
        let failure = MailFailure(.loginRefused, kind: .credential, "No")
        let server = Server(refusing: UIDSet([UID(3)]), failure, insists: true, after: UIDSet([UID(900)]))
        #expect(server.questions == 1 && server.search.stop == failure)
    }

    @Test func aRefusalOfNothingIsNone() {
        var search = RefusalSearch()
        search.refused(UIDSet(), Self.busy)
        #expect(search.stop == nil && search.next().isEmpty && search.alone.isEmpty)
    }
}
