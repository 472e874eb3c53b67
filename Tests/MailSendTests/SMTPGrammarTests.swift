import MIMEParse
import MailModel
import Testing

@testable import MailSend

/// What goes over the wire and what comes back, without a wire.
@Suite struct SMTPGrammarTests {
    func stuffed(_ text: String, pieces: Int = 1) throws -> String {
        let bytes = Array(text.utf8)
        var stuffing = DotStuffing()
        var output: [UInt8] = []
        let length = max(1, (bytes.count + pieces - 1) / pieces)
        for start in stride(from: 0, to: bytes.count, by: length) {
            try stuffing.append(Array(bytes[start..<min(bytes.count, start + length)]), to: &output)
        }
        try stuffing.finish(into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Every way in which some server takes a lone dot for the end, and some bytes beside.
    @Test(arguments: [
        "\n.\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\n.\r\n", "\r.\r\n", "\r\r\n.\r\r\n", "\r\n.\0\r\n",
        "\r\n\0.\r\n",
        "\n\n.\r\n", "\r\n\r.\r\n", "\r\n.\r\r\n", "\n.\r", "\r.\n", "\0", "a\nb\r\n", "a\rb\r\n", "\r", "\n",
    ])
    func whatIsNotALineIsNeverSent(_ middle: String) {
        for pieces in [1, 2, 3, 7] {
            #expect(throws: MailFailure.self) {
                _ = try stuffed("Subject: x\r\n\r\ntext\(middle)MAIL FROM:<x@y>\r\n", pieces: pieces)
            }
        }
    }

    @Test func aLineOf998OctetsGoesAndOneOf999DoesNot() throws {
        let line = String(repeating: "x", count: 998)
        for pieces in [1, 2, 5] {
            #expect(try stuffed(line + "\r\n", pieces: pieces) == line + "\r\n.\r\n")
            #expect(throws: MailFailure.self) { _ = try stuffed(line + "x\r\n", pieces: pieces) }
            #expect(throws: MailFailure.self) { _ = try stuffed(line + "xx", pieces: pieces) }
        }
    }

    @Test func dotsAreStuffedWhereverThePiecesAreCut() throws {
        let text = ".\r\n..\r\na.b\r\n.x\r\n\r\n.\r\n"
        for pieces in 1...text.utf8.count {
            #expect(
                try stuffed(text, pieces: pieces) == "..\r\n...\r\na.b\r\n..x\r\n\r\n..\r\n.\r\n")
        }
        #expect(try stuffed("no end") == "no end\r\n.\r\n")
    }

    func replies(_ text: String, by count: Int = 1_000) throws -> [SMTPReply] {
        var reader = SMTPReplyReader()
        var found: [SMTPReply] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: count) {
            reader.feed(Array(bytes[start..<min(bytes.count, start + count)]))
            while let reply = try reader.next() { found.append(reply) }
        }
        return found
    }

    @Test(arguments: [
        "hello\r\n", "25\r\n", "2500 x\r\n", "\r\n", "199 x\r\n", "600 x\r\n", "25x y\r\n", "250_x\r\n",
    ])
    func whatIsNoReplyIsRefused(_ text: String) {
        #expect(throws: MailFailure.self) { _ = try replies(text) }
    }

    @Test func repliesWithoutAnEndAreRefused() {
        #expect(throws: MailFailure.self) { _ = try replies(String(repeating: "x", count: 10_000)) }
        #expect(throws: MailFailure.self) { _ = try replies(String(repeating: "250-x\r\n", count: 129)) }
        let long = "250-" + String(repeating: "y", count: 4_000) + "\r\n"
        #expect(throws: MailFailure.self) { _ = try replies(String(repeating: long, count: 20)) }
    }

    @Test func repliesAreReadHoweverTheyArrive() throws {
        let text = "250-first\r\n250-2.1.0 second\n250\r\n550 5.1.1 No\u{7} such\r\n"
        for count in [1, 2, 3, 1_000] {
            let found = try replies(text, by: count)
            #expect(found.map(\.code) == [250, 550])
            #expect(found[0].lines == ["first", "2.1.0 second", ""])
            #expect(found[1].status?.text == "5.1.1")
            #expect(found[1].text == "550 5.1.1 No  such")
        }
        // A status of another class than the code is none.
        #expect(try replies("250 5.1.1 odd\r\n")[0].status == nil)
    }

    @Test func commandsHoldNothingButWhatTheyAreMadeOf() throws {
        let path = try SMTPPath(EmailAddress("maria@client.example")!)
        var parameters = SMTPCommand.MailParameters()
        parameters.size = 7
        parameters.envelopeID = "a b=\r\nRSET"
        #expect(
            String(decoding: SMTPCommand.mail(path, parameters).bytes, as: UTF8.self)
                == "MAIL FROM:<maria@client.example> SIZE=7 RET=HDRS ENVID=a+20b+3D+0D+0ARSET\r\n")
        #expect(String(decoding: SMTPCommand.mail(nil, .init()).bytes, as: UTF8.self) == "MAIL FROM:<>\r\n")
        #expect(
            String(decoding: SMTPCommand.rcpt(path, dsn: true).bytes, as: UTF8.self)
                == "RCPT TO:<maria@client.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;maria@client.example\r\n"
        )
    }

    @Test func theReplyTableDecidesRowByRow() throws {
        let cases: [(String, SMTPStage, String)] = [
            ("450 4.2.1 The recipient has exceeded message rate limit", .rcpt, "recipient-rate"),
            ("550 5.4.5 Daily user sending limit exceeded", .data, "account-limit"),
            ("421 4.7.28 Our system has detected an unusual rate", .mail, "account-limit"),
            ("454 Throttling failure: Maximum sending rate exceeded", .endOfData, "account-limit"),
            ("550 5.1.90 You have reached your daily limit for message recipients", .rcpt, "account-limit"),
            (
                "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", .data,
                "account-limit"
            ),
            ("451 4.7.1 Ratelimit \"user\" exceeded", .endOfData, "account-rate"),
            ("550 5.7.1 Message rate exceeded", .mail, "account-rate"),
            ("450 4.7.1 Error: too much mail from 192.0.2.1", .mail, "account-pace"),
            ("421 4.7.0 Try again later, closing connection", .mail, "account-pace"),
            ("421 Too many concurrent SMTP connections", .mail, "account-pace"),
            ("451 4.7.0 Temporary server error. Please try again later", .mail, "account-pace"),
            ("450 Slow down, you send at a rate of 90 per minute", .mail, "account-pace"),
            ("452 4.5.3 Emails are sent too quickly", .mail, "account-pace"),
            ("450 4.7.1 Greylisted, try again later", .mail, "greylisted"),
            ("451 4.3.0 a separate moderated queue is full", .mail, "transient"),
            ("550 5.7.1 too much mail", .mail, "sender-refused"),
            ("450 4.7.1 Error: too much mail", .rcpt, "transient"),
            ("421 4.7.0 Try again later", .endOfData, "transient"),
            // Trouble of the server's, of one recipient's, or for good: nobody else's mail waits for it.
            ("421 4.4.5 Server busy, try again later. gsmtp", .rcpt, "transient"),
            ("452 4.4.5 Insufficient disk space; try again later", .mail, "transient"),
            ("452 4.2.2 <ivan@client.example>: too many messages in mailbox", .rcpt, "mailbox-full"),
            ("451 4.7.1 Recipient rate limit exceeded for ivan@client.example", .rcpt, "recipient-rate"),
            ("451 4.7.1 <ivan@client.example>: Rate limit exceeded", .rcpt, "rate"),
            ("554 5.7.1 too many messages from your IP, blocked by recipient", .rcpt, "permanent"),
            ("554 5.7.1 too many messages from your IP", .endOfData, "permanent"),
            ("535 5.7.8 Error: authentication failed", .mail, "sign-in"),
            ("530 5.7.0 Must issue STARTTLS", .mail, "sign-in"),
            ("554 5.7.1 Message rejected under suspicion of SPAM", .endOfData, "spam"),
            ("451 4.7.1 Greylisted, try again later", .rcpt, "greylisted"),
            // What may pass is waited for, whatever it mentions.
            ("451 4.7.1 Greylisted to fight spam, come back in 300 seconds", .endOfData, "greylisted"),
            ("451 4.3.2 Virus scanner temporarily unavailable, try again later", .endOfData, "transient"),
            ("452 4.3.1 antispam1.provider.example: insufficient system storage", .endOfData, "transient"),
            ("450 4.1.8 <anna@firma.example>: Sender address rejected: Domain not found", .mail, "transient"),
            ("450 4.1.8 <anna@firma.example>: Sender address rejected: Domain not found", .rcpt, "transient"),
            ("550 5.7.1 daily limit for this recipient reached", .rcpt, "rate"),
            ("550 5.7.1 daily limit reached", .mail, "account-limit"),
            ("553 5.7.1 Sender address rejected: not owned by user", .rcpt, "sender-not-owned"),
            ("550 5.1.8 Sender unknown", .mail, "sender-refused"),
            ("552 5.3.4 Message size exceeds fixed limit", .mail, "too-large"),
            ("552 Message too big", .endOfData, "too-large"),
            ("552 5.2.2 Over quota", .endOfData, "mailbox-full"),
            (
                "552 5.7.0 This message was blocked because its content presents a potential security issue.",
                .endOfData, "content-refused"
            ),
            ("552 5.7.0 No", .endOfData, "permanent"),
            ("552 5.2.2 Mailbox full", .rcpt, "mailbox-full"),
            ("452 4.2.2 Mailbox full", .endOfData, "mailbox-full"),
            ("550 5.1.1 No such user", .rcpt, "unknown-address"),
            ("452 4.5.3 Too many recipients", .rcpt, "too-many-recipients"),
            ("554 5.6.0 Malformed MIME", .endOfData, "content-refused"),
            ("503 5.5.1 Bad sequence", .data, "protocol"),
            ("451 4.3.0 Try later", .endOfData, "transient"),
            ("554 No", .rcpt, "permanent"),
        ]
        for (text, stage, row) in cases {
            let reply = try replies(text + "\r\n")[0]
            #expect(ReplyTable.row(for: reply, at: stage).name == row, "\(text)")
        }
        // Every row is told by some case.
        #expect(Set(cases.map(\.2)) == Set(ReplyTable.rows.map(\.name)))
    }

    @Test func aMailIsTriedForFiveDays() {
        let start = UnixTime(1_000_000)
        var now = start
        var attempt = 1
        while let next = RetrySchedule.nextTry(
            attempt: attempt, firstTry: start, now: now, asked: nil, jitter: 0.5)
        {
            #expect(next > now)
            #expect(next <= start.advanced(bySeconds: RetrySchedule.longestSeconds))
            now = next
            attempt += 1
        }
        #expect(now == start.advanced(bySeconds: RetrySchedule.longestSeconds))
        #expect((25...35).contains(attempt))
    }
}
