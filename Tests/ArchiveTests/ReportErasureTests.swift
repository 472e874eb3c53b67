import Foundation
import MailModel
import Matcher
import Testing

@testable import Archive

/// Delivery reports stand in nobody's history, and quote whom they are about.
@Suite struct ReportErasureTests {
    let fixture: ArchiveFixture
    let maria: ContactID

    init() throws {
        fixture = try ArchiveFixture()
        maria = try fixture.contact("Maria", "maria@client.example")
    }

    /// A mail that was sent, filed, and came back from one of its recipients.
    private func returned(
        to: [String], from bounced: [String], number: Int = 1
    ) throws -> (mail: ArchivedMessageID, report: ArchivedMessageID) {
        let item = try DeliveryReportTests.sent(fixture, number, to: to)
        let uid = UInt32(number * 10)
        let copy = fixture.arrival(
            uid, from: "anna@firma.example", to: to, text: "offer \(number)", folder: fixture.sent)
        let mail = try message(try fixture.archive.ingest([copy])[0])
        try fixture.archive.noteFiled([(item: item, message: mail)])
        let outcome = try DeliveryReportTests.arrives(
            fixture, uid + 1,
            DeliveryReportTests.report(envelope: "mw-envelope-\(number)", about: bounced))
        return (mail, try message(outcome))
    }

    private func message(_ outcome: IngestOutcome) throws -> ArchivedMessageID {
        switch outcome {
        case .linked(let message, _), .review(let message): return message
        default: throw MailFailure.unknown(.unknownMessage, "message", "\(outcome)", remedy: "")
        }
    }

    @Test func reportsOnMailToTheContactAloneGoWithIt() throws {
        let (mail, report) = try returned(to: ["maria@client.example"], from: ["maria@client.example"])
        let other = try returned(to: ["boris@else.example"], from: ["boris@else.example"], number: 2)
        let plan = try fixture.archive.erasurePlan(of: maria)
        #expect(plan.erased == [mail, report] && plan.reports == [report] && plan.naming == [])
        #expect(try fixture.holds("report 11"))
        #expect(try fixture.archive.erase(maria).erased == plan.erased)
        #expect(try !fixture.holds("report 11"))
        #expect(try fixture.archive.original(of: other.report).count > 0)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func aReportOnErasedMailGoesWhoeverItIsAbout() throws {
        // The mail concerns no other contact, and its report quotes it.
        let (mail, report) = try returned(
            to: ["maria@client.example", "stranger@else.example"], from: ["stranger@else.example"])
        let plan = try fixture.archive.erase(maria)
        #expect(plan.erased == [mail, report] && plan.reports == [report])
        #expect(try !fixture.holds("report 11"))
    }

    @Test func aReportThatNamesOthersTooStaysAndIsNamed() throws {
        try fixture.contact("Boris", "boris@client.example")
        let both = ["maria@client.example", "boris@client.example"]
        let (mail, report) = try returned(to: both, from: both)
        let plan = try fixture.archive.erase(maria)
        #expect(plan.erased == [] && plan.kept == [mail])
        #expect(plan.reports == [] && plan.naming == [report])
        #expect(try fixture.archive.original(of: report).count > 0)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func aReportOnMailOfAnotherProgramGoesToo() throws {
        let mail = try message(
            try fixture.archive.ingest([
                fixture.arrival(
                    1, from: "anna@firma.example", to: ["maria@client.example"],
                    messageID: "other@firma.example", text: "offer", folder: fixture.sent)
            ])[0])
        let report = try message(
            try DeliveryReportTests.arrives(
                fixture, 2, DeliveryReportTests.report(messageIDs: ["other@firma.example"])))
        #expect(try fixture.archive.message(mail).returned.map(\.report) == [report])
        let plan = try fixture.archive.erase(maria)
        #expect(plan.erased == [mail, report] && plan.reports == [report])
        #expect(try !fixture.holds("report 2"))
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func aReportOfWhichTheMailIsNotKnownIsNamed() throws {
        var bounces: [ArchivedMessageID] = []
        for (number, address) in ["maria@client.example", "boris@client.example"].enumerated() {
            let arrival = fixture.arrival(
                UInt32(number + 1), from: "mailer-daemon@mx.example", text: "bounce \(number)"
            ) {
                $0.isDeliveryReport = true
                $0.category = .report
            }
            let report = try message(try fixture.archive.ingest([arrival])[0])
            try fixture.archive.index([SearchText(message: report, body: "<\(address)>: no such user")])
            bounces.append(report)
        }
        let plan = try fixture.archive.erase(maria)
        #expect(plan.erased == [] && plan.naming == [bounces[0]])
        #expect(try fixture.archive.original(of: bounces[0]).count > 0)
    }
}
