import MailModel
import Testing

@testable import MailFetch

/// What is asked for next, and what waits for an answer.
@Suite struct FetchFlightTests {
    private static func data(_ uid: UInt32) -> FetchedData {
        var data = FetchedData(sequenceNumber: uid)
        data.uid = UID(uid)
        data.body = .bytes(MessageBytes(Array("short".utf8)))
        return data
    }

    @Test func `while a server does not say whether messages are whole no others are asked for`() {
        let uids: [UInt32] = Array(1...500)
        var flight = FetchFlight(
            uids.map { UIDSet([UID($0)]) },
            sizes: Dictionary(uniqueKeysWithValues: uids.map { (UID($0), 10) }),
            depth: 3, provenShort: 0)
        var asked: Set<UID> = []
        var tag: UInt8 = 0
        // Messages are answered, and the questions about them are not.
        for _ in uids {
            let requests = flight.requests()
            let tags = requests.map { _ in
                tag &+= 1
                return [tag]
            }
            flight.sent(tags)
            for (request, tag) in zip(requests, tags) {
                guard case .messages(let uids) = request else { continue }
                for uid in uids.uids {
                    asked.insert(uid)
                    let isAsked = flight.received(Self.data(uid.rawValue))
                    #expect(isAsked)
                }
                flight.answered(tag, .ok, refusal: .violation("none"))
            }
        }
        #expect(asked.count >= IMAPLimits.heldMessages && asked.count <= IMAPLimits.heldMessages + 3)
        #expect(!flight.isOver)
        // Whatever ends the session, the oldest of them is looked at first by the next one.
        #expect(flight.next == UID(1))
    }
}
