import MailModel

/// The multipart of Sun's Mail Tool, older than MIME and still in archives: the type
/// `X-Sun-Attachment` stands alone, a line of ten hyphens separates, and each part names its
/// type, its file and its encoding in `X-Sun-` fields.
enum SunAttachments {
    /// What follows the two hyphens of a delimiter.
    static let boundary = [UInt8](repeating: Octet.hyphen, count: 8)
    /// How a delimiter is told from a line of hyphens in a text: the line behind it.
    static let fieldPrefix: StaticString = "x-sun-"

    static let container = ContentType(
        name: "multipart/x-sun-attachment", kind: .multipart, parameters: nil, isDeclared: true)

    static func isType(_ value: UnsafeRawBufferPointer) -> Bool {
        value.trimmed().equalsIgnoringCase("x-sun-attachment")
    }

    /// A part without a name, or one called `text`, is what its sender wrote; another is a file.
    static func type(of header: HeaderBlock, in bytes: UnsafeRawBufferPointer) -> ContentType {
        let kind = header.first(.sunDataType).map { bytes.slice($0).trimmed() }
        let name = header.first(.sunDataName).map { bytes.slice($0).trimmed() }
        let isText = kind.map { $0.equalsIgnoringCase("text") } ?? true
        var type =
            isText
            ? ContentType.plain
            : ContentType(
                name: "application/octet-stream", kind: .other, parameters: nil, isDeclared: true)
        if let name, !name.isEmpty, !isText || !name.equalsIgnoringCase("text") {
            type.parameters = Parameters(name: "name", value: Array(name))
        }
        return type
    }

    /// Of the steps that a file went through the last counts; a compressed file stays so.
    static func encoding(of header: HeaderBlock, in bytes: UnsafeRawBufferPointer) -> TransferEncoding {
        guard let steps = header.first(.sunEncodingInfo),
            bytes.slice(steps).containsIgnoringCase("uuencode")
        else { return .identity }
        return .uuencode
    }
}
