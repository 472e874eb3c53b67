import MailModel
import Testing

@testable import MailFetch

@Suite struct MessageCountTests {
    private func count(_ before: [Response], _ after: [Response]) -> MessageCount {
        var count = MessageCount()
        for response in before { count.note(response) }
        count.beginListing()
        for response in after { count.note(response) }
        return count
    }

    @Test func whatGoesWhileUIDsAreListedNeedNotBeNamed() {
        let count = count([.exists(5)], [.expunge(2), .expunge(1), .exists(4)])
        #expect(count.least == 3 && count.now == 4 && count.most == 5)
    }

    @Test func whatComesWhileUIDsAreListedNeedNotBeNamedEither() {
        #expect(count([.exists(5)], [.exists(9)]).least == 5)
        #expect(count([.exists(5), .expunge(1)], [.exists(9), .expunge(1)]).least == 4)
    }

    @Test func vanishedUIDsCountAndThoseOfEarlierDoNot() {
        #expect(count([.exists(5)], [.vanished([1...2, 7...7], earlier: false)]).least == 2)
        #expect(count([.exists(5)], [.vanished([1...2], earlier: true)]).least == 5)
    }

    @Test func moreThanThereWereCannotGo() {
        #expect(count([.exists(1)], [.expunge(1), .expunge(1)]).now == 0)
        #expect(count([.exists(5)], [.vanished([1...UInt32.max], earlier: false)]).now == 0)
        #expect(count([], []).least == 0)
    }
}
