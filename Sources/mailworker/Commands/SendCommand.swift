public import Archive
public import ArgumentParser
import Foundation
import MIMEParse
import MailModel
import MailTransport
import Matcher
import Synchronization
import Worker

extension OutboxKind: ExpressibleByArgument {}

struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Queues one mail; the daemon delivers it.",
        discussion: """
            The mail is on the disk when the command returns, and is accounted for from then on: see
            `mailworker outbox`. --wait delivers it at once and shows what the server answered.

            Without --account one JSON object is read from standard input:
            {"account", "from", "to": [], "cc": [], "bcc": [], "subject", "text", "html", "attachments": ["PATH"],
            "inline_images": ["PATH"], "reply_to_message", "reply_all", "forward", "quote",
            "template", "contact", "signature", "at", "idempotency_key", "kind"}.
            Beside it --contact, --kind, --wait and --json may stand, and no other option of the mail.
            The same idempotency_key again is the same mail.

            Exit codes with --wait: 0 sent, 1 refused, uncertain, held or cancelled, 75 tried again later.
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("The account to send through.", valueName: "account"))
    var account: String?

    @Option(help: ArgumentHelp("Another address of the account's user to send from.", valueName: "address"))
    var from: String?

    @Option(
        help: ArgumentHelp("A recipient: local@domain, or \"Name <local@domain>\".", valueName: "address"))
    var to: [String] = []

    @Option(help: ArgumentHelp("A recipient of a copy.", valueName: "address"))
    var cc: [String] = []

    @Option(help: ArgumentHelp("A recipient that the others do not see.", valueName: "address"))
    var bcc: [String] = []

    @Option(
        name: .customLong("contact"),
        help: ArgumentHelp(
            "Sends to this contact's first address; each named contact gets a mail of its own, and no address two."
        ))
    var contacts: [String] = []

    @Option(
        help: ArgumentHelp(
            "What the mail is: single, automatic or mass. One to several contacts is mass mail where this does not"
                + " say otherwise, and leaves out whoever must not be mailed.", valueName: "kind"))
    var kind: OutboxKind?

    @Option(help: ArgumentHelp("The template that makes subject and text.", valueName: "name"))
    var template: String?

    @Flag(name: .customLong("no-signature"), help: "Without the account's signature.")
    var noSignature = false

    @Option(help: ArgumentHelp("The subject.", valueName: "text"))
    var subject: String?

    @Option(help: ArgumentHelp("A file with the text; - is standard input.", valueName: "file"))
    var text: String?

    @Option(help: ArgumentHelp("A file with the text in HTML.", valueName: "file"))
    var html: String?

    @Option(help: ArgumentHelp("A file to attach.", valueName: "file"), completion: .file())
    var attach: [String] = []

    @Option(
        name: .customLong("inline-image"),
        help: ArgumentHelp(
            "A picture that the HTML shows as <img src=\"cid:NAME\">, NAME being the file's, in any script.",
            valueName: "file"),
        completion: .file())
    var inlineImage: [String] = []

    @Option(
        name: .customLong("reply-to-message"),
        help: ArgumentHelp("The archive's id of the message that this one answers.", valueName: "id"))
    var replyToMessage: String?

    @Flag(
        name: .customLong("all"),
        help:
            "With --reply-to-message: answers everybody whom the message names, but for the user's own addresses."
    )
    var replyAll = false

    @Option(
        help: ArgumentHelp(
            "The archive's id of a message to forward, with its files.", valueName: "id"))
    var forward: String?

    @Flag(name: .customLong("no-quote"), help: "Does not put the answered message under the text.")
    var noQuote = false

    @Option(
        help: ArgumentHelp(
            "Not before this time: 2026-01-31 09:05, 2026-01-31T09:05:00Z, or Unix seconds.",
            valueName: "time"))
    var at: String?

    @Option(
        name: .customLong("idempotency-key"),
        help: ArgumentHelp("The same key again is the same mail.", valueName: "key"))
    var idempotencyKey: String?

    @Flag(help: "Delivers now, and shows the server's answer.")
    var wait = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() async throws {
        try await Act.$current.withValue(act) { try await send() }
    }

    private func send() async throws {
        let requests = try requests()
        let workplace = try Workplace(common, secrets: .needed, as: .rights)
        var isAllGood = true
        var answers: [Answer] = []
        for request in try perContact(requests, workplace.archive) {
            do throws(MailFailure) {
                answers.append(try await send(request, workplace))
            } catch {
                guard contacts.count > 1 else { throw error }
                let failure = error
                Terminal.complain("\(request.to.joined(separator: ", ")): \(failure.revealed)")
                isAllGood = false
            }
        }
        if json {
            Terminal.print(
                answers.count == 1 && contacts.count <= 1
                    ? try JSONOutput.document(answers[0]) : try JSONOutput.document(answers))
        } else {
            for answer in answers { Terminal.print(answer.words) }
        }
        if wait {
            let states = answers.map(\.state)
            // What nothing is going to be tried for outweighs what is tried later.
            if states.contains(where: ["failed", "uncertain", "held", "cancelled"].contains) {
                isAllGood = false
            }
            if isAllGood, states.contains(where: { $0 != "sent" }) { throw ExitStatus.tryAgainLater }
        }
        if !isAllGood { throw ExitStatus.someItemsFailed }
    }

    private func send(_ request: MailRequest, _ workplace: Workplace) async throws(MailFailure) -> Answer {
        let parsing = workplace.configuration.parsing(atMost: 1)
        let submission = MailSubmission(
            archive: workplace.archive, parsing: parsing, settings: workplace.configuration.submission)
        let outcome = try await submission.submit(
            request, by: Actor.name, isImmediate: wait && request.at == nil)
        for warning in outcome.warnings { Terminal.complain("warning: \(warning)") }
        var answer = Answer(outcome.receipt)
        // One that another process was sending is waited for, or taken over when that process has died.
        guard wait, [.queued, .retry, .sending].contains(outcome.receipt.state) else { return answer }
        // Whoever may queue a mail may see it delivered; what delivery itself touches is the worker's.
        let dispatcher = OutboxDispatcher(
            archive: workplace.archive.seen(by: .administrator), loop: try NetworkLoop(), parsing: parsing,
            settings: SendSettings(connections: try workplace.pollSettings()))
        let obstacle = Mutex<MailFailure?>(nil)
        let item = try await dispatcher.deliver(outcome.receipt.item) { event in
            switch event {
            case .notSent(_, _, let failure): obstacle.withLock { $0 = failure }
            case .copyFailed(_, let failure):
                Terminal.complain("The copy in the Sent folder is tried again later: \(failure.revealed)")
            case .archiveFailed(let failure) where failure.code == .archiveStopped:
                Terminal.complain("What is left to do is the next run's: \(failure.revealed)")
            case .archiveFailed(let failure):
                Terminal.complain("The archive is tried until it takes the answer: \(failure.revealed)")
            default: break
            }
        }
        answer.state = item.state.rawValue
        var wait = SendingWait(workplace.archive)
        answer.item = try wait.explained(item)
        // One that is queued as before has no reason of its own.
        if answer.item?.reason == nil, item.state == .queued, let failure = obstacle.withLock({ $0 }) {
            answer.item?.reason = [failure.summary, failure.detail].compactMap(\.self).joined(separator: ": ")
            answer.item?.remedy = failure.remedy
        }
        return answer
    }

    // MARK: - What is to be sent

    private func requests() throws(MailFailure) -> MailRequest {
        guard let account else {
            guard optionsOfMail.isEmpty else {
                throw .usage(
                    "Without --account the mail is JSON from standard input, which says these things itself",
                    detail: optionsOfMail.joined(separator: ", "),
                    remedy: "Give --account, or write them as keys of the JSON.")
            }
            let data = FileHandle.standardInput.readDataToEndOfFile()
            do {
                return try JSONDecoder().decode(MailRequest.self, from: data)
            } catch {
                throw .usage(
                    "Standard input is not a mail in JSON", detail: Self.words(error),
                    remedy: "Give --account, or one JSON object as mailworker send --help shows it.")
            }
        }
        var request = MailRequest(account: account, to: to)
        request.from = from
        request.cc = cc
        request.bcc = bcc
        request.subject = subject
        request.text = try text.map(Self.contents)
        request.html = try html.map(Self.contents)
        request.attachments = attach
        request.inlineImages = inlineImage
        request.replyToMessage = replyToMessage
        request.replyAll = replyAll
        request.forward = forward
        request.quote = !noQuote
        request.template = template
        request.signature = !noSignature
        request.idempotencyKey = idempotencyKey
        if let at {
            guard let time = SendTime.read(at) else {
                throw .usage(
                    "--at is not a time", detail: at,
                    remedy: "Write 2026-01-31 09:05, 2026-01-31T09:05:00Z, or Unix seconds.")
            }
            request.at = time
        }
        return request
    }

    /// The options that say what the JSON says where it is read.
    private var optionsOfMail: [String] {
        let options: [(name: String, isGiven: Bool)] = [
            ("--from", from != nil), ("--to", !to.isEmpty), ("--cc", !cc.isEmpty), ("--bcc", !bcc.isEmpty),
            ("--template", template != nil), ("--no-signature", noSignature), ("--subject", subject != nil),
            ("--text", text != nil), ("--html", html != nil), ("--attach", !attach.isEmpty),
            ("--inline-image", !inlineImage.isEmpty), ("--reply-to-message", replyToMessage != nil),
            ("--all", replyAll), ("--no-quote", noQuote), ("--forward", forward != nil), ("--at", at != nil),
            ("--idempotency-key", idempotencyKey != nil),
        ]
        return options.filter(\.isGiven).map(\.name)
    }

    /// One mail for each named contact, to their first address.
    private func perContact(_ request: MailRequest, _ archive: Archive) throws(MailFailure) -> [MailRequest] {
        var request = request
        guard request.idempotencyKey?.isEmpty != true else {
            throw .usage(
                "The idempotency key is empty",
                remedy: "Take a key of its own for each mail, or none.")
        }
        guard !contacts.isEmpty else {
            request.goes(toContacts: 0, as: kind)
            return [request]
        }
        guard request.to.isEmpty else {
            throw .usage(
                "A mail to contacts has no other first recipients",
                detail: request.to.joined(separator: ", "),
                remedy: "Name all of them with --to, or all with --contact; copies go to --cc and --bcc.")
        }
        guard request.contact == nil else {
            throw .usage(
                "The mail names a contact, and so does --contact", detail: request.contact,
                remedy: "Name all of them with --contact.")
        }
        // What goes to an address is in the histories of all who have it. The lowest number speaks for them, in whichever
        // order they are named: the key is theirs.
        var places: [CanonicalAddress: Int] = [:]
        var chosen: [(contact: Contact, address: EmailAddress)] = []
        for name in contacts {
            let contact = try archive.findContact(name)
            guard let address = contact.emails.first else { throw .contactWithoutAddress(contact) }
            guard let place = places[CanonicalAddress(address)] else {
                places[CanonicalAddress(address)] = chosen.count
                chosen.append((contact, address))
                continue
            }
            var other = contact
            if contact.id.rawValue < chosen[place].contact.id.rawValue {
                other = chosen[place].contact
                chosen[place] = (contact, address)
            }
            Terminal.complain("warning: \(other.name) (\(address.addrSpec)) is written to once")
        }
        request.goes(toContacts: chosen.count, as: kind)
        return chosen.map { contact, address in
            var own = request
            own.to = [address.addrSpec]
            own.contact = contact.id.description
            own.idempotencyKey = request.idempotencyKey.map { "\($0) \(contact.id)" }
            return own
        }
    }

    static func contents(_ path: String) throws(MailFailure) -> String {
        let data =
            path == "-"
            ? FileHandle.standardInput.readDataToEndOfFile()
            : FileManager.default.contents(atPath: path)
        guard let data else {
            throw .usage("The file cannot be read", detail: path, remedy: "Check its path and permissions.")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw .usage("The file is not text in UTF-8", detail: path, remedy: "Convert it, or attach it.")
        }
        return text
    }

    /// What a decoder did not like, without its types.
    private static func words(_ error: any Error) -> String? {
        guard let error = error as? DecodingError else { return nil }
        switch error {
        case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return "\(path.isEmpty ? "it" : path) has the wrong type"
        case .dataCorrupted(let context):
            // The remedy's sentence follows.
            return context.debugDescription.hasSuffix(".")
                ? String(context.debugDescription.dropLast()) : context.debugDescription
        @unknown default: return nil
        }
    }

    /// The command's answer; the first three names are a contract.
    private struct Answer: Encodable {
        var id: OutboxID
        var messageID: MessageID
        var state: String
        var wasThere: Bool
        var item: OutboxItem?

        init(_ receipt: Archive.OutboxReceipt) {
            id = receipt.item
            messageID = receipt.messageID
            state = receipt.state.rawValue
            wasThere = receipt.wasThere
        }

        private enum CodingKeys: String, CodingKey {
            case id, state, recipients, reason, remedy
            case messageID = "message_id"
            case alreadyQueued = "already_queued"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(id, forKey: .id)
            try container.encode(messageID, forKey: .messageID)
            try container.encode(state, forKey: .state)
            try container.encode(wasThere, forKey: .alreadyQueued)
            guard let item else { return }
            try container.encode(item.recipients, forKey: .recipients)
            try container.encodeIfPresent(item.reason, forKey: .reason)
            try container.encodeIfPresent(item.remedy, forKey: .remedy)
        }

        var words: String {
            var lines = ["\(id): \(state)"]
            if let item { lines += OutboxPage.recipientLines(item) }
            if let reason = item?.reason { lines.append(reason) }
            if let remedy = item?.remedy { lines.append(remedy) }
            return lines.joined(separator: "\n")
        }
    }
}
