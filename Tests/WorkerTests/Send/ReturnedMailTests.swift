import Archive
import Foundation
import MIMEParse
import MailModel
import Matcher
import Testing

@testable import Worker

/// Reports as real mail systems write them, brought to the mail that they are about.
@Suite struct ReturnedMailTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../Fixtures/eml/bounces").standardizedFileURL

    /// Every stored report that says which mail it is about.
    private static func reports() throws -> [(name: String, bytes: MessageBytes)] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".eml") }
            .sorted()
            .map { ($0, MessageBytes(Array(try Data(contentsOf: folder.appendingPathComponent($0))))) }
    }

    private static func arrival(_ bytes: MessageBytes, _ uid: UInt32, _ folder: FolderID) -> Arrival {
        MessageReader.arrival(
            of: ReceivedMessage(
                folder: folder, uidValidity: UIDValidity(7), uid: UID(uid), internalDate: nil, bytes: bytes),
            read: .read(MIMEParser().parse(bytes)))
    }

    @Test func everyStoredReportFindsItsMailAndRecipient() throws {
        var found = 0
        for (name, bytes) in try Self.reports() {
            let fixture = try WorkerFixture()
            let arrival = Self.arrival(bytes, 1, fixture.inbox)
            guard let returned = arrival.content?.returned, let messageID = returned.messageIDs.first else {
                continue
            }
            let addresses = returned.recipients.compactMap(\.addresses.first)
            #expect(!addresses.isEmpty, "\(name)")
            let id = try Self.send(fixture, messageID, addresses)
            let outcome = try fixture.archive.ingest([arrival])[0]
            guard case .linked(_, contacts: []) = outcome else {
                Issue.record("\(name): \(outcome)")
                continue
            }
            let reports = try fixture.archive.outboxItem(id).recipients.map(\.reports)
            #expect(reports.allSatisfy { $0.count == 1 }, "\(name)")
            found += 1
        }
        #expect(found >= 8, "only \(found) of the stored reports name their mail")
    }

    @Test func theSameReportsDoNothingToMailThatTheyDoNotName() throws {
        let fixture = try WorkerFixture()
        var uid: UInt32 = 0
        for (name, bytes) in try Self.reports() {
            uid += 1
            let arrival = Self.arrival(bytes, uid, fixture.inbox)
            let addresses = arrival.content?.returned?.recipients.compactMap(\.addresses.first) ?? []
            guard !addresses.isEmpty else { continue }
            let id = try Self.send(fixture, MessageID(rawValue: "\(uid)@firma.example"), addresses)
            _ = try fixture.archive.ingest([arrival])
            #expect(try fixture.archive.outboxItem(id).recipients.allSatisfy(\.reports.isEmpty), "\(name)")
        }
        #expect(try fixture.archive.suppressions().isEmpty)
    }

    private static func send(
        _ fixture: WorkerFixture, _ messageID: MessageID, _ addresses: [EmailAddress]
    ) throws -> OutboxID {
        let id = try fixture.archive.queueMail(
            OutboxDraft(
                account: fixture.account, requestedBy: "anna", messageID: messageID,
                sender: EmailAddress(WorkerFixture.own),
                recipients: addresses.map { OutboxDraft.Recipient($0) },
                content: MessageBytes(Array("Subject: x\r\n\r\nx\r\n".utf8)), notBefore: fixture.clock.now)
        ).item
        try fixture.sent(id)
        return id
    }
}
