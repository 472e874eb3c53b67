import MIMEParse
import MailModel

/// The reading of a message given as text; its line ends are LF.
func reading(_ text: String, limits: MailLimits = .standard) -> ParsedMessage {
    Array(text.utf8).withUnsafeBytes { MIMEParser(limits: limits).parse($0) }
}

func reading(_ bytes: [UInt8], limits: MailLimits = .standard) -> ParsedMessage {
    bytes.withUnsafeBytes { MIMEParser(limits: limits).parse($0) }
}

/// The addr-specs of an address list.
func addresses(_ field: String) -> [String] {
    mailboxes(field).map(\.address.addrSpec)
}

func mailboxes(_ field: String) -> [Mailbox] {
    var defects = DefectLog()
    return Array(field.utf8).withUnsafeBytes { AddressList().parse($0, defects: &defects) }
}

func header(_ value: [UInt8], fallback: String? = nil) -> String {
    var defects = DefectLog()
    return HeaderText(fallbackLabel: fallback.map { Array($0.utf8) }).decode(value, defects: &defects)
}

func header(_ value: String) -> String { header(Array(value.utf8)) }

func date(_ text: String) -> Int64? {
    Array(text.utf8).withUnsafeBytes { MailDate.parse($0)?.rawValue }
}
