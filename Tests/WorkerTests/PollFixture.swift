import Archive
import Foundation
import MIMEParse
import MailFetch
import MailModel
import MailTestKit
import MailTransport
import OAuth
import Synchronization
import Testing

@testable import Worker

/// One account on a scripted server, with everything that polls it.
final class PollFixture: Sendable {
    let server: ScriptedIMAPServer
    let worker: WorkerFixture
    let pass: SyncPass
    let daemon: PollingDaemon
    let mailboxes: MailboxConnections
    private let settings: PollSettings
    /// How often the time was asked for.
    let ticks = Notes()
    /// What was slept, which takes no time here.
    let sleeps = Notes()
    private static let loop = Result { () throws(MailFailure) in try NetworkLoop() }

    /// - Parameter parseMessages: 1 commits each message as it comes.
    init(
        _ scripts: [IMAPScript], limits: MailLimits = .standard, parseMessages: Int? = nil,
        concurrency: Int = 4, hostConnections: Int = 32, hostWatches: Int = 1_000,
        space: SpaceLimit = SpaceLimit(),
        sliceBytes: Int64 = FetchAllowance.usualSliceBytes,
        oauthClients: [OAuthProvider: OAuthClient] = [:],
        account change: (inout AccountSettings) -> Void = { _ in }
    ) throws {
        server = try ScriptedIMAPServer(playing: scripts)
        worker = try WorkerFixture(port: server.port, change: change)
        var settings = PollSettings(
            limits: limits, allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]), concurrency: concurrency)
        settings.space = space
        settings.sliceBytes = sliceBytes
        settings.oauthClients = oauthClients
        settings.hostConnections = hostConnections
        settings.hostWatches = hostWatches
        let sleeps = sleeps
        settings.sleep = {
            sleeps.add("\($0)")
            try Task.checkCancellation()
            await Task.yield()
        }
        mailboxes = settings.mailboxes
        let (clock, ticks) = (worker.clock, ticks)
        settings.now = {
            ticks.add("asked")
            return clock.now
        }
        let archive = worker.archive
        var size = IngestPipeline.Limits()
        if let parseMessages { size.parseMessages = parseMessages }
        let pipeline = IngestPipeline(
            archive: archive, parsing: InProcessParsing(parser: MIMEParser(limits: limits)), limits: size)
        let poller = MailboxPoller(
            archive: archive, loop: try Self.loop.get(), pipeline: pipeline, settings: settings)
        self.settings = settings
        pass = SyncPass(archive: archive, poller: poller, settings: settings)
        daemon = PollingDaemon(archive: archive, pass: pass, settings: settings)
    }

    deinit { server.stop() }

    /// Polls as after a restart with other limits.
    func pass(limits: MailLimits) throws -> SyncPass {
        var settings = settings
        settings.limits = limits
        let archive = worker.archive
        let pipeline = IngestPipeline(
            archive: archive, parsing: InProcessParsing(parser: MIMEParser(limits: limits)))
        let poller = MailboxPoller(
            archive: archive, loop: try Self.loop.get(), pipeline: pipeline, settings: settings)
        return SyncPass(archive: archive, poller: poller, settings: settings)
    }

    @discardableResult
    func poll(watch: @escaping @Sendable (PollEvent) -> Void = { _ in }) async throws -> AccountReport {
        await pass.poll(try worker.polled(), watch: watch)
    }

    /// The ordinary poll with the first script, then everything that the watch of the account does with the others.
    ///
    /// What happens is in the notes: `fetched N` and `lost CODE`.
    static func watching(
        _ scripts: [IMAPScript], _ body: (PollFixture, Notes) async throws -> Void
    ) async throws {
        // The lease of a poll under way would keep the watch waiting: it has ended before.
        let fixture = try PollFixture(scripts)
        try await fixture.poll()
        var settings = try fixture.worker.polled().settings
        settings.isWatched = true
        try fixture.worker.archive.editAccount(fixture.worker.account, settings)
        try fixture.worker.archive.noteAttempt(
            fixture.worker.account, revision: try fixture.worker.polled().revision,
            startedAt: fixture.worker.clock.now, failure: nil,
            nextPoll: fixture.worker.clock.now.advanced(bySeconds: 86_400))
        let notes = Notes()
        let running = Task {
            try? await fixture.daemon.run { event in
                switch event {
                case .finished(let report): notes.add("fetched \(report.counts.fetched)")
                case .watchLost(_, let failure): notes.add("lost \(failure.code.rawValue)")
                default: break
                }
            } failed: {
                notes.add("archive \($0.code.rawValue)")
            }
        }
        do {
            try await body(fixture, notes)
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        await running.value
        fixture.expectOnlyReading()
    }

    func status() throws -> AccountStatus { try worker.polled().status }

    /// Whatever the server did, it was only read from.
    func expectOnlyReading(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(server.violations.isEmpty, sourceLocation: sourceLocation)
        for line in server.received {
            let words = line.uppercased().split(separator: " ")
            for verb in ["SELECT", "STORE", "EXPUNGE", "MOVE", "COPY", "APPEND", "DELETE", "CLOSE"] {
                #expect(!words.contains(Substring(verb)), "\(line)", sourceLocation: sourceLocation)
            }
            #expect(!line.uppercased().contains("BODY["), "\(line)", sourceLocation: sourceLocation)
        }
    }
}
