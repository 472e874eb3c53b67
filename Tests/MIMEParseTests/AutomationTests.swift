import MIMEParse
import MailModel
import Testing

@Suite struct AutomationTests {
    @Test(arguments: [
        "Auto-Submitted: no", "Precedence: first-class", "X-Auto-Response-Suppress: none", "X: y",
    ])
    func personalMailStaysPersonal(_ field: String) {
        #expect(reading("From: a@b.example\n\(field)\n\nx").automation.isPersonal)
    }

    @Test(arguments: [
        "Auto-Submitted: auto-replied", "auto-submitted: AUTO-GENERATED (rejected)", "X-Autoreply: yes",
        "X-Auto-Response-Suppress: All", "Precedence: auto_reply",
    ])
    func automaticRepliesAreMarked(_ field: String) {
        #expect(reading("\(field)\n\nx").automation.isAutoSubmitted)
    }

    @Test func listsAreMarked() {
        #expect(reading("List-Id: Talk <talk.lists.example>\n\nx").automation.listID == "talk.lists.example")
        let post = reading("List-Post: <https://lists.example/>, <mailto:Talk@lists.example?subject=x>\n\nx")
        #expect(post.automation.listPost?.addrSpec == "Talk@lists.example")
        for none in ["NO (closed)", "<mailto:>", "<https://lists.example/>"] {
            #expect(reading("List-Post: \(none)\n\nx").automation.listPost == nil)
        }
        #expect(reading("Precedence: bulk\n\nx").automation.isBulk)
        #expect(reading("List-Unsubscribe: <mailto:u@x.example>\n\nx").automation.isBulk)
    }

    @Test func bouncesAreMarked() {
        #expect(
            reading("From: MAILER-DAEMON@mx.example\nReturn-Path: <>\n\nx").automation.isDeliveryReport)
        #expect(reading("X-Failed-Recipients: a@b.example\n\nx").automation.isDeliveryReport)
        #expect(
            reading(
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n--b--\n"
            ).automation.isDeliveryReport)
        #expect(
            !reading("From: postmaster@mx.example\nReturn-Path: <p@mx.example>\n\nx").automation
                .isDeliveryReport)
    }

    @Test func aRecipientWithoutAReasonIsGivenNobodyElses() {
        let report = reading(
            """
            From: MAILER-DAEMON@mx.example
            Subject: Undelivered Mail Returned to Sender

            I'm sorry to have to inform you that your message could not
            be delivered to one or more recipients.

            <ivan@example.ru>: mail for example.ru loops back to myself

            <petr@example.ru>: user unknown
            """
        ).special?.deliveryReport
        #expect(report?.recipients.map(\.finalRecipient) == ["ivan@example.ru", "petr@example.ru"])
        #expect(report?.recipients.map { $0.status?.text } == [nil, "5.1.1"])
        #expect(report?.recipients.map(\.failure) == [.unknown, .hard])
    }

    @Test(arguments: [
        ("Microsoft Outlook <postmaster@firma.example>", true),
        ("MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@firma.example", true),
        ("microsoftexchange@firma.example", false), ("anna@firma.example", false),
    ])
    func bouncesOfExchangeAreFoundWithoutAReturnPath(_ from: String, _ isFound: Bool) {
        let mail = """
            From: \(from)
            Subject: Undeliverable: Offer

            Delivery has failed to these recipients or groups:

            ivan@kontora.example
            The email address you entered couldn't be found.

            Diagnostic information for administrators:
            #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
            """
        let report = reading(mail).special?.deliveryReport
        #expect(report?.recipients.map { $0.status?.text } == (isFound ? ["5.1.1"] : nil))
        // People write as postmaster as well.
        #expect(reading(mail.replacing("5.1.1", with: "")).special?.deliveryReport == nil)
    }

    @Test func invitesAreMarked() {
        #expect(
            reading("Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR").automation.isCalendar)
    }
}
