/// What a client wrote on one connection, read more strictly than any server reads it: it is the whole of a
/// session in which mails are handed over one after the other, or it is a fault.
struct WireDialogue {
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// One mail: its commands word for word, and its bytes without the dots that were added on the way.
    struct Mail {
        var mail: String
        var recipients: [String]
        var content: [UInt8]
    }

    /// The commands before the first mail.
    private(set) var opening: [String] = []
    private(set) var mails: [Mail] = []
    /// One in the midst of which the connection was closed: its server must forget it.
    private(set) var cut: Mail?

    /// - Throws: for a line that does not end in CRLF, a bare CR, LF or NUL, an overlong line, and any command
    ///   beside those of the mails and their order.
    init(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while let line = try Self.line(&rest) {
            let command = String(decoding: line, as: UTF8.self)
            if command == "QUIT", rest.isEmpty { return }
            guard command.hasPrefix("MAIL FROM:") else {
                guard mails.isEmpty, opens(command) else { throw Self.fault("command", line) }
                opening.append(command)
                continue
            }
            var mail = Mail(mail: command, recipients: [], content: [])
            while let next = try Self.line(&rest) {
                let text = String(decoding: next, as: UTF8.self)
                if text == "DATA", !mail.recipients.isEmpty { break }
                guard text.hasPrefix("RCPT TO:") else { throw Self.fault("not RCPT or DATA", next) }
                mail.recipients.append(text)
            }
            while true {
                guard let next = try Self.line(&rest) else {
                    cut = mail
                    return
                }
                if next.elementsEqual(".".utf8) { break }
                guard next.first == UInt8(ascii: ".") else {
                    mail.content += next + [13, 10]
                    continue
                }
                guard next.dropFirst().first == UInt8(ascii: ".") else { throw Self.fault("unstuffed", next) }
                mail.content += next.dropFirst() + [13, 10]
            }
            mails.append(mail)
        }
    }

    /// EHLO, AUTH with what it is answered, and EHLO again.
    private func opens(_ command: String) -> Bool {
        switch opening.count {
        case 0: command.hasPrefix("EHLO ")
        case 1: command == "AUTH PLAIN"
        case 2: command.utf8.allSatisfy { (0x2B...0x7A).contains($0) }
        case 3: command == "EHLO [127.0.0.1]"
        default: false
        }
    }

    /// The next line without its end; nil behind the last one.
    private static func line(_ rest: inout ArraySlice<UInt8>) throws -> ArraySlice<UInt8>? {
        guard !rest.isEmpty else { return nil }
        guard let end = rest.firstIndex(of: 10), end > rest.startIndex, rest[end - 1] == 13 else {
            throw fault("a line that does not end in CRLF", rest.prefix(80))
        }
        let line = rest[..<(end - 1)]
        guard !line.contains(13), !line.contains(0) else { throw fault("a bare CR, or a NUL", line) }
        // A dot may have been added.
        guard line.count <= 999 else { throw fault("\(line.count) octets", line.prefix(80)) }
        rest = rest[(end + 1)...]
        return line
    }

    private static func fault(_ what: String, _ line: ArraySlice<UInt8>) -> Fault {
        Fault(description: "\(what): \(String(decoding: line, as: UTF8.self).debugDescription)")
    }
}

extension WireDialogue.Mail {
    /// The address between the angle brackets of a command, and what stands behind it.
    /// - Throws: for what is no path (RFC 5321, 4.1.2; RFC 6531, 3.3).
    static func path(_ command: String, after verb: String) throws -> (address: String, parameters: String) {
        guard command.hasPrefix(verb + "<") else { throw WireDialogue.Fault(description: command) }
        var rest = command.unicodeScalars.dropFirst(verb.unicodeScalars.count + 1)[...]
        var address = String.UnicodeScalarView()
        if rest.first == "\"" {
            rest = rest.dropFirst()
            while let scalar = rest.popFirst(), scalar != "\"" {
                let next = scalar == "\\" ? rest.popFirst() : scalar
                guard let next, next.value >= 0x20, next.value != 0x7F else {
                    throw WireDialogue.Fault(description: "quoted: \(command.debugDescription)")
                }
                address.append(next)
            }
        } else {
            while let scalar = rest.first, scalar != "@", scalar != ">" {
                guard scalar.value >= 0x80 || isOne(scalar, beside: "!#$%&'*+-/=?^_`{|}~.") else {
                    throw WireDialogue.Fault(description: "atom: \(command.debugDescription)")
                }
                address.append(scalar)
                rest = rest.dropFirst()
            }
        }
        guard !address.isEmpty, rest.popFirst() == "@" else {
            throw WireDialogue.Fault(description: "no @: \(command.debugDescription)")
        }
        address.append("@")
        while let scalar = rest.popFirst(), scalar != ">" {
            guard isOne(scalar, beside: "-._[]:") else {
                throw WireDialogue.Fault(description: "domain: \(command.debugDescription)")
            }
            address.append(scalar)
        }
        return (String(address), String(rest))
    }

    /// A letter or digit of ASCII, or one of the others.
    private static func isOne(_ scalar: Unicode.Scalar, beside others: String) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal)
            || others.unicodeScalars.contains(scalar)
    }

    /// The names of the header's fields in their order, then those of each part's header.
    /// - Throws: for a header line that is neither a field nor the rest of one.
    func fields() throws -> (header: [String], parts: [[String]]) {
        var lines = content.split(separator: 10, omittingEmptySubsequences: false).map { $0.dropLast() }
        let header = try Self.names(&lines)
        // The delimiters of all levels begin alike, and nobody could have known how.
        let sign = Array("boundary=\"".utf8)
        guard let found = content.firstRange(of: sign) else { return (header, []) }
        let boundary =
            Array("--".utf8) + content[found.upperBound...].prefix { $0 != UInt8(ascii: "\"") }.dropLast()
        var parts: [[String]] = []
        while let delimiter = lines.firstIndex(where: { $0.starts(with: boundary) }) {
            let isLast = lines[delimiter].suffix(2).elementsEqual("--".utf8)
            lines.removeFirst(delimiter + 1)
            if !isLast { parts.append(try Self.names(&lines)) }
        }
        return (header, parts)
    }

    private static func names(_ lines: inout [ArraySlice<UInt8>]) throws -> [String] {
        var names: [String] = []
        while let line = lines.first, !line.isEmpty {
            lines.removeFirst()
            if line.first == 0x20 || line.first == 0x09, !names.isEmpty { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[..<colon].allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else {
                throw WireDialogue.Fault(
                    description: "no field: \(String(decoding: line, as: UTF8.self).debugDescription)")
            }
            names.append(String(decoding: line[..<colon], as: UTF8.self))
        }
        return names
    }
}
