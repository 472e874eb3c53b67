import Archive
import MIMEParse
import MailModel
import MailSend
import MailTestKit
import MailTransport
import Worker

/// An account that sends to a scripted server.
final class SendFixture: Sendable {
    let worker: WorkerFixture
    private let settings: SendSettings
    private static let loop = Result { () throws(MailFailure) in try NetworkLoop() }

    var archive: Archive { worker.archive }
    var account: AccountID { worker.account }
    var clock: TurnedClock { worker.clock }

    init(_ server: ScriptedSMTPServer, timeoutSeconds: Int = 2) throws {
        worker = try WorkerFixture { settings in
            settings.smtp = ServerEndpoint(host: "127.0.0.1", port: server.port, security: .none)
            settings.timeoutSeconds = timeoutSeconds
        }
        var polls = PollSettings(allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
        let clock = worker.clock
        polls.now = { clock.now }
        var settings = SendSettings(connections: polls)
        settings.limits.endOfDataSeconds = timeoutSeconds
        settings.jitter = { 0.5 }
        self.settings = settings
    }

    func send(
        _ text: String, to address: String = WorkerFixture.client, cc: [String] = [], bcc: [String] = [],
        attachments: [String] = [],
        limits: MailSubmission.Settings = .init()
    ) async throws -> OutboxID {
        var request = MailRequest(account: "anna", to: ["Maria <\(address)>"])
        request.cc = cc
        request.bcc = bcc
        request.attachments = attachments
        request.subject = "Письмо"
        request.text = text
        let submission = MailSubmission(
            archive: archive, parsing: InProcessParsing(parser: MIMEParser()), settings: limits)
        return try await submission.submit(request, by: "anna", isImmediate: true).receipt.item
    }

    /// Has a daemon send until a fact holds.
    ///
    /// - Parameter archive: another worker's view of it; nil for the fixture's own.
    func daemon(
        as archive: Archive? = nil, until isFact: @escaping @Sendable () throws -> Bool
    ) async throws {
        let dispatcher = OutboxDispatcher(
            archive: archive ?? self.archive, loop: try Self.loop.get(),
            parsing: InProcessParsing(parser: MIMEParser()),
            settings: settings)
        let task = Task { try await dispatcher.run { _ in } }
        while !(try isFact()), !Task.isCancelled { await Task.yield() }
        task.cancel()
        try await task.value
    }

    /// - Parameter archive: another worker's view of it; nil for the fixture's own.
    func deliver(_ item: OutboxID, as archive: Archive? = nil) async throws -> OutboxItem {
        let dispatcher = OutboxDispatcher(
            archive: archive ?? self.archive, loop: try Self.loop.get(),
            parsing: InProcessParsing(parser: MIMEParser()),
            settings: settings)
        return try await dispatcher.deliver(item) { _ in }
    }
}
