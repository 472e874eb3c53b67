import MailModel

@testable import MIMEParse

extension FuzzTarget {
    /// A header block, and each of its values under every grammar.
    static let headers = FuzzTarget(
        name: "headers", summary: "header block, addresses, dates, identifiers", maximumLength: 2048
    ) { bytes in
        var limits = MailLimits.standard
        limits.fields = 64
        limits.fieldBytes = 512
        limits.headerBlockBytes = 1024
        var defects = DefectLog()
        let reader = HeaderReader(bytes: bytes, limits: limits)
        let block = reader.read(from: 0, isRoot: true, defects: &defects) { _ in false }
        promise(block.fields.count <= limits.fields, "\(block.fields.count) fields")
        promise((0...bytes.count).contains(block.bodyStart), "body at \(block.bodyStart)")
        for field in block.fields {
            promise(field.value.count <= limits.fieldBytes, "a field of \(field.value.count) bytes")
            promise(field.value.upperBound <= block.bodyStart, "a field reaches into the body")
            readValue(bytes.slice(field.value))
        }
        readValue(bytes)
    }

    private static func readValue(_ value: UnsafeRawBufferPointer) {
        var defects = DefectLog()
        let limit = 32
        let list = AddressList(fallbackLabel: Array("koi8-r".utf8), limit: limit)
        let mailboxes = list.parse(value, defects: &defects)
        promise(mailboxes.count <= limit, "\(mailboxes.count) addresses")
        for mailbox in mailboxes {
            promise(!mailbox.address.addrSpec.isEmpty, "an empty address")
            let isClean = mailbox.address.addrSpec.unicodeScalars.allSatisfy { $0.value >= 0x20 }
            promise(isClean, "control characters in an address")
        }
        var again = DefectLog()
        promise(mailboxes == list.parse(value, defects: &again), "another list the second time")
        if let date = MailDate.parse(value) {
            // Years 1 to 9999, and a day for the zone.
            promise((-62_135_683_200...253_402_387_200).contains(date.rawValue), "date \(date.rawValue)")
        }
        let identifiers = MessageIdentifiers.all(in: value)
        promise(Set(identifiers).count == identifiers.count, "an identifier twice")
        for identifier in identifiers {
            promise(!identifier.utf8.contains { $0 <= 0x20 }, "blanks in an identifier")
        }
        _ = MessageIdentifiers.first(in: value)
    }
}
