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
}
