import MailModel
import Testing

@Suite struct UIDSetTests {
    @Test func theTopmostUIDDoesNotOverflow() {
        let set = UIDSet(ranges: [4_294_967_290...4_294_967_295, 4_294_967_295...4_294_967_295])
        #expect(set.sequenceSet == "4294967290:4294967295")
        #expect(set.subtracting(UIDSet([UID(.max)])).sequenceSet == "4294967290:4294967294")
    }

    @Test func adjacentAndOverlappingRangesBecomeOne() {
        #expect(UIDSet([5, 3, 4, 9, 1, 9].map { UID($0) }).sequenceSet == "1,3:5,9")
    }

    @Test func subtractingAgreesWithSetArithmetic() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let left = Set((0..<40).map { _ in UInt32.random(in: 1...60, using: &generator) })
            let right = Set((0..<40).map { _ in UInt32.random(in: 1...60, using: &generator) })
            let difference = UIDSet(left.map { UID($0) }).subtracting(UIDSet(right.map { UID($0) }))
            #expect(Array(difference.uids.map(\.rawValue)) == left.subtracting(right).sorted())
            for uid in UInt32(1)...60 {
                #expect(difference.contains(UID(uid)) == (left.contains(uid) && !right.contains(uid)))
            }
        }
    }
}
