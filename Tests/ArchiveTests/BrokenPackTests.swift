import Foundation
import MailModel
import Testing

@testable import Archive

@Suite struct BrokenPackTests {
    @Test func `a pack that is missing or cut short is named without reading any`() throws {
        let fixture = try ArchiveFixture()
        #expect(try fixture.archive.brokenPacks() == [])
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        #expect(try fixture.archive.brokenPacks() == [])
        let pack = fixture.directory + "/originals/pack-000001.mwp"
        let whole = try Data(contentsOf: URL(fileURLWithPath: pack))
        try whole.dropLast(1).write(to: URL(fileURLWithPath: pack))
        let short = try fixture.archive.brokenPacks()
        #expect(short == ["\(pack) has \(whole.count - 1) bytes of \(whole.count)"])
        try FileManager.default.removeItem(atPath: pack)
        #expect(try fixture.archive.brokenPacks() == ["\(pack) is missing"])
    }
}
