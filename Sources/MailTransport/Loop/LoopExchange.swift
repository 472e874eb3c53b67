import CCurl
import MailModel

/// One HTTP request as the loop sees it. Everything mutable belongs to the loop's thread.
final class LoopExchange: @unchecked Sendable {
    let request: HTTPRequest
    let endpoint: ServerEndpoint
    var easy: UnsafeMutableRawPointer?
    var waiter: Waiter<HTTPResponse>?
    private var body: [UInt8] = []
    private var isTooLarge = false
    private let gate: SocketGate
    private let errorText: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?

    init(request: HTTPRequest, endpoint: ServerEndpoint) {
        self.request = request
        self.endpoint = endpoint
        gate = SocketGate(allowedNetworks: request.allowedNetworks, security: endpoint.security)
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    func failure(_ code: CURLcode) -> MailFailure {
        if isTooLarge {
            return MailFailure(
                .answerTooLarge, kind: .transient, "A web service's answer is larger than it may be",
                detail: "\(endpoint.host):\(endpoint.port)",
                remedy: "Check that the address is the one of the service.")
        }
        var failure = CurlResult(
            code: gate.lacksDescriptors ? CURLE_OUT_OF_MEMORY : code, mailProtocol: .imap,
            endpoint: endpoint, explanation: String(cString: errorText),
            refusedAddress: gate.refusedAddress, usedProxy: request.proxy != nil
        ).failure
        // The table's words for these are about mail servers.
        if [.tlsFailed, .notAMailServer, .badSettings].contains(failure.code) {
            failure.code = .notAWebService
            failure.summary = "The other side does not answer like a web service"
            failure.remedy = "Check the service's address in the configuration."
        }
        return failure
    }

    /// Of a finished transfer.
    var response: HTTPResponse {
        var status = 0
        if let easy { _ = mw_easy_get_long(easy, CURLINFO_RESPONSE_CODE, &status) }
        return HTTPResponse(status: status, body: body)
    }

    /// Makes the easy handle; the policy of a request is here and nowhere else.
    func prepare() throws(MailFailure) -> UnsafeMutableRawPointer {
        guard let easy = curl_easy_init() else { throw failure(CURLE_OUT_OF_MEMORY) }
        self.easy = easy
        var worst = CURLE_OK
        func keep(_ code: CURLcode) { if code != CURLE_OK { worst = code } }
        func set(_ option: CURLoption, _ value: Int) { keep(mw_easy_set_long(easy, option, value)) }
        func set(_ option: CURLoption, _ value: String) { keep(mw_easy_set_string(easy, option, value)) }

        keep(mw_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
        set(CURLOPT_URL, request.url)
        set(CURLOPT_PROTOCOLS_STR, endpoint.security == .tls ? "https" : "http")
        // A redirect could lead a token to somebody else.
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_TIMEOUT, request.timeoutSeconds)
        set(CURLOPT_FRESH_CONNECT, 1)
        set(CURLOPT_FORBID_REUSE, 1)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        if let caFile = request.caFile { set(CURLOPT_CAINFO, caFile) }
        // The empty string keeps the environment's proxies out.
        set(CURLOPT_PROXY, request.proxy ?? "")
        set(CURLOPT_NOPROXY, "")
        set(CURLOPT_USERAGENT, "mailworker")
        headers = curl_slist_append(nil, "Accept: application/json")
        keep(mw_easy_set_pointer(easy, CURLOPT_HTTPHEADER, headers))
        request.body?.withRevealed { set(CURLOPT_COPYPOSTFIELDS, $0) }

        keep(gate.install(on: easy))
        keep(mw_easy_set_write(easy, Self.collect))
        keep(mw_easy_set_pointer(easy, CURLOPT_WRITEDATA, Unmanaged.passUnretained(self).toOpaque()))
        guard worst == CURLE_OK else { throw failure(worst) }
        return easy
    }

    /// Anything but the full length ends the transfer.
    private static let collect: curl_write_callback = { bytes, size, count, context in
        let length = size &* count
        guard let bytes, let context else { return 0 }
        let exchange = Unmanaged<LoopExchange>.fromOpaque(context).takeUnretainedValue()
        guard exchange.body.count + length <= exchange.request.responseLimit else {
            exchange.isTooLarge = true
            return 0
        }
        exchange.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: length))
        return length
    }
}

extension LoopThread {
    func exchange(_ exchange: LoopExchange, _ waiter: Waiter<HTTPResponse>) {
        guard !waiter.token.isCancelled else { return waiter.resume(.failure(.waitCancelled)) }
        exchange.waiter = waiter
        do {
            let easy = try exchange.prepare()
            exchanges[easy] = exchange
            guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
                return finish(exchange, .failure(exchange.failure(CURLE_OUT_OF_MEMORY)))
            }
        } catch {
            finish(exchange, .failure(error))
        }
    }

    func finish(_ exchange: LoopExchange, _ result: Result<HTTPResponse, MailFailure>) {
        if let easy = exchange.easy {
            exchange.easy = nil
            if exchanges.removeValue(forKey: easy) != nil { curl_multi_remove_handle(multi, easy) }
            curl_easy_cleanup(easy)
        }
        let waiter = exchange.waiter
        exchange.waiter = nil
        waiter?.resume(result)
    }

    func collect(_ exchange: LoopExchange, _ code: CURLcode) {
        finish(
            exchange, code == CURLE_OK ? .success(exchange.response) : .failure(exchange.failure(code)))
    }
}
