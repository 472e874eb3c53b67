import Archive
import Testing

@testable import Worker

struct PollPlacesTests {
    /// Places that an expectation may change.
    private final class Places {
        private var places: PollPlaces
        var count: Int { places.accounts.count }

        init(fresh: Int, host: Int, total: Int) {
            places = PollPlaces(
                PollPlaces.Limits(fresh: fresh, host: host, total: total, patienceMilliseconds: 1_000))
        }

        func begin(_ id: AccountID, host: String, mayTakeLong: Bool, now: Int64) -> Bool {
            places.begin(id, mayTakeLong ? .longPoll : .poll, host: host, now: now)
        }

        func open(_ id: AccountID, host: String, now: Int64) -> Bool {
            places.begin(id, .opening, host: host, now: now)
        }

        func end(_ id: AccountID) { places.end(id) }
    }

    private func places(fresh: Int = 2, host: Int = 10, total: Int = 100) -> Places {
        Places(fresh: fresh, host: host, total: total)
    }

    private func id(_ number: Int) -> AccountID { AccountID(rawValue: Int64(number)) }

    @Test func pollsThatDoNotComeForwardKeepOthersBackForTheirFirstSecondOnly() {
        let places = places(fresh: 2)
        #expect(places.begin(id(1), host: "dead-1", mayTakeLong: false, now: 0))
        #expect(places.begin(id(2), host: "dead-2", mayTakeLong: false, now: 0))
        #expect(!places.begin(id(3), host: "well", mayTakeLong: false, now: 999))
        #expect(places.begin(id(3), host: "well", mayTakeLong: false, now: 1_000))
        #expect(places.count == 3)
    }

    @Test func accountsThatFailedLastTimeKeepNoneBackThatDoesWell() {
        let places = places(fresh: 2)
        for number in 1...2 {
            #expect(places.begin(id(number), host: "dead-\(number)", mayTakeLong: true, now: 0))
        }
        #expect(!places.begin(id(3), host: "dead-3", mayTakeLong: true, now: 999))
        for number in 11...12 {
            #expect(places.begin(id(number), host: "well-\(number)", mayTakeLong: false, now: 999))
        }
        #expect(!places.begin(id(13), host: "well-13", mayTakeLong: false, now: 999))
        #expect(places.begin(id(3), host: "dead-3", mayTakeLong: true, now: 1_000))
    }

    @Test func aDeadServersAccountsTakeTheirOwnServersPlacesOnly() {
        let places = places(fresh: 100, host: 3)
        for number in 1...3 { #expect(places.begin(id(number), host: "dead", mayTakeLong: false, now: 0)) }
        #expect(!places.begin(id(4), host: "dead", mayTakeLong: false, now: 60_000))
        #expect(places.begin(id(5), host: "well", mayTakeLong: false, now: 60_000))
        places.end(id(1))
        #expect(places.begin(id(4), host: "dead", mayTakeLong: false, now: 60_000))
    }

    @Test func largeMailboxesLeaveHalfOfAServersPlacesToTheOthers() {
        let places = places(fresh: 100, host: 4)
        #expect(places.begin(id(1), host: "h", mayTakeLong: true, now: 0))
        #expect(places.begin(id(2), host: "h", mayTakeLong: true, now: 0))
        #expect(!places.begin(id(3), host: "h", mayTakeLong: true, now: 0))
        #expect(places.begin(id(4), host: "h", mayTakeLong: false, now: 0))
        #expect(places.begin(id(5), host: "h", mayTakeLong: false, now: 0))
        #expect(
            !places.begin(id(6), host: "h", mayTakeLong: false, now: 0), "the server's limit holds for all")
    }

    @Test func openingsOfWatchesLeaveHalfOfAServersPlacesToPolls() {
        let places = places(fresh: 100, host: 4)
        #expect(places.open(id(1), host: "h", now: 0))
        #expect(places.open(id(2), host: "h", now: 0))
        #expect(!places.open(id(3), host: "h", now: 90_000))
        #expect(places.open(id(3), host: "other", now: 0))
        #expect(places.begin(id(4), host: "h", mayTakeLong: true, now: 0))
        #expect(places.begin(id(5), host: "h", mayTakeLong: false, now: 0))
        #expect(!places.begin(id(6), host: "h", mayTakeLong: false, now: 0), "openings count for all")
        places.end(id(1))
        #expect(places.open(id(7), host: "h", now: 0))
    }

    @Test func openingsAndPollsKeepEachOtherBackInNoOtherWay() {
        let places = places(fresh: 2)
        for number in 1...2 { #expect(places.open(id(number), host: "\(number)", now: 0)) }
        #expect(!places.open(id(3), host: "3", now: 999))
        for number in 4...5 {
            #expect(places.begin(id(number), host: "\(number)", mayTakeLong: false, now: 0))
        }
        #expect(places.open(id(3), host: "3", now: 1_000), "one that takes long waits for its server")
        #expect(!places.begin(id(3), host: "3", mayTakeLong: false, now: 5_000), "its watch is being opened")
    }

    @Test func oneServerWithOnePlaceStillServesALargeMailbox() {
        let places = places(host: 1)
        #expect(places.begin(id(1), host: "h", mayTakeLong: true, now: 0))
        #expect(!places.begin(id(2), host: "h", mayTakeLong: false, now: 0))
    }

    @Test func noAccountIsPolledTwiceAtATime() {
        let places = places(fresh: 100)
        #expect(places.begin(id(1), host: "h", mayTakeLong: false, now: 0))
        #expect(!places.begin(id(1), host: "h", mayTakeLong: false, now: 90_000))
    }

    @Test func thereIsAnEndToPatienceWithAll() {
        let places = places(fresh: 100, host: 100, total: 5)
        for number in 1...5 {
            #expect(places.begin(id(number), host: "\(number)", mayTakeLong: false, now: 0))
        }
        #expect(!places.begin(id(6), host: "6", mayTakeLong: false, now: 90_000))
    }
}
