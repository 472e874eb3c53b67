import CCurl
import Glibc
import MailModel

/// Opening, reading, writing and closing one connection; all on the loop's thread.
extension LoopThread {
    // MARK: Opening

    func open(_ connection: LoopConnection, _ waiter: Waiter<Void>) {
        guard !waiter.token.isCancelled else { return waiter.resume(.failure(.waitCancelled)) }
        let easy: UnsafeMutableRawPointer
        do {
            easy = try connection.prepare()
        } catch {
            if let easy = connection.easy { curl_easy_cleanup(easy) }
            connection.easy = nil
            connection.phase = .closed
            return waiter.resume(.failure(error))
        }
        connection.opener = waiter
        connection.phase = .opening
        opening[ObjectIdentifier(connection)] = connection
        connection.openDeadline = deadline(connection)
        noteDeadline(connection)
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
            return finish(connection, connection.failure(CURLE_OUT_OF_MEMORY))
        }
    }

    func collectFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else {
                continue
            }
            let result = mw_message_result(message)
            if let exchange = exchanges[easy] {
                collect(exchange, result)
                continue
            }
            var context: UnsafeMutableRawPointer?
            mw_easy_get_pointer(easy, &context)
            guard let context else { continue }
            let connection = Unmanaged<LoopConnection>.fromOpaque(context).takeUnretainedValue()
            guard connection.phase == .opening else { continue }
            if result == CURLE_OK {
                opened(connection, easy)
            } else if result == CURLE_LOGIN_DENIED || result == CURLE_AUTH_ERROR, connection.failedAtKerberos
            {
                reopen(connection, easy)
            } else {
                finish(connection, connection.failure(result))
            }
        }
    }

    /// Begins anew within the same deadline, with the mechanisms that send the password itself.
    private func reopen(_ connection: LoopConnection, _ refused: UnsafeMutableRawPointer) {
        connection.easy = nil
        curl_multi_remove_handle(multi, refused)
        curl_easy_cleanup(refused)
        connection.transcript = LoginTranscript()
        connection.sendsPasswordItself = true
        do throws(MailFailure) {
            let easy = try connection.prepare()
            guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
                return finish(connection, connection.failure(CURLE_OUT_OF_MEMORY))
            }
        } catch {
            finish(connection, error)
        }
    }

    private func opened(_ connection: LoopConnection, _ easy: UnsafeMutableRawPointer) {
        var socket: curl_socket_t = -1
        guard mw_easy_get_socket(easy, &socket) == CURLE_OK, socket >= 0 else {
            return finish(connection, connection.failure(CURLE_RECV_ERROR))
        }
        if curlSockets.remove(socket) != nil { unwatch(socket) }
        opening[ObjectIdentifier(connection)] = nil
        connection.phase = .open
        connection.connectMilliseconds = Self.connectMilliseconds(easy)
        connection.hasSignedIn = connection.transcript.hasAuthenticated
        connection.openDeadline = .max
        connection.socket = socket
        connections[socket] = connection
        let opener = connection.opener
        connection.opener = nil
        opener?.resume(.success(()))
    }

    private static func connectMilliseconds(_ easy: UnsafeMutableRawPointer) -> Int {
        var nameTime: curl_off_t = 0
        var connectTime: curl_off_t = 0
        mw_easy_get_offset(easy, CURLINFO_NAMELOOKUP_TIME_T, &nameTime)
        mw_easy_get_offset(easy, CURLINFO_CONNECT_TIME_T, &connectTime)
        return Int(max(0, connectTime - nameTime)) / 1_000
    }

    // MARK: Receiving

    func receive(
        _ connection: LoopConnection, within seconds: Int?, _ waiter: Waiter<ByteChannel.Received>
    ) {
        guard !waiter.token.isCancelled else { return waiter.resume(.failure(.waitCancelled)) }
        guard connection.phase == .open, connection.receiver == nil else {
            return waiter.resume(.failure(.closedByOwner))
        }
        connection.receiver = waiter
        connection.receiveStart = LoopThread.monotonicMilliseconds()
        connection.receiveDeadline = deadline(connection, within: seconds)
        // Data may wait inside TLS, where epoll cannot see it: always read before waiting.
        continueReceiving(connection)
        if connection.receiver != nil {
            noteDeadline(connection)
            rearm(connection)
        }
    }

    func continueReceiving(_ connection: LoopConnection) {
        guard let easy = connection.easy, let base = scratch.baseAddress else { return }
        if !connection.readsAhead, connection.settings.endpoint.security != .none {
            // Servers send records of a few KB; two system calls for each would cost more than
            // decrypting them. Not sooner: libcurl's own waiting during sign-in cannot see such bytes.
            mw_read_ahead(easy, Self.readAheadBytes)
            connection.readsAhead = true
        }
        var total = 0
        while !connection.ending.seen, total < scratch.count {
            var count = 0
            let code = curl_easy_recv(easy, base + total, scratch.count - total, &count)
            if code == CURLE_AGAIN { break }
            if code != CURLE_OK {
                connection.ending = (connection.failure(code), true)
            } else if count == 0 {
                connection.ending = (nil, true)
            }
            let isDrained = count < scratch.count - total && connection.settings.endpoint.security == .none
            total += count
            // Nothing hides in a layer between: epoll tells of what comes next.
            if isDrained { break }
        }
        if total > 0 {
            answerReceiver(connection, .success(Array(scratch[..<total])))
        } else if connection.ending.seen {
            answerReceiver(connection, connection.ending.failure.map { .failure($0) } ?? .success([]))
        }
    }

    func answerReceiver(_ connection: LoopConnection, _ result: Result<[UInt8], MailFailure>) {
        guard let receiver = connection.receiver else { return }
        connection.receiver = nil
        connection.receiveDeadline = .max
        let waited = LoopThread.monotonicMilliseconds() - connection.receiveStart
        receiver.resume(result.map { ByteChannel.Received(bytes: $0, waited: .milliseconds(waited)) })
    }

    // MARK: Sending

    func send(_ connection: LoopConnection, _ bytes: [UInt8], _ sender: LoopConnection.Sender) {
        guard !sender.isCancelled else { return sender.refuse(.waitCancelled) }
        guard connection.phase == .open, connection.sender == nil else {
            return sender.refuse(.closedByOwner)
        }
        connection.sender = sender
        connection.unsent = bytes
        connection.sentCount = 0
        connection.sendDeadline = deadline(connection)
        continueSending(connection)
        if connection.sender != nil {
            noteDeadline(connection)
            rearm(connection)
        }
    }

    func continueSending(_ connection: LoopConnection) {
        guard let easy = connection.easy else { return }
        let (code, sent) = connection.unsent.withUnsafeBytes { bytes in
            var sent = connection.sentCount
            while sent < bytes.count {
                var count = 0
                let code = curl_easy_send(easy, bytes.baseAddress! + sent, bytes.count - sent, &count)
                guard code == CURLE_OK else { return (code, sent) }
                sent += count
            }
            return (CURLE_OK, sent)
        }
        // Progress is not silence: the deadline is for a peer that takes nothing.
        if sent > connection.sentCount { connection.sendDeadline = deadline(connection) }
        connection.sentCount = sent
        switch code {
        case CURLE_OK: answerSender(connection, .success(()))
        case CURLE_AGAIN: break
        default: answerSender(connection, .failure(connection.failure(code)))
        }
    }

    func answerSender(_ connection: LoopConnection, _ result: Result<Void, MailFailure>) {
        let sender = connection.sender
        connection.sender = nil
        connection.unsent = []
        connection.sendDeadline = .max
        switch (sender, result) {
        case (.waiter(let waiter), _): waiter.resume(result)
        case (.receiver(let seconds, let waiter), .success): receive(connection, within: seconds, waiter)
        case (.receiver(_, let waiter), .failure(let failure)): waiter.resume(.failure(failure))
        case (nil, _): break
        }
    }

    // MARK: Waiting and closing

    private func deadline(_ connection: LoopConnection, within seconds: Int? = nil) -> Int64 {
        let (milliseconds, overflow) = Int64(seconds ?? connection.settings.timeoutSeconds)
            .multipliedReportingOverflow(by: 1000)
        return overflow
            ? .max : LoopThread.monotonicMilliseconds().addingReportingOverflow(milliseconds).partialValue
    }

    /// One-shot interest in exactly what somebody waits for; nothing when nobody does.
    func rearm(_ connection: LoopConnection) {
        guard connection.phase == .open, connection.receiver != nil || connection.sender != nil else {
            return
        }
        var interest = EPOLLONESHOT.rawValue
        if connection.receiver != nil { interest |= EPOLLIN.rawValue }
        if connection.sender != nil { interest |= EPOLLOUT.rawValue }
        // Some servers hold a small reply back until the last one was acknowledged (Nagle); the system
        // forgets this wish, so it is renewed with each wait.
        var on: Int32 = 1
        setsockopt(
            connection.socket, Int32(IPPROTO_TCP), TCP_QUICKACK, &on, socklen_t(MemoryLayout<Int32>.size))
        watch(connection.socket, interest, connection.isRegistered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD)
        connection.isRegistered = true
    }

    func endCancelledWaits(_ connection: LoopConnection) {
        if connection.opener?.token.isCancelled == true { return finish(connection, .waitCancelled) }
        if connection.receiver?.token.isCancelled == true {
            answerReceiver(connection, .failure(.waitCancelled))
        }
        if connection.sender?.isCancelled == true { answerSender(connection, .failure(.waitCancelled)) }
    }

    /// Ends a connection in whatever phase it is; every wait on it is answered with the failure.
    func finish(_ connection: LoopConnection, _ failure: MailFailure) {
        guard connection.phase != .closed else { return }
        connection.phase = .closed
        connection.openDeadline = .max
        opening[ObjectIdentifier(connection)] = nil
        if connection.socket >= 0 {
            if connection.isRegistered { unwatch(connection.socket) }
            connections[connection.socket] = nil
            connection.socket = -1
        }
        if let easy = connection.easy {
            connection.easy = nil
            // Removing the handle of a CONNECT_ONLY connection closes it without a farewell, so that
            // a server that does not answer cannot hold the loop.
            curl_multi_remove_handle(multi, easy)
            curl_easy_cleanup(easy)
        }
        let opener = connection.opener
        connection.opener = nil
        opener?.resume(.failure(failure))
        answerReceiver(connection, .failure(failure))
        answerSender(connection, .failure(failure))
    }
}

extension LoopConnection {
    /// Says how far the opening came, which is what the reader needs to know where to look.
    var openTimeoutFailure: MailFailure {
        guard let easy else { return CurlResult.timedOut(detail: place) }
        var nameTime: curl_off_t = 0
        var connectTime: curl_off_t = 0
        var secureTime: curl_off_t = 0
        mw_easy_get_offset(easy, CURLINFO_NAMELOOKUP_TIME_T, &nameTime)
        mw_easy_get_offset(easy, CURLINFO_CONNECT_TIME_T, &connectTime)
        mw_easy_get_offset(easy, CURLINFO_APPCONNECT_TIME_T, &secureTime)
        let stage =
            if nameTime == 0 {
                "while looking up the name"
            } else if connectTime == 0 {
                "while connecting"
            } else if !transcript.isEmpty {
                "while signing in"
            } else if settings.endpoint.security == .tls, secureTime == 0 {
                "during the TLS handshake"
            } else {
                "while waiting for the greeting"
            }
        var failure = CurlResult.timedOut(detail: "\(place), \(stage)")
        if stage.hasSuffix("greeting"), settings.endpoint.security != .tls {
            failure.remedy =
                "A TLS port keeps silent when spoken to like this: check that port and security match"
                + " (993 and 465 are tls; 143 and 587 are starttls)."
        }
        return failure
    }
}
