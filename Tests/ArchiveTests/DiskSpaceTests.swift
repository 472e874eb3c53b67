import Foundation
import MailModel
import Testing

@testable import Archive

struct DiskSpaceTests {
    @Test func `the disk with the least room counts`() throws {
        // The kernel's own file system has no room at all.
        let here = NSTemporaryDirectory()
        #expect(try Archive.tightest(of: [here]).freeBytes > 0)
        for places in [[here, "/proc"], ["/proc", here]] {
            #expect(try Archive.tightest(of: places).freeBytes == 0)
        }
        #expect(throws: MailFailure.self) {
            try Archive.tightest(of: [here, here + "/none-\(UUID().uuidString)"])
        }
    }
}
