import CCurl
import MailModel
import Synchronization

/// The way out of a wait: set from any thread when the waiting task is cancelled.
final class WaitToken: Sendable {
    private let flag = Atomic<Bool>(false)
    var isCancelled: Bool { flag.load(ordering: .acquiring) }
    func cancel() { flag.store(true, ordering: .releasing) }
}

/// A task that waits for the loop, with its token.
final class Waiter<Value: Sendable>: Sendable {
    private let continuation: CheckedContinuation<Result<Value, MailFailure>, Never>
    let token: WaitToken

    init(continuation: CheckedContinuation<Result<Value, MailFailure>, Never>, token: WaitToken) {
        self.continuation = continuation
        self.token = token
    }

    func resume(_ result: Result<Value, MailFailure>) { continuation.resume(returning: result) }
}

/// One connection as the loop sees it. Everything mutable belongs to the loop's thread, libcurl's
/// callbacks included, which run there.
final class LoopConnection: @unchecked Sendable {
    enum Phase {
        case new
        case opening
        case open
        case closed
    }

    /// Who is told when all is sent.
    enum Sender: Sendable {
        case waiter(Waiter<Void>)
        /// Nobody yet: the answer is waited for next, with a deadline in seconds of its own or with that of the settings.
        case receiver(within: Int?, Waiter<ByteChannel.Received>)

        var isCancelled: Bool {
            switch self {
            case .waiter(let waiter): waiter.token.isCancelled
            case .receiver(_, let waiter): waiter.token.isCancelled
            }
        }

        func refuse(_ failure: MailFailure) {
            switch self {
            case .waiter(let waiter): waiter.resume(.failure(failure))
            case .receiver(_, let waiter): waiter.resume(.failure(failure))
            }
        }
    }

    let settings: ConnectionSettings
    let mailProtocol: MailProtocol

    var phase = Phase.new
    var easy: UnsafeMutableRawPointer?
    var socket: Int32 = -1
    var opener: Waiter<Void>?
    var receiver: Waiter<ByteChannel.Received>?
    /// Monotonic milliseconds of when the present receiver began to wait.
    var receiveStart: Int64 = 0
    var sender: Sender?
    var unsent: [UInt8] = []
    var sentCount = 0
    /// What the next receive will answer: the end of the stream (nil failure) or what broke it,
    /// seen behind bytes that had to be delivered first.
    var ending: (failure: MailFailure?, seen: Bool) = (nil, false)

    /// Monotonic milliseconds of the present wait's deadline.
    var openDeadline: Int64 = .max
    var receiveDeadline: Int64 = .max
    var sendDeadline: Int64 = .max
    /// The time of the earliest entry that the deadline heap has for this connection.
    var heapDeadline: Int64 = .max
    var isRegistered = false
    /// Written once, before the opener is answered.
    var connectMilliseconds = 0
    /// Whether an SMTP server has taken the password; likewise.
    var hasSignedIn = false
    var readsAhead = false

    var transcript = LoginTranscript()
    /// Whether to sign in with PLAIN or LOGIN, whatever else the server offers.
    var sendsPasswordItself = false
    let gate: SocketGate
    let errorText: UnsafeMutablePointer<CChar>

    init(settings: ConnectionSettings, mailProtocol: MailProtocol) {
        self.settings = settings
        self.mailProtocol = mailProtocol
        gate = SocketGate(
            allowedNetworks: settings.allowedNetworks, security: settings.endpoint.security,
            port: settings.endpoint.port)
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit { errorText.deallocate() }

    var nextDeadline: Int64 { min(openDeadline, min(receiveDeadline, sendDeadline)) }

    /// Whether sign-in failed at Kerberos, before anything was sent that could prove who asks.
    ///
    /// libcurl prefers GSSAPI wherever a server offers it and the login has a domain. A server that
    /// offers it without being able to do it (GNU imap4d) refuses at once, and libcurl goes no further.
    var failedAtKerberos: Bool {
        mailProtocol == .imap && settings.authentication == .password && !sendsPasswordItself
            && settings.login.dropFirst().dropLast().contains("@")
            && transcript.offersKerberosAndChallengedNobody
    }

    var place: String { "\(settings.endpoint.host):\(settings.endpoint.port)" }

    func failure(_ code: CURLcode) -> MailFailure {
        let result = CurlResult(
            code: gate.lacksDescriptors && phase != .open ? CURLE_OUT_OF_MEMORY : code,
            mailProtocol: mailProtocol,
            endpoint: settings.endpoint,
            explanation: String(cString: errorText),
            refusals: phase == .open ? "" : transcript.refusals(mailProtocol),
            refusedAddress: phase == .open ? nil : gate.refusedAddress,
            refusedPort: phase != .open && gate.refusedPort,
            usedProxy: settings.proxy != nil)
        return settings.withoutSecret(result.failure)
    }
}

extension LoopConnection {
    /// Makes the easy handle; the policy of a connection is here and nowhere else.
    func prepare() throws(MailFailure) -> UnsafeMutableRawPointer {
        guard let easy = curl_easy_init() else { throw failure(CURLE_OUT_OF_MEMORY) }
        self.easy = easy
        let context = Unmanaged.passUnretained(self).toOpaque()
        var worst = CURLE_OK
        func keep(_ code: CURLcode) { if code != CURLE_OK { worst = code } }
        func set(_ option: CURLoption, _ value: Int) { keep(mw_easy_set_long(easy, option, value)) }
        func set(_ option: CURLoption, _ value: String) { keep(mw_easy_set_string(easy, option, value)) }

        keep(mw_easy_set_pointer(easy, CURLOPT_PRIVATE, context))
        keep(mw_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
        set(CURLOPT_URL, settings.url(for: mailProtocol))
        set(CURLOPT_CONNECT_ONLY, 1)
        set(CURLOPT_PROTOCOLS_STR, "\(mailProtocol.rawValue),\(mailProtocol.rawValue)s")
        // A handle without a user ends at the server's capabilities: libcurl offers no choice between
        // the mechanisms for tokens, so BearerSignIn goes on from there.
        if settings.authentication == .password {
            set(CURLOPT_USERNAME, settings.login)
            settings.secret.withRevealed { set(CURLOPT_PASSWORD, $0) }
            if sendsPasswordItself { set(CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN") }
        }
        set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_TCP_NODELAY, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        // One connection is one account under one policy. libcurl never lends a CONNECT_ONLY
        // connection to another handle; FORBID_REUSE would close it as soon as sign-in is done.
        set(CURLOPT_FRESH_CONNECT, 1)

        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        // A pinned key is trusted by itself, whoever signed for it and under whatever name.
        set(CURLOPT_SSL_VERIFYPEER, settings.pins.isEmpty ? 1 : 0)
        set(CURLOPT_SSL_VERIFYHOST, settings.pins.isEmpty ? 2 : 0)
        if !settings.pins.isEmpty {
            set(CURLOPT_PINNEDPUBLICKEY, settings.pins.map(\.curlForm).joined(separator: ";"))
        }
        // TRY would send the password in clear when somebody strips STARTTLS from the capabilities.
        let ssl = settings.endpoint.security == .none ? CURLUSESSL_NONE : CURLUSESSL_ALL
        set(CURLOPT_USE_SSL, Int(ssl.rawValue))
        if let caFile = settings.caFile { set(CURLOPT_CAINFO, caFile) }
        // A folder of authorities would be trusted beside the file, and libcurl keeps what it has read for
        // the next connections only where there is no folder.
        keep(mw_easy_set_pointer(easy, CURLOPT_CAPATH, nil))
        // A lookup that is still under way when its connection is given up must not be waited for.
        set(CURLOPT_QUICK_EXIT, 1)

        // The empty string keeps the environment's proxies out.
        set(CURLOPT_PROXY, settings.proxy ?? "")
        set(CURLOPT_NOPROXY, "")
        if settings.proxy?.lowercased().hasPrefix("http:") == true { set(CURLOPT_HTTPPROXYTUNNEL, 1) }
        // The loop's own deadline covers the opening as a whole and tells how far it came; libcurl's
        // are there only to be later.
        set(CURLOPT_CONNECTTIMEOUT, settings.timeoutSeconds + 60)
        set(CURLOPT_SERVER_RESPONSE_TIMEOUT, settings.timeoutSeconds + 60)

        keep(gate.install(on: easy))
        keep(mw_easy_set_header(easy, Self.hearLine))
        keep(mw_easy_set_pointer(easy, CURLOPT_HEADERDATA, context))
        // Whatever libcurl wants to print goes nowhere.
        keep(mw_easy_set_write(easy) { _, size, count, _ in size &* count })
        guard worst == CURLE_OK else { throw failure(worst) }
        return easy
    }

    private static let hearLine: curl_write_callback = { bytes, size, count, context in
        let length = size &* count
        guard let bytes, let context else { return length }
        Unmanaged<LoopConnection>.fromOpaque(context).takeUnretainedValue()
            .transcript.append(UnsafeRawBufferPointer(start: bytes, count: length))
        return length
    }
}
