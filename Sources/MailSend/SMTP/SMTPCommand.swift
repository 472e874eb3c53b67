import MailModel

/// Every command that a session can send; there is no raw one. What a caller gives goes into typed
/// places (`SMTPPath`, numbers, xtext), so that nothing can add a command.
enum SMTPCommand {
    /// Parameters of MAIL that the server has offered to take.
    struct MailParameters {
        var size: Int?
        var smtpUTF8 = false
        var envelopeID: String?
    }

    case ehlo
    case helo
    /// A nil path is the null reverse-path.
    case mail(SMTPPath?, MailParameters)
    case rcpt(SMTPPath, dsn: Bool)
    case data
    case rset
    case quit

    /// With its CRLF.
    var bytes: [UInt8] {
        let text: String =
            switch self {
            // The server knows us by our sign-in; a name of this machine would only be one more thing to leak. The
            // greeting before the sign-in is the transport's, and says the same.
            case .ehlo: "EHLO [127.0.0.1]"
            case .helo: "HELO [127.0.0.1]"
            case .mail(let path, let parameters):
                "MAIL FROM:<\(path?.text ?? "")>"
                    + (parameters.size.map { " SIZE=\($0)" } ?? "")
                    + (parameters.smtpUTF8 ? " SMTPUTF8" : "")
                    // The headers are enough to know what a report is about.
                    + (parameters.envelopeID.map { " RET=HDRS ENVID=\(Self.xtext($0))" } ?? "")
            case .rcpt(let path, false): "RCPT TO:<\(path.text)>"
            case .rcpt(let path, true):
                "RCPT TO:<\(path.text)> NOTIFY=FAILURE,DELAY"
                    // RFC 6533 has another form for addresses that are not ASCII.
                    + (path.needsSMTPUTF8 ? "" : " ORCPT=rfc822;\(Self.xtext(path.text))")
            case .data: "DATA"
            case .rset: "RSET"
            case .quit: "QUIT"
            }
        return Array(text.utf8) + [0x0D, 0x0A]
    }

    /// RFC 3461, 4: printable ASCII but `+` and `=`, which like all else stand as hexadecimal.
    static func xtext(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "+"), byte != UInt8(ascii: "=") {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "+"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
