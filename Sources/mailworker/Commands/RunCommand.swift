import Archive
import ArgumentParser
import Foundation
import Logging
import MailModel
import MailTransport
import ServiceLifecycle
import UnixSignals
import Worker

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Keeps polling and sending: the daemon.",
        discussion: """
            Polls each account on its own interval, several at a time, and files what arrives;
            accounts with --push are watched, and their new mail is filed when it comes.
            What is in the outbox is sent when its time comes, and new mail becomes searchable.
            Accounts added or changed meanwhile are taken up within a second. SIGTERM and SIGINT end
            it cleanly: what was received is stored first. Logs go to standard error.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let workplace = try Workplace(common, secrets: .needed)
        let level =
            ProcessInfo.processInfo.environment["MAILWORKER_LOG_LEVEL"].flatMap(Logger.Level.init(rawValue:))
            ?? Logger.Level(rawValue: workplace.configuration.logLevel) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "mailworker")
        let settings = try workplace.pollSettings()
        let daemon = PollingDaemon(
            archive: workplace.archive, pass: try workplace.makeSyncPass(settings: settings),
            settings: settings)
        let dispatcher = OutboxDispatcher(
            archive: workplace.archive, loop: try NetworkLoop(),
            parsing: workplace.configuration.parsing(atMost: 1),
            settings: SendSettings(connections: settings))
        // Mail that is due waits for neither: a child process has to start first, and there may be much to read again.
        async let _ = Self.prepareReading(workplace, logger)
        Self.logBrokenPacks(workplace.archive, logger)
        logger.info("polling")
        let digests = workplace.configuration.digests.map { settings in
            DigestService(
                digests: OwnerDigests(
                    archive: workplace.archive, parsing: workplace.configuration.parsing(atMost: 1),
                    submission: workplace.configuration.submission, settings: settings),
                logger: logger)
        }
        let services: [any Service] =
            [
                PollingService(daemon: daemon, log: PollLog(logger: logger)),
                SendingService(dispatcher: dispatcher, log: SendLog(logger: logger)),
                IndexingService(indexing: workplace.searchIndexing(), logger: logger),
                KeepingService(archive: workplace.archive, logger: logger),
            ] + (digests.map { [$0] } ?? [])
        try await ServiceGroup(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
        logger.info("stopped")
    }

    /// New mail goes into a new pack whatever has become of the others: somebody must hear of it.
    private static func logBrokenPacks(_ archive: Archive, _ logger: Logger) {
        do {
            for broken in try archive.brokenPacks() {
                logger.error(
                    "a pack of originals is not as the database says: restore it from a backup",
                    metadata: ["pack": "\(broken)"])
            }
        } catch {
            logger.error("packs of originals were not looked at", metadata: ["failure": "\(error)"])
        }
    }

    /// Reads again what a version before this one could not read.
    private static func prepareReading(_ workplace: Workplace, _ logger: Logger) async {
        await logReading(workplace.configuration, logger)
        do {
            if let reread = try await workplace.rereadInWords() { logger.info("\(reread)") }
        } catch {
            // The daemon goes on with what arrives; the next start tries again.
            logger.error("quarantined messages were not read again", metadata: ["failure": "\(error)"])
        }
    }

    /// Says once where mail is read; less isolation than meant is a warning.
    private static func logReading(_ configuration: Configuration, _ logger: Logger) async {
        do {
            let reading = try await configuration.reading()
            logger.log(
                level: reading.isConfined ? .info : .warning, "reading mail",
                metadata: ["where": "\(reading.words)"])
        } catch {
            logger.error("mail cannot be read", metadata: ["failure": "\(error)"])
        }
    }
}

/// The daemon as a service: a graceful shutdown cancels its polls and waits for them.
private struct PollingService: Service {
    let daemon: PollingDaemon
    let log: PollLog

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await daemon.run(watch: log.note, failed: log.archiveFailed)
        }
    }
}

/// Brings the full-text index up to what was filed, a few seconds behind it.
private struct IndexingService: Service {
    private static let pause = Duration.seconds(3)

    let indexing: SearchIndexing
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var said: MailFailure?
            while !Task.isCancelled {
                do throws(MailFailure) {
                    let count = try await indexing.run()
                    said = nil
                    if count > 0 { logger.debug("indexed", metadata: ["messages": "\(count)"]) }
                } catch {
                    // Nothing is lost: what is due is derived from the archive, and polling says what is wrong with it.
                    if error != said, !Task.isCancelled {
                        logger.error("mail could not be indexed", metadata: ["failure": "\(error)"])
                    }
                    said = error
                }
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}

/// Lets go of what is kept for a time only, where nobody's next action does.
private struct KeepingService: Service {
    private static let pause = Duration.seconds(3600)

    let archive: Archive
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(MailFailure) {
                    try archive.forgetOldActions()
                    try archive.forgetOldEvents()
                } catch {
                    logger.error(
                        "old actions or events were not forgotten", metadata: ["failure": "\(error)"])
                }
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}

/// What the daemon's log says: accounts by name, numbers, and safe failure texts.
private struct PollLog: Sendable {
    let logger: Logger

    func note(_ event: PollEvent) {
        switch event {
        case .connecting(let account): logger.debug("connecting", metadata: ["account": "\(account)"])
        case .fetching(let account, _, let messages):
            logger.debug("fetching", metadata: ["account": "\(account)", "messages": "\(messages)"])
        case .committed: break
        case .watchLost(let account, let failure):
            // The account's polls go on, and say what is wrong when it lasts.
            logger.info("watch lost", metadata: ["account": "\(account)", "failure": "\(failure)"])
        case .cannotIdle(let account):
            logger.notice(
                "the server does not idle: the account is only polled", metadata: ["account": "\(account)"])
        case .notWatched(let host, let accounts):
            logger.warning(
                "accounts with push are only polled: poll.host_watches allows no more, or the limit on open files",
                metadata: ["host": "\(host)", "accounts": "\(accounts)"])
        case .held(let failure):
            logger.error("polling is held", metadata: ["failure": "\(failure)"])
        case .resumed: logger.notice("polling again")
        case .finished(let report):
            let counts = report.counts
            let level: Logger.Level = counts.fetched > 0 ? .info : .debug
            logger.log(
                level: level, "polled",
                metadata: [
                    "account": "\(report.name)", "fetched": "\(counts.fetched)", "linked": "\(counts.linked)",
                    "review": "\(counts.review)", "duplicates": "\(counts.duplicates)",
                ])
            if counts.parserLosses > 0 {
                logger.warning(
                    "messages ended the process that read them",
                    metadata: ["account": "\(report.name)", "messages": "\(counts.parserLosses)"])
            }
            if report.reused > 0 {
                logger.warning(
                    "the server was set back: it has given UIDs to other messages than before",
                    metadata: ["account": "\(report.name)", "uids": "\(report.reused)"])
            }
            if report.alert != nil {
                logger.warning(
                    "the server wants its user to read something: mailworker account show",
                    metadata: ["account": "\(report.name)"])
            }
            for failure in report.failures {
                // The description holds no address and no server's words; account show does.
                logger.warning(
                    "poll failed", metadata: ["account": "\(report.name)", "failure": "\(failure)"])
            }
        }
    }

    func archiveFailed(_ failure: MailFailure) {
        logger.error("the archive cannot be read", metadata: ["failure": "\(failure)"])
    }
}
