import MailModel
import Matcher
import Testing

@testable import Archive

/// Random actions, taken back in the order in which they were done: at each step every row is as it was.
@Suite struct UndoPropertyTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `undo of every action restores the same rows`(seed: UInt64) throws {
        var world = try UndoWorld(seed: seed)
        var done: [(id: UndoID, action: String, before: [String: [String]])] = []
        for step in 0..<60 {
            let before = try world.fixture.dump()
            guard let (id, action) = try world.act() else { continue }
            #expect(try world.fixture.archive.verify().findings == [], "after \(action)")
            #expect(try world.fixture.archive.waitingListsAgree(), "after \(action)")
            if step % 3 == 0 {
                try world.fixture.archive.undo(id, by: "anna")
                try #require(try world.fixture.dump() == before, "\(action), taken back at once")
            } else {
                done.append((id, action, before))
            }
        }
        try #require(done.count > 10)
        for (id, action, before) in done.reversed() {
            try world.fixture.archive.undo(id, by: "anna")
            try #require(try world.fixture.dump() == before, "\(action), taken back in its turn")
            #expect(try world.fixture.archive.verify().findings == [], "after taking back \(action)")
        }
    }

    /// Of two worlds one acts, both get the same mail, and the one takes back what it did.
    @Test(arguments: 11...16 as ClosedRange<UInt64>)
    func `mail that came since stands where it would without the action`(seed: UInt64) throws {
        var world = try UndoWorld(seed: seed)
        var twin = try UndoWorld(seed: seed)
        var draw = Seeded(state: seed)
        var uid: UInt32 = 1000
        var compared = 0
        for _ in 0..<25 {
            // What happened before, in both.
            for _ in 0..<2 {
                _ = try world.act()
                _ = try twin.act()
            }
            try #require(try world.standing() == twin.standing())
            let before = world
            guard let (id, action) = try world.act() else {
                twin.fixture.clock.advance(1)
                world = before
                continue
            }
            twin.fixture.clock.advance(1)
            guard UndoWorld.Action(rawValue: action)?.concernsRules == false else {
                try world.fixture.archive.undo(id, by: "anna")
                world = before
                continue
            }
            let addresses = try (world.fixture.archive.contacts() + twin.fixture.archive.contacts())
                .flatMap { $0.emails.map(\.addrSpec) }
            for _ in 0..<3 {
                uid += 1
                var same = draw
                try world.receive(uid, addresses, &draw)
                try twin.receive(uid, addresses, &same)
            }
            #expect(try world.fixture.archive.verify().findings == [], "mail after \(action)")
            try world.fixture.archive.undo(id, by: "anna")
            try #require(try world.standing() == twin.standing(), "\(action), taken back after more mail")
            #expect(try world.fixture.archive.verify().findings == [], "after taking back \(action)")
            #expect(try world.fixture.archive.waitingListsAgree())
            compared += 1
            world = before
        }
        #expect(compared > 5)
    }
}
