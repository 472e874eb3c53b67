public import MailModel

/// An authenticated stream of bytes to a mail server, inside TLS where the endpoint has it.
///
/// Bytes are read from the network only when `receive` is called: a slow reader slows the server
/// down, and an idle channel holds no buffer. One task may receive while another sends; two
/// receives (or two sends) at once are refused. Letting go of the last reference closes the channel.
public final class ByteChannel: Sendable {
    private let loop: NetworkLoop
    private let connection: LoopConnection

    init(loop: NetworkLoop, connection: LoopConnection) {
        self.loop = loop
        self.connection = connection
    }

    deinit { loop.mailbox.post(.close(connection)) }

    /// How long the server took to answer the connection, which is one round trip, or more over a proxy.
    public var roundTripMilliseconds: Int { connection.connectMilliseconds }

    /// Whether the server has taken the sign-in. One of SMTP that offers none is spoken to without.
    public var hasSignedIn: Bool {
        connection.mailProtocol == .imap || connection.settings.authentication == .accessToken
            || connection.hasSignedIn
    }

    /// Sends all bytes; returns when the system has taken the last of them.
    ///
    /// - Throws: `timed-out` when the deadline of the settings passes first, `connection-lost`,
    ///   `cancelled`. After a failure nothing is known about how much was sent: close the channel.
    nonisolated(nonsending) public func send(_ bytes: [UInt8]) async throws(MailFailure) {
        guard !bytes.isEmpty else { return }
        try await loop.mailbox.wait(on: connection) {
            LoopMailbox.Request.send(self.connection, bytes, .waiter($0))
        }.get()
    }

    /// Sends all bytes, and then waits for the answer as `receive` does: one way to the loop's thread instead of two.
    ///
    /// - Parameter seconds: a deadline of the answer's own, from when all is sent.
    /// - Throws: what `send` and `receive` throw. Which of them it was is not told: close the channel.
    nonisolated(nonsending) public func ask(_ bytes: [UInt8], within seconds: Int? = nil)
        async throws(MailFailure) -> Received
    {
        try await loop.mailbox.wait(on: connection) {
            LoopMailbox.Request.send(self.connection, bytes, .receiver(within: seconds, $0))
        }.get()
    }

    /// What a `receive` brought.
    public struct Received: Sendable {
        /// At most 256 KB; none is the end of the stream.
        public let bytes: [UInt8]
        /// How long the network let the loop wait for them. That the task was resumed late, on a busy
        /// machine, is not in it: it says nothing of the server.
        public let waited: Duration
    }

    /// Waits for bytes and returns those that are there.
    ///
    /// - Parameter seconds: a deadline of its own, for a wait that may be long; nil for that of the settings.
    /// - Throws: `timed-out` when the deadline passes without one byte, after which one may wait
    ///   again; `connection-lost`, `cancelled`.
    nonisolated(nonsending) public func receive(within seconds: Int? = nil) async throws(MailFailure)
        -> Received
    {
        try await loop.mailbox.wait(on: connection) {
            LoopMailbox.Request.receive(self.connection, within: seconds, $0)
        }.get()
    }

    /// Closes at once, without a farewell in the protocol. A wait in progress ends with
    /// `channel-closed`.
    public func close() { loop.mailbox.post(.close(connection)) }
}
