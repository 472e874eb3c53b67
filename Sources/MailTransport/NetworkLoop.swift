import CCurl
import Glibc
public import MailModel

/// One thread that drives every connection: libcurl's multi interface for opening them (name
/// lookup, proxy, TCP, TLS, sign-in), epoll for reading and writing the open ones.
///
/// Thousands of connections share it; none has a thread or, while idle, a buffer of its own.
public final class NetworkLoop: Sendable {
    let mailbox: LoopMailbox

    /// How many descriptors this process may have open: as many as the system lets it ask for.
    ///
    /// Shells and service managers often give 1,024, for the sake of programs that call `select`; nothing here
    /// does.
    public static let descriptorLimit: Int = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        let wanted = min(limit.rlim_max, 65_536)
        if limit.rlim_cur < wanted {
            limit.rlim_cur = wanted
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return Int(clamping: limit.rlim_cur)
    }()

    private static let libcurlStarted = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// Starts the thread.
    /// - Throws: `system-resources` when the system gives no descriptors or no thread.
    public init() throws(MailFailure) {
        _ = Self.descriptorLimit
        guard Self.libcurlStarted, let mailbox = LoopMailbox(), let thread = LoopThread(mailbox: mailbox),
            thread.start()
        else {
            throw MailFailure(
                .systemResources, kind: .transient, "The network loop could not be started",
                remedy: "Raise the limits on open files and processes.")
        }
        self.mailbox = mailbox
    }

    deinit { mailbox.post(.stop) }

    /// Opens a connection and signs in.
    ///
    /// Returns only after TLS (unless the endpoint's security is `none`) has been verified and the
    /// server has accepted the login. Bytes that the server sent together with its last reply are
    /// lost: begin with a command and rely on nothing before it.
    /// - Throws: a failure of `CurlResult`'s table; `token-refused`; `timed-out` when all of it, or one
    ///   answer to a token, took longer than the settings allow; `cancelled`.
    nonisolated(nonsending) public func connect(
        _ settings: ConnectionSettings, _ mailProtocol: MailProtocol
    ) async throws(MailFailure) -> ByteChannel {
        try settings.validate()
        let connection = LoopConnection(settings: settings, mailProtocol: mailProtocol)
        try await mailbox.wait(on: connection) { .open(connection, $0) }.get()
        let channel = ByteChannel(loop: self, connection: connection)
        if settings.authentication == .accessToken {
            var signIn = BearerSignIn(channel: channel, settings: settings, mailProtocol: mailProtocol)
            try await signIn.run()
        }
        return channel
    }

    /// Closes every connection and ends the thread. Every wait ends with `channel-closed`.
    public func shutDown() { mailbox.post(.stop) }
}
