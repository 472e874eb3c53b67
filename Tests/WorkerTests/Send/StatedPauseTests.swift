import MailFetch
import MailModel
import MailSend
import MailTransport
import Testing

@testable import Archive
@testable import Worker

/// A server that says when to come again is not visited before, however the dice fall.
@Suite struct StatedPauseTests {
    private static let now = UnixTime(1_000_000)

    /// Seconds until the next try of the mail, and for which its account is silent.
    private static func pauses(
        _ reply: SMTPReply, at stage: SMTPStage = .rcpt, attempt: Int = 1, preset: ProviderPreset = .custom,
        jitter: Double
    ) -> (mail: Int64, account: Int64?) {
        let recipient = OutboxClaim.Recipient(
            position: 0, address: EmailAddress("maria@client.example")!, tries: attempt - 1)
        let claim = OutboxClaim(
            id: OutboxID(rawValue: 1), account: AccountID(rawValue: 1),
            messageID: MessageID(rawValue: "a@b.example"), envelopeID: "a",
            sender: EmailAddress("anna@firma.example"), kind: .single, needsUTF8: false, size: 1,
            attempt: attempt,
            firstTry: now, recipients: [recipient], content: nil)
        let transmission =
            stage == .rcpt
            ? Transmission(recipientReplies: [0: reply], ending: .nobodyAccepted)
            : Transmission(recipientReplies: [:], ending: .refused(stage, reply))
        let verdict = DeliveryVerdict(
            transmission, of: claim, offered: [recipient], rules: SendRules(preset: preset, limits: .init()),
            now: now, jitter: jitter)
        return (
            verdict.ending.nextTry.rawValue - now.rawValue,
            verdict.pause.map { ($0.until?.rawValue ?? .max) - now.rawValue }
        )
    }

    @Test(
        arguments: [
            (450, "4.7.1 Greylisted, see http://postgrey.example/ and try again in 300 seconds", 300),
            (451, "4.7.1 Please try again in 15 minutes", 900),
            (450, "4.2.1 The recipient is receiving mail too fast; retry after 2 hours", 7_200),
            (452, "4.5.3 Too many recipients, wait for 10 minutes", 600),
            (451, "4.3.0 повторите попытку через 20 минут", 1_200),
            // Nobody is kept waiting for years.
            (451, "4.3.0 try again in 900 days", 86_400),
        ], [0, 0.5, 0.999])
    func nothingIsTriedBeforeTheStatedTime(_ answer: (Int, String, Int64), jitter: Double) {
        let pause = Self.pauses(SMTPReply(code: answer.0, lines: [answer.1]), jitter: jitter).mail
        #expect(pause >= answer.2 && pause <= answer.2 * 6 / 5)
    }

    @Test(arguments: [0, 0.999]) func aStatedTimeDoesNotShortenTheSchedule(jitter: Double) {
        let soon = SMTPReply(code: 451, lines: ["4.3.0 try again in 5 seconds"])
        #expect(Self.pauses(soon, jitter: jitter).mail >= 96)
        #expect(Self.pauses(soon, attempt: 5, jitter: jitter).mail >= 2_880)
    }

    @Test(arguments: [0, 0.999]) func greylistingWithoutATimeIsWaitedOut(jitter: Double) {
        let reply = SMTPReply(code: 450, lines: ["4.2.0 Greylisted"])
        #expect((330...400).contains(Self.pauses(reply, jitter: jitter).mail))
    }

    @Test(arguments: [
        // A provider whose block is known is not believed to forgive sooner.
        (ProviderPreset.yandex, "4.5.4 rate limit exceeded, try again in 10 minutes", Int64(88_200)),
        (.custom, "4.5.4 rate limit exceeded, try again in 10 minutes", 600),
        (.custom, "4.5.4 rate limit exceeded, try again in 3 hours", 10_800),
        (.custom, "4.5.4 rate limit exceeded, try again in 1 second", 60),
        (.custom, "4.5.4 rate limit exceeded", 3_600),
    ]) func anAccountIsSilentForAsLongAsItsServerSays(
        preset: ProviderPreset, words: String, seconds: Int64
    ) {
        let reply = SMTPReply(code: 450, lines: [words])
        let pauses = Self.pauses(reply, at: .mail, preset: preset, jitter: 0)
        // The mail itself is due: it waits for its account.
        #expect(pauses.account == seconds && pauses.mail == 0)
    }

    @Test func anAccountThatCannotSignInWaitsForAsLongAsItsServerSays() {
        func wait(_ stated: Int?, failures: Int = 1) -> Int64? {
            let failure = MailFailure(
                .serverBusy, kind: .transient, "Busy", detail: nil, remedy: nil, retryAfterSeconds: stated)
            return AccountSender.resume(after: failure, failures: failures, now: Self.now)
                .map { $0.rawValue - Self.now.rawValue }
        }
        #expect(wait(nil) == 30 && wait(900) == 900 && wait(5, failures: 4) == 240)
        #expect(wait(.max) == 86_400)
    }
}
