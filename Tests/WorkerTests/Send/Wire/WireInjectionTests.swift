import Archive
import MIMEParse
import MailModel
import Testing

@testable import Worker

/// Hostile strings in every place of a mail, and what a server gets of them, octet for octet: the commands and
/// the fields that a harmless string would have led to, or nothing, since the mail was refused by name.
@Suite struct WireInjectionTests {
    private struct Trial {
        let place: HostilePlace
        let hostile: Hostile
        let item: OutboxID
        let isTwin: Bool
    }

    private static let order = [
        "Date", "From", "To", "Cc", "Message-ID", "In-Reply-To", "References", "Subject", "MIME-Version",
        "Content-Type", "Content-Transfer-Encoding",
    ]
    private static let partOrder = [
        "Content-Type", "Content-Disposition", "Content-ID", "Content-Transfer-Encoding",
    ]

    @Test func noInputAddsACommandARecipientOrAField() async throws {
        let fixture = try WireFixture()
        var strings = HostileStrings(seed: 20_261_128)
        var trials: [Trial] = []
        var refused: [String: Int] = [:]
        var tried = 0
        for (turn, place) in HostilePlace.all.enumerated() {
            trials.append(
                Trial(
                    place: place, hostile: .harmless, item: try await place.queue(fixture, .harmless),
                    isTwin: true))
            // Three of five in each place; each of them in most.
            for number in 0..<(HostileStrings.count * 3 / 5) {
                tried += 1
                let hostile = strings.next(number + turn * 37)
                do {
                    let item = try await place.queue(fixture, hostile)
                    trials.append(Trial(place: place, hostile: hostile, item: item, isTwin: false))
                } catch let failure as MailFailure {
                    #expect(
                        failure.kind == .permanent || failure.kind == .needsPerson,
                        "\(place.name): \(failure.code)")
                    refused[failure.code.rawValue, default: 0] += 1
                }
            }
        }
        let connections = try await fixture.send()
        let mails = connections.flatMap(\.mails)
        var sent = mails[...]
        var twins: [String: (header: [String], parts: [[String]])] = [:]
        // The sender takes them as they were queued.
        for trial in trials {
            let item = try fixture.archive.outboxItem(trial.item)
            let comment = Comment(
                rawValue: "\(trial.place.name): \(trial.hostile.text.debugDescription.prefix(300))")
            guard item.state == .sent else {
                #expect(item.state == .failed && item.reason?.isEmpty == false && !trial.isTwin, comment)
                refused["by the sender", default: 0] += 1
                continue
            }
            let next = sent.popFirst()
            let mail = try #require(next, comment)
            do {
                try Self.check(mail, trial, item, fixture, comment)
                let fields = try mail.fields()
                if trial.isTwin { twins[trial.place.name] = fields }
                let twin = try #require(twins[trial.place.name])
                Self.check(fields, trial.place, twin, comment)
            } catch {
                Issue.record(error, comment)
            }
        }
        #expect(sent.isEmpty)
        #expect(tried >= 2_000)
        #expect(mails.count > tried / 3)
        // Of a mail that is given up, nothing had gone out.
        let cut = connections.compactMap { $0.cut?.content.count }
        #expect(cut.reduce(0, +) == 0)
        print("on the wire: \(tried) inputs, \(mails.count) mails arrived, refused: \(refused)")
    }

    /// The envelope and the bytes.
    private static func check(
        _ mail: WireDialogue.Mail, _ trial: Trial, _ item: OutboxItem, _ fixture: WireFixture,
        _ comment: Comment
    ) throws {
        let isSame = mail.content == fixture.frozen[trial.item]
        #expect(isSame, comment)
        let addresses = try mail.recipients.map { command throws in
            let (address, parameters) = try WireDialogue.Mail.path(command, after: "RCPT TO:")
            let path = String(command.dropFirst("RCPT TO:<".count).dropLast(parameters.count + 1))
            let original = path.utf8.allSatisfy { $0 < 0x80 } ? " ORCPT=rfc822;\(xtext(path))" : ""
            #expect(parameters == " NOTIFY=FAILURE,DELAY" + original, comment)
            return address
        }
        #expect(addresses == item.recipients.map(\.address), comment)
        if let permitted = trial.place.recipients(trial.hostile) {
            #expect(addresses.map { $0.lowercased() } == permitted.map(canonical), comment)
        }
        let (sender, parameters) = try WireDialogue.Mail.path(mail.mail, after: "MAIL FROM:")
        #expect(sender == trial.place.sender(trial.hostile), comment)
        let header = mail.content[..<(mail.content.firstRange(of: Array("\r\n\r\n".utf8))?.lowerBound ?? 0)]
        let isUTF8 = !(header + mail.mail.utf8 + mail.recipients.flatMap(\.utf8)).allSatisfy { $0 < 0x80 }
        let words =
            " SIZE=\(mail.content.count)\(isUTF8 ? " SMTPUTF8" : "") RET=HDRS ENVID=\(xtext(item.envelopeID))"
        #expect(parameters == words, comment)
    }

    /// The fields, of the header and of each part's.
    private static func check(
        _ fields: (header: [String], parts: [[String]]), _ place: HostilePlace,
        _ twin: (header: [String], parts: [[String]]), _ comment: Comment
    ) {
        guard twin.header != ["Subject"] else {
            #expect(fields.header == twin.header, comment)
            return
        }
        let encoding = "Content-Transfer-Encoding"
        let ignored = place.optional.union(place.breaksParts ? [encoding] : [])
        #expect(
            fields.header.filter { !ignored.contains($0) } == twin.header.filter { !ignored.contains($0) },
            comment)
        #expect(fields.header == order.filter(fields.header.contains), comment)
        if !place.breaksParts { #expect(fields.parts == twin.parts, comment) }
        for part in fields.parts { #expect(part == partOrder.filter(part.contains), comment) }
    }

    /// The form of an address in which two spellings of it are the same here.
    private static func canonical(_ address: String) -> String { address.lowercased() }

    /// RFC 3461, 4.
    private static func xtext(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "=")
            return isPlain
                ? String(UnicodeScalar(byte))
                : "+" + String(UInt16(byte) + 0x100, radix: 16).dropFirst().uppercased()
        }.joined()
    }
}
