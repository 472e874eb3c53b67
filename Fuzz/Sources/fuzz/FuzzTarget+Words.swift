import MailModel

@testable import MIMEParse

extension FuzzTarget {
    /// Encoded words, parameters and the file names made of them.
    static let words = FuzzTarget(
        name: "words", summary: "encoded words, parameters, file names", maximumLength: 1024
    ) { bytes in
        var defects = DefectLog()
        for label in [nil, "windows-1251", "utf-8"] {
            let text = HeaderText(fallbackLabel: label.map { Array($0.utf8) })
            let decoded = text.decode(bytes, defects: &defects)
            // The longest growth: an octet of a table charset to three of UTF-8.
            promise(decoded.utf8.count <= 8 * bytes.count + 16, "\(decoded.utf8.count) octets of text")
            promise(!decoded.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "control characters in a text")
        }
        let limit = 16
        let parameters = Parameters(field: bytes, limit: limit, defects: &defects)
        let names = AttachmentNames(limits: .standard, text: HeaderText())
        for key in ["name", "filename", "charset", "boundary"] {
            guard let value = parameters.raw(key) else { continue }
            promise(value.bytes.count <= bytes.count, "a parameter longer than its field")
            checkName(names.decoded(value.bytes, defects: &defects).cleaned)
        }
        checkName(names.decoded(Array(bytes), defects: &defects).cleaned)
        let type = ContentType(bytes, standard: .plain, parameterLimit: limit, defects: &defects)
        promise(type.name.utf8.contains(Octet.slash), "a media type without a slash")
        _ = TransferEncoding(bytes, defects: &defects)
    }

    static func checkName(_ name: String?) {
        guard let name else { return }
        promise(!name.isEmpty && name.utf8.count <= 200, "a file name of \(name.utf8.count) octets")
        promise(name != "." && name != "..", "a folder for a file name")
        for scalar in name.unicodeScalars {
            let value = scalar.value
            promise(value >= 0x20 && !(0x7F...0x9F).contains(value), "control characters in a file name")
            promise(value != 0x2F && value != 0x5C, "a path in a file name")
            promise(!(0x202A...0x202E).contains(value), "a change of direction in a file name")
        }
    }
}
