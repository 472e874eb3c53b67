/// What a server offers in its answer to EHLO (RFC 5321, 4.1.1.1).
public struct SMTPCapabilities: Sendable, Hashable {
    /// The largest message in bytes (RFC 1870); nil when the server names none.
    public private(set) var sizeLimit: Int?
    public private(set) var pipelining = false
    /// Internationalised addresses (RFC 6531).
    public private(set) var smtpUTF8 = false
    /// Delivery status notifications (RFC 3461).
    public private(set) var dsn = false
    /// SIZE may be declared.
    public private(set) var size = false

    /// - Parameter lines: of the reply, the greeting's first.
    init(_ lines: [String]) {
        for line in lines.dropFirst() {
            let words = line.uppercased().split { $0 == " " || $0 == "=" }
            switch words.first {
            case "SIZE":
                size = true
                sizeLimit = words.dropFirst().first.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
            case "PIPELINING": pipelining = true
            case "SMTPUTF8": smtpUTF8 = true
            case "DSN": dsn = true
            default: break
            }
        }
    }
}
