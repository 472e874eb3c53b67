/// Whether a session asks its server to compress (COMPRESS=DEFLATE, RFC 4978), where it can.
public enum CompressionPolicy: String, Sendable, Hashable, CaseIterable {
    case never
    /// Where the server is far: what a slow way gains is more than what compressing costs both sides
    /// (decision 0032).
    case far
    case always

    /// A server that answered the connection sooner is in the same building or data centre.
    static let nearMilliseconds = 5

    func applies(toRoundTripOf milliseconds: Int) -> Bool {
        switch self {
        case .never: false
        case .far: milliseconds >= Self.nearMilliseconds
        case .always: true
        }
    }
}
