import Logging
import MailModel
import ServiceLifecycle
import Worker

/// The dispatcher as a service: a graceful shutdown lets mail under way end.
struct SendingService: Service {
    let dispatcher: OutboxDispatcher
    let log: SendLog

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await dispatcher.run(watch: log.note) }
    }
}

/// What the daemon's log says of sending: accounts by name, numbers, and safe failure texts.
struct SendLog: Sendable {
    let logger: Logger

    func note(_ event: SendEvent) {
        switch event {
        case .sent(let account, let mails, let recipients):
            logger.info(
                "sent",
                metadata: ["account": "\(account)", "mails": "\(mails)", "recipients": "\(recipients)"])
        case .notSent(let account, let item, let failure):
            logger.warning(
                "not sent",
                metadata: ["account": "\(account)", "outbox": "\(item)", "failure": "\(failure)"])
        case .paused(let account, let failure):
            logger.warning(
                "sending is paused", metadata: ["account": "\(account)", "failure": "\(failure)"])
        case .copyFailed(let account, let failure):
            logger.warning(
                "no copy in the Sent folder yet",
                metadata: ["account": "\(account)", "failure": "\(failure)"])
        case .filed(let count): logger.debug("filed", metadata: ["messages": "\(count)"])
        case .becameUncertain(let count):
            logger.warning(
                "mail is uncertain: a process ended while it was handed over",
                metadata: ["messages": "\(count)"])
        case .archiveFailed(let failure):
            logger.error("the outbox cannot be used", metadata: ["failure": "\(failure)"])
        }
    }
}
