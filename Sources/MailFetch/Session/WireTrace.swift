/// Receives what goes over the wire after sign-in, line by line: commands as sent, responses with
/// each literal's content left out (its announcement `{123}` stays).
///
/// Sign-in is not part of it, so no secret can be. E-mail addresses are masked unless asked for; folder
/// names, and what servers say, may be personal all the same: keep traces like mail.
public struct WireTrace: Sendable {
    public enum Direction: String, Sendable {
        case sent = "C"
        case received = "S"
    }

    private let showsAddresses: Bool
    private let sink: @Sendable (Direction, [UInt8]) -> Void

    /// - Parameter sink: called in order, on the session's task, with a line without its CRLF.
    public init(
        showingAddresses: Bool = false, _ sink: @escaping @Sendable (Direction, [UInt8]) -> Void
    ) {
        showsAddresses = showingAddresses
        self.sink = sink
    }

    func note(_ direction: Direction, _ line: [UInt8]) {
        // Long lists of numbers tell nothing more at full length.
        let shown = line.count > 8_192 ? Array(line.prefix(8_192)) + Array("...".utf8) : line
        sink(direction, showsAddresses ? shown : AddressMask.masked(shown))
    }
}
