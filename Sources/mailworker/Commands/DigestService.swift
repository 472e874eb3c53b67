import Logging
import MailModel
import ServiceLifecycle
import Worker

/// Tells owners of new mail, when a digest is due.
struct DigestService: Service {
    private static let pause = Duration.seconds(15)

    let digests: OwnerDigests
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var said: [MailFailure] = []
            while !Task.isCancelled {
                var failures: [MailFailure]
                do throws(MailFailure) {
                    let outcome = try await digests.run()
                    if outcome.queued > 0 {
                        logger.info("digests", metadata: ["queued": "\(outcome.queued)"])
                    }
                    failures = outcome.failures
                } catch {
                    failures = [error]
                }
                // Nothing is lost: what was not told is told when it can be. What is wrong is said once.
                for failure in failures where !said.contains(failure) && !Task.isCancelled {
                    logger.error("a digest could not be queued", metadata: ["failure": "\(failure)"])
                }
                said = failures
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}
