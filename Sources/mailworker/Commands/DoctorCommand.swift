import Archive
import ArgumentParser
import Foundation
import MailModel
import Worker

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks at configuration, key, archive, disk space and accounts, and says what to mend.",
        discussion: "Asks no server; account check does. Ends with 1 when something needs mending.")

    @OptionGroup var common: CommonOptions

    @Flag(help: "One JSON document instead of text.")
    var json = false

    /// One thing that was looked at.
    private struct Check: Encodable {
        var subject: String
        var isGood: Bool
        var text: String

        enum CodingKeys: String, CodingKey {
            case subject
            case isGood = "ok"
            case text
        }
    }

    func run() async throws {
        let checks = await examine()
        if json {
            Terminal.print(try JSONOutput.document(checks))
        } else {
            for check in checks {
                Terminal.print(
                    "\(check.isGood ? "ok  " : "MEND")  \(check.subject): \(Terminal.sanitized(check.text))")
            }
        }
        if checks.contains(where: { !$0.isGood }) { throw ExitStatus.someItemsFailed }
    }

    /// Each check stands on those before it: without configuration or archive there is nothing more to look at.
    private func examine() async -> [Check] {
        var checks: [Check] = []
        func good(_ subject: String, _ text: String) {
            checks.append(Check(subject: subject, isGood: true, text: text))
        }
        func bad(_ subject: String, _ text: String) {
            checks.append(Check(subject: subject, isGood: false, text: text))
        }

        let configuration: Configuration
        do {
            configuration = try common.loadConfiguration()
            good("configuration", configuration.path)
        } catch {
            bad("configuration", error.revealed)
            return checks
        }
        do {
            good("reading", try await configuration.reading().words)
        } catch {
            bad("reading", error.revealed)
        }
        var secrets = Workplace.Secrets.needed
        do {
            _ = try configuration.key()
            good("key", "readable, for its owner only")
        } catch {
            bad("key", error.revealed)
            secrets = .unused
        }
        let workplace: Workplace
        do {
            workplace = try Workplace(common, secrets: secrets)
            let counts = try workplace.archive.ledgerCounts()
            good(
                "archive",
                "\(configuration.archiveDirectory), \(counts.values.reduce(0, +)) ledger rows, "
                    + "\(try workplace.archive.openReviewCount()) in the queue")
        } catch {
            bad("archive", error.revealed)
            return checks
        }
        do {
            let broken = try workplace.archive.brokenPacks()
            if let first = broken.first {
                bad(
                    "originals",
                    "\(amount(broken.count, "pack is", "packs are")) not as the database says: \(first). Restore what is "
                        + "missing from a backup; mailworker verify names the messages.")
            } else {
                good("originals", "all packs are there, none is cut short")
            }
        } catch {
            bad("originals", error.revealed)
        }
        do {
            let open = try workplace.archive.openToOthers()
            if let first = open.first {
                bad(
                    "files",
                    "other users of this machine may read or change \(open.count) of the archive's files, such as "
                        + "\(first). Run: chmod -R go= '\(configuration.archiveDirectory)'")
            } else {
                good("files", "of the archive are for their owner only")
            }
            let others = try workplace.archive.ofOthers()
            if let first = others.first {
                let directory = configuration.archiveDirectory
                bad(
                    "owner",
                    "\(others.count) of the archive's files belong to another user than its directory, such as \(first). "
                        + "Run as root: chown -R --reference='\(directory)' '\(directory)'")
            }
        } catch {
            bad("files", error.revealed)
        }
        do {
            let space = try workplace.archive.diskSpace()
            if let shortage = configuration.space.shortage(in: space) {
                bad("disk", shortage.revealed)
            } else {
                good("disk", "\(space.freeBytes >> 20) MB free")
            }
        } catch {
            bad("disk", error.revealed)
        }
        do {
            let counts = try workplace.archive.outboxCounts()
            // What only a person can settle.
            if let uncertain = counts[.uncertain] {
                bad(
                    "outbox",
                    "of \(uncertain) mails nobody knows whether they arrived. See: mailworker outbox list --state uncertain"
                )
            } else {
                let waiting = [OutboxState.queued, .retry, .sending].reduce(0) { $0 + counts[$1, default: 0] }
                good("outbox", "\(waiting) to be sent, \(counts[.held, default: 0]) held")
            }
        } catch {
            bad("outbox", error.revealed)
        }
        do {
            let accounts = try workplace.archive.accounts().filter { $0.settings.kind == .mailbox }
            if accounts.isEmpty { bad("accounts", "none. Add one: mailworker account add --help") }
            for account in accounts {
                let subject = "account \(account.settings.name)"
                if let pause = try workplace.archive.sendPause(of: account.id), pause.needsAttention {
                    bad("sending of \(account.settings.name)", pause.waitText)
                }
                if !account.settings.isEnabled {
                    good(subject, "disabled")
                } else if !account.hasSecret, account.credentialKind == .refreshToken {
                    bad(
                        subject,
                        "is not authorized. Do it: mailworker account authorize \(account.settings.name)")
                } else if !account.hasSecret {
                    bad(subject, "has no password. Give it one: mailworker account edit --password-file FILE")
                } else if let failure = account.status.failure {
                    bad(subject, failure.revealed)
                } else {
                    good(
                        subject,
                        account.status.lastSuccess.map { "last polled \($0.shortText)" } ?? "not polled yet")
                }
            }
        } catch {
            bad("accounts", error.revealed)
        }
        return checks
    }
}

extension SendPause {
    /// What ends by itself in a little while is nobody's business yet.
    fileprivate var needsAttention: Bool {
        until == nil || failures > 2 || failure.kind != .transient || failure.code == .sendingBlocked
    }
}
