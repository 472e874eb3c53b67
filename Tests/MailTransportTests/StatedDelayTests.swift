import MailModel
import Testing

@testable import MailTransport

/// Sentences of servers, and the pause that they ask for.
@Suite struct StatedDelayTests {
    @Test(arguments: [
        "NO [LIMIT] slow down", "535 5.7.8 authentication failed", "BYE [LIMIT] 15 connections",
        "NO you have 15 minutes", "421 4.7.0 try again later", "NO in a few minutes",
        "imap.firma.example:993: NO [INUSE] 3 tries", "через некоторое время",
        "NO wait 99999999999999999999 hours", "NO wait 9223372036854775807 hours", "",
    ]) func noDelayIsMadeUp(_ text: String) { #expect(StatedDelay.seconds(in: text) == nil) }

    @Test(arguments: [
        ("NO [LIMIT] Too many logins, try again in 15 minutes", 900),
        ("454 4.7.0 Too many login attempts, please try again in 300 seconds.", 300),
        ("BYE Rate limit hit. Retry after 30s", 30),
        ("NO [UNAVAILABLE] please wait for at least 2 hours", 7_200),
        ("421 4.7.0 Try again in an hour", 3_600), ("NO try again in one day", 86_400),
        ("NO Request is throttled. Suggested Backoff Time: 299961 milliseconds", 300),
        ("NO wait 9223372036854775807 ms", 9_223_372_036_854_776), ("NO wait 1 ms", 1),
        ("NO wait 1000 ms", 1), ("450 4.7.1 retry in 5min", 300),
        ("NO Повторите попытку через 10 минут", 600),
        ("NO Слишком много попыток. Подождите 30 секунд", 30), ("421 попробуйте через час", 3_600),
        ("NO через 2 часа", 7_200), ("NO через сутки", 86_400),
        ("NO Превышен лимит, повторите через минуту", 60),
    ]) func aDelayIsRead(_ text: String, _ seconds: Int) {
        #expect(StatedDelay.seconds(in: text) == seconds)
    }

    @Test func aBusyServersFailureCarriesIt() {
        let words = "NO [LIMIT] Too many simultaneous connections, try again in 15 minutes"
        #expect(ServerRefusal(reading: words)?.failure(detail: words).retryAfterSeconds == 900)
        #expect(ServerRefusal.serverBusy.failure(detail: "NO [LIMIT]").retryAfterSeconds == nil)
        // A wrong password is not made right by waiting.
        #expect(ServerRefusal.loginRefused.failure(detail: words).retryAfterSeconds == nil)
    }
}
