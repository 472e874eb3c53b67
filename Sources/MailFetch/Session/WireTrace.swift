/// Receives what goes over the wire after sign-in, line by line: commands as sent, responses with
/// each literal's content left out (its announcement `{123}` stays).
///
/// Sign-in is not part of it, so no secret can be. Folder names, and what servers say, may be
/// personal: keep traces like mail.
public struct WireTrace: Sendable {
    public enum Direction: String, Sendable {
        case sent = "C"
        case received = "S"
    }

    private let sink: @Sendable (Direction, [UInt8]) -> Void

    /// - Parameter sink: called in order, on the session's task, with a line without its CRLF.
    public init(_ sink: @escaping @Sendable (Direction, [UInt8]) -> Void) { self.sink = sink }

    func note(_ direction: Direction, _ line: [UInt8]) {
        // Long lists of numbers tell nothing more at full length.
        sink(direction, line.count > 8_192 ? Array(line.prefix(8_192)) + Array("...".utf8) : line)
    }
}
