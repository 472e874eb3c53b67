import CCurl
import MailModel
import Testing

@testable import MailTransport

/// Each row of the two tables that turn foreign codes and words into failures.
@Suite struct ServerRefusalTests {
    @Test(arguments: [
        (
            "NO [ALERT] Application-specific password required: https://support.google.com",
            "appPasswordNeeded"
        ),
        ("NO [AUTHENTICATIONFAILED] NEOBHODIM parol: Application password is REQUIRED", "appPasswordNeeded"),
        ("534 5.7.9 Application-specific password required", "appPasswordNeeded"),
        (
            "535 5.7.8 Error: authentication failed: Invalid user or password! app password",
            "appPasswordNeeded"
        ),
        ("NO Требуется пароль приложения", "appPasswordNeeded"),
        ("NO [WEBALERT https://x] Web login required", "webLoginNeeded"),
        ("NO [ALERT] Please log in via your web browser", "webLoginNeeded"),
        ("NO [AUTHENTICATIONFAILED] invalid credentials or IMAP is disabled", "loginRefused"),
        ("NO [AUTHORIZATIONFAILED] not yours", "loginRefused"),
        ("NO [EXPIRED] password expired", "loginRefused"),
        ("535 5.7.8 Error: authentication failed", "loginRefused"),
        ("NO LOGIN failed", "loginRefused"),
        ("NO Login failed.", "loginRefused"),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", "tooManyConnections"),
        ("BYE [LIMIT] Too many connections from your IP", "tooManyConnections"),
        ("NO Maximum number of connections from user+IP exceeded", "tooManyConnections"),
        ("NO [UNAVAILABLE] Temporary authentication failure.", "serverBusy"),
        ("NO [LIMIT] slow down", "serverBusy"),
        ("NO [INUSE] Mailbox in use", "serverBusy"),
        ("NO [OVERQUOTA] full", "serverBusy"),
        ("454 4.7.0 Too many login attempts, please try again later", "serverBusy"),
        ("421 try again later", "serverBusy"),
        ("NO [CONTACTADMIN] account is locked", "administratorNeeded"),
        ("NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", "serverBusy"),
        ("NO [ALERT] Account exceeded command or bandwidth limits. (Failure)", "serverBusy"),
        ("NO [THROTTLED] Account exceeded IMAP command limits", "serverBusy"),
        ("NO Request is throttled. Suggested Backoff Time: 5000 milliseconds", "serverBusy"),
        ("NO [ALERT] Your account is not enabled for IMAP use. Please visit your settings", "accessDisabled"),
        ("NO [AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled sc=x", "loginRefused"),
        ("NO [AUTHENTICATIONFAILED] IMAP is disabled", "accessDisabled"),
        (
            "535 5.7.8 Error: authentication failed: This user does not have access rights to this service",
            "accessDisabled"
        ),
        ("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", "accessDisabled"),
        ("NO Доступ по IMAP запрещён настройками ящика", "accessDisabled"),
        ("535 5.7.8 Error: authentication failed: Please accept EULA first", "webLoginNeeded"),
        ("NO [ALERT] Web login required (Failure)", "webLoginNeeded"),
        ("535 5.7.0 NEOBHODIM parol prilozheniya", "appPasswordNeeded"),
        ("NO [AUTHENTICATIONFAILED] Account is blocked. Contact support", "accountLocked"),
        ("NO Ящик заблокирован", "accountLocked"),
        ("535-5.7.8 Username and Password not accepted.", "loginRefused"),
        ("NO Неверный логин или пароль", "loginRefused"),
        ("NO Неправильное имя пользователя", "loginRefused"),
        ("NO [UNAVAILABLE] Временно недоступно", "serverBusy"),
        ("NO Слишком много одновременных соединений", "tooManyConnections"),
        ("NO Слишком много попыток входа, попробуйте позже", "serverBusy"),
        ("NO Превышен лимит запросов", "serverBusy"),
        ("NO something else", nil),
        ("", nil),
        // Codes are no part of identifiers, addresses and other numbers.
        ("BYE Internal server error, please reconnect sc=Zk535nC_imap", nil),
        ("BYE session 1535 ends", nil), ("BYE after 535.5 seconds", nil), ("NO 14.7.33.2 is not known", nil),
        ("NO 4.7.33.2 is not known", nil), ("BYE 15.7.8 seconds", nil), ("BYE version 5.7.9b", nil),
        ("535", "loginRefused"), ("535-no", "loginRefused"), ("550 5.7.8 no", "loginRefused"),
        ("454 4.7.12 a transition is needed", "serverBusy"), ("451 (4.7.1) greylisted", "serverBusy"),
        ("421-4.7.0 wait", "serverBusy"), ("534-5.7.9 no", "appPasswordNeeded"),
    ]) func aReplyIsReadAs(_ text: String, _ expected: String?) {
        #expect(ServerRefusal(reading: text)?.rawValue == expected)
    }

    @Test func everyRefusalSaysWhatToDo() {
        for refusal in ServerRefusal.allCases {
            let failure = refusal.failure(detail: "the server's words")
            #expect(failure.remedy?.isEmpty == false)
            #expect(!failure.description.contains("the server's words"))
        }
    }

    @Test func aWrongPasswordIsTheUsersAndABusyServerNobodys() {
        #expect(ServerRefusal.loginRefused.failure(detail: "").kind == .credential)
        #expect(ServerRefusal.appPasswordNeeded.failure(detail: "").kind == .credential)
        #expect(ServerRefusal.serverBusy.failure(detail: "").kind == .transient)
        #expect(ServerRefusal.tooManyConnections.failure(detail: "").kind == .transient)
    }

    @Test(
        arguments: [
            (CURLE_COULDNT_RESOLVE_HOST, "unknown-host"), (CURLE_COULDNT_CONNECT, "connection-refused"),
            (CURLE_OPERATION_TIMEDOUT, "timed-out"), (CURLE_LOGIN_DENIED, "login-refused"),
            (CURLE_USE_SSL_FAILED, "tls-refused"), (CURLE_PEER_FAILED_VERIFICATION, "certificate"),
            (CURLE_SSL_CACERT_BADFILE, "ca-file"), (CURLE_SSL_CONNECT_ERROR, "tls-failed"),
            (CURLE_WEIRD_SERVER_REPLY, "not-a-mail-server"), (CURLE_RECV_ERROR, "connection-lost"),
            (CURLE_SEND_ERROR, "connection-lost"), (CURLE_GOT_NOTHING, "connection-lost"),
            (CURLE_OUT_OF_MEMORY, "system-resources"), (CURLE_URL_MALFORMAT, "bad-settings"),
            (CURLE_COULDNT_RESOLVE_PROXY, "proxy-failed"), (CURLE_PROXY, "proxy-failed"),
            (CURLE_SSL_PINNEDPUBKEYNOTMATCH, "certificate"),
            (CURLE_TFTP_NOTFOUND, "connection-lost"),
        ].map { (Int($0.0.rawValue), $0.1) })
    func aResultCodeBecomes(_ code: Int, _ expected: String) {
        let result = CurlResult(
            code: CURLcode(UInt32(code)), mailProtocol: .imap,
            endpoint: ServerEndpoint(host: "marker-host", port: 993, security: .tls),
            explanation: "marker-explanation")
        #expect(result.failure.code.rawValue == expected)
        #expect(result.failure.remedy != nil)
        #expect(!result.failure.description.contains("marker"))
        #expect(result.failure.revealed.contains("marker-host:993"))
    }

    @Test(arguments: [
        ("NO Server Unavailable. 15", "server-busy"), ("NO Internal error occurred", "server-busy"),
        ("NO System error", "server-busy"), ("NO LOGIN внутренняя ошибка", "server-busy"),
        ("NO [AUTHENTICATIONFAILED] internal error", "login-refused"), ("NO no", "login-refused"),
        ("", "login-refused"),
    ])
    func aServerInTroubleIsNoWrongPassword(words: String, code: String) {
        let result = CurlResult(
            code: CURLE_LOGIN_DENIED, mailProtocol: .imap,
            endpoint: ServerEndpoint(host: "h", port: 993, security: .tls), refusals: words)
        #expect(result.failure.code.rawValue == code)
    }

    @Test(arguments: [
        (MailProtocol.imap, "BYE no server is there", "connection-refused"),
        (.smtp, "421 4.3.2 closing", "connection-refused"), (.smtp, "554 go away", "not-a-mail-server"),
        (.imap, "NO what", "not-a-mail-server"),
    ])
    func aServerThatTakesNoConnectionNowIsAskedAgain(
        mailProtocol: MailProtocol, words: String, code: String
    ) {
        let result = CurlResult(
            code: CURLE_WEIRD_SERVER_REPLY, mailProtocol: mailProtocol,
            endpoint: ServerEndpoint(host: "h", port: 993, security: .tls), refusals: words)
        #expect(result.failure.code.rawValue == code)
        #expect(result.failure.kind == (code == "connection-refused" ? .transient : .needsPerson))
    }

    @Test func aRefusedConnectionBehindAProxyIsTheProxys() {
        var result = CurlResult(
            code: CURLE_COULDNT_CONNECT, mailProtocol: .imap,
            endpoint: ServerEndpoint(host: "h", port: 993, security: .tls))
        result.usedProxy = true
        #expect(result.failure.code == .proxyFailed)
        result.code = CURLE_RECV_ERROR
        #expect(result.failure.code == .connectionLost)
        result.explanation = "CONNECT tunnel failed, response 403"
        #expect(result.failure.code == .proxyFailed)
    }

    @Test func theServersReasonBeatsTheBareResultCode() {
        for code in [CURLE_LOGIN_DENIED, CURLE_WEIRD_SERVER_REPLY, CURLE_RECV_ERROR] {
            let result = CurlResult(
                code: code, mailProtocol: .imap,
                endpoint: ServerEndpoint(host: "h", port: 993, security: .tls),
                refusals: "NO [UNAVAILABLE] later")
            #expect(result.failure.code == .serverBusy)
        }
    }

    @Test func onlyRefusalsCountAsReasons() {
        var transcript = LoginTranscript()
        for line in [
            "* OK [CAPABILITY IMAP4rev1] Too many connections is not what happened\r\n",
            "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", "A002 NO [ALERT] really no\r\n", "* BYE gone\r\n",
        ] {
            Array(line.utf8).withUnsafeBytes { transcript.append($0) }
        }
        #expect(transcript.refusals(.imap) == "NO [ALERT] really no BYE gone")
        var smtp = LoginTranscript()
        for line in ["220 hello\r\n", "250-AUTH PLAIN\r\n", "535-5.7.8 no\r\n", "535 5.7.8 never\r\n"] {
            Array(line.utf8).withUnsafeBytes { smtp.append($0) }
        }
        #expect(smtp.refusals(.smtp) == "535-5.7.8 no 535 5.7.8 never")
    }

    @Test func aTalkativeServerDoesNotFillMemory() {
        var transcript = LoginTranscript()
        let line = [UInt8](repeating: 0x41, count: 5_000)
        for _ in 0..<100 { line.withUnsafeBytes { transcript.append($0) } }
        #expect(transcript.bytes.count <= 16 << 10)
    }
}
