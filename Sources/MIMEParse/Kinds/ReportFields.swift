import MailModel

/// The groups of fields that make a machine-readable report (RFC 3464, 2.1; RFC 8098, 3.1;
/// RFC 5965, 3): blocks of header fields with blank lines between them.
struct ReportFields {
    struct Group {
        /// Names in lower case, values as they stand: decoding all of a long report would take seconds.
        var fields: [(name: String, value: [UInt8])] = []

        /// A value unfolded and decoded.
        subscript(_ name: String) -> String? {
            fields.first { $0.name == name }.map { ReportFields.decoded($0.value) }
        }

        func all(_ name: String) -> [String] {
            fields.filter { $0.name == name }.map { ReportFields.decoded($0.value) }
        }

        func has(_ name: String) -> Bool { fields.contains { $0.name == name } }

        /// The part behind the type of `rfc822; a@b`, or all where no type stands in front.
        func typed(_ name: String) -> String? {
            self[name].flatMap(ReportFields.withoutType)
        }

        func address(_ name: String) -> String? {
            typed(name).map(ReportFields.decodedAddress)
        }

        func time(_ name: String) -> UnixTime? {
            self[name].flatMap { Array($0.utf8).withUnsafeBytes { MailDate.parse($0) } }
        }

        /// A message identifier without its angle brackets.
        func identifier(_ name: String) -> MessageID? {
            self[name].flatMap { value in
                Array(value.utf8).withUnsafeBytes { MessageIdentifiers.first(in: $0) }
            }.map(MessageID.init(rawValue:))
        }
    }

    private static let maximumGroups = 2000
    private static let maximumFields = 100
    private static let maximumValue = 8192

    /// The part of `rfc822; a@b` behind the type; nil when nothing is there.
    static func withoutType(_ value: String) -> String? {
        guard let semicolon = value.firstIndex(of: ";") else { return value.nonEmpty }
        return ContentLineText.trimmed(String(value[value.index(after: semicolon)...]))
    }

    private static func decoded(_ value: [UInt8]) -> String {
        var defects = DefectLog()
        return HeaderText().decode(value, defects: &defects)
    }

    static func groups(_ bytes: UnsafeRawBufferPointer) -> [Group] {
        var groups: [Group] = []
        var group = Group()
        var cursor = 0
        var name: String?
        var value: [UInt8] = []

        func storeField() {
            defer { name = nil }
            guard let name, group.fields.count < maximumFields else { return }
            group.fields.append((name, value))
        }
        func storeGroup() {
            storeField()
            if !group.fields.isEmpty { groups.append(group) }
            group = Group()
        }
        while cursor < bytes.count, groups.count < maximumGroups {
            let line = bytes.line(from: cursor, to: bytes.count)
            let octets = bytes.slice(cursor..<max(cursor, line.end))
            cursor = line.next
            if octets.trimmed().isEmpty {
                storeGroup()
            } else if Octet.isBlank(octets[0]), name != nil {
                if value.count < maximumValue { value.append(contentsOf: octets.prefix(maximumValue)) }
            } else if let colon = octets.offset(of: Octet.colon, from: 0, to: min(octets.count, 128)) {
                storeField()
                name = octets.slice(0..<colon).trimmed().lowercasedString()
                value = Array(octets[(colon + 1)...].prefix(maximumValue))
            }
        }
        storeGroup()
        return groups
    }

    /// Undoes the escapes of a UTF-8 address in 7-bit fields (RFC 6533, 3) and takes angle
    /// brackets off.
    static func decodedAddress(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let escape = rest.firstRange(of: "\\x{") {
            result += rest[..<escape.lowerBound]
            let tail = rest[escape.upperBound...]
            guard let close = tail.prefix(8).firstIndex(of: "}"),
                let scalar = UInt32(tail[..<close], radix: 16).flatMap(Unicode.Scalar.init)
            else {
                result += rest[escape]
                rest = tail
                continue
            }
            result.unicodeScalars.append(scalar)
            rest = tail[tail.index(after: close)...]
        }
        result += rest
        if result.first == "<", result.last == ">", result.count > 2 {
            result = String(result.dropFirst().dropLast())
        }
        return result
    }
}
