public import MailModel

/// `type/subtype` of a file (RFC 2045, 5.1), in lower case and without parameters.
public struct MediaType: Hashable, Sendable {
    public let name: String

    public static let octets = MediaType(known: "application/octet-stream")

    private init(known name: String) { self.name = name }

    /// - Throws: `compose.media-type`: two tokens with a slash between them are needed, and neither
    ///   multipart nor message, which are no files.
    public init(_ name: String) throws(MailFailure) {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let name = name.lowercased()
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.count <= 127 }),
            parts.allSatisfy({ $0.allSatisfy(Grammar.isToken) }), !name.hasPrefix("multipart/"),
            !name.hasPrefix("message/")
        else { throw .badMediaType(name) }
        self.name = name
    }

    /// By the extension; `application/octet-stream` for one that is not known.
    public init(guessedFrom filename: String) {
        guard let dot = filename.lastIndex(of: ".") else {
            self = .octets
            return
        }
        let end = filename[filename.index(after: dot)...].lowercased()
        name = Self.byExtension[end] ?? Self.octets.name
    }

    private static let byExtension: [String: String] = [
        "7z": "application/x-7z-compressed", "bmp": "image/bmp", "csv": "text/csv", "css": "text/css",
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "gif": "image/gif", "gz": "application/gzip", "heic": "image/heic", "htm": "text/html",
        "html": "text/html", "ics": "text/calendar", "jpeg": "image/jpeg", "jpg": "image/jpeg",
        "json": "application/json", "m4a": "audio/mp4", "mov": "video/quicktime", "mp3": "audio/mpeg",
        "mp4": "video/mp4", "odp": "application/vnd.oasis.opendocument.presentation",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "odt": "application/vnd.oasis.opendocument.text", "ogg": "audio/ogg", "pdf": "application/pdf",
        "png": "image/png", "ppt": "application/vnd.ms-powerpoint",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "rar": "application/vnd.rar", "rtf": "application/rtf", "svg": "image/svg+xml",
        "tif": "image/tiff", "tiff": "image/tiff", "txt": "text/plain", "vcf": "text/vcard",
        "wav": "audio/wav", "webp": "image/webp", "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xml": "application/xml", "zip": "application/zip",
    ]
}
