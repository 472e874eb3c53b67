import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// Records whose headers are damaged, among others that are not.
@Suite struct HeaderCheckTests {
    private struct Place {
        var offset: Int
        var size: Int
        var message: ArchivedMessageID
    }

    private static let pack = "/originals/pack-000001.mwp"

    private func filled(_ count: UInt32) throws -> (ArchiveFixture, [Place]) {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest(
            (1...count).map { number in
                fixture.arrival(number, text: "Number \(number) " + String(repeating: "x", count: 60))
            })
        let places = try fixture.archive.read { db in
            try Row.fetchAll(db, sql: "SELECT offset, size, message FROM originals ORDER BY offset").map {
                Place(offset: $0[0], size: $0[1], message: ArchivedMessageID(rawValue: $0[2]))
            }
        }
        return (fixture, places)
    }

    private func flip(_ bit: Int, at offset: Int, of path: String) throws {
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.seek(toOffset: UInt64(offset))
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data([byte ^ UInt8(1 << bit)]))
        try handle.close()
    }

    @Test func `any flipped bit of any header names its message and no other`() throws {
        let (fixture, places) = try filled(6)
        let path = fixture.directory + Self.pack
        for place in places {
            for byte in 0..<PackFormat.recordHeaderBytes {
                // All bits of the length, and one of each other byte.
                for bit in (8..<16).contains(byte) ? Array(0..<8) : [byte % 8] {
                    try flip(bit, at: place.offset + byte, of: path)
                    let report = try fixture.archive.verify()
                    #expect(report.findings.map(\.message) == [place.message], "byte \(byte), bit \(bit)")
                    #expect(report.originals == 6)
                    try flip(bit, at: place.offset + byte, of: path)
                }
            }
        }
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `behind a length that became smaller another damaged message is named, and no intact one`()
        throws
    {
        let (fixture, places) = try filled(20)
        let path = fixture.directory + Self.pack
        let bit = try #require((0..<8).first { places[3].size & 1 << $0 != 0 })
        try flip(bit, at: places[3].offset + 8, of: path)
        try flip(0, at: places[4].offset + PackFormat.recordHeaderBytes + 70, of: path)
        try flip(2, at: places[12].offset + 20, of: path)
        let damaged = [3, 4, 12].map { places[$0].message }
        let report = try fixture.archive.verify()
        #expect(report.findings.compactMap(\.message).sorted { $0.rawValue < $1.rawValue } == damaged)
        let target = fixture.directory + "-backup"
        defer { try? FileManager.default.removeItem(atPath: target) }
        #expect(try fixture.archive.backup(to: target).findings.map(\.message) == damaged)
    }

    @Test func `a header that is right against the database costs no record behind it`() throws {
        let (fixture, places) = try filled(5)
        try fixture.archive.write { db in
            try db.execute(
                sql: "UPDATE originals SET size = size - 8 WHERE message = ?",
                arguments: [places[1].message.rawValue])
        }
        let report = try fixture.archive.verify()
        #expect(Set(report.findings.map(\.message)) == [places[1].message])
        #expect(report.originals == 5)
    }
}
