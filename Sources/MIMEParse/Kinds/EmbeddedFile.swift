/// A file that was not a leaf of the message but stood inside one: a block in a text, or
/// what a winmail.dat held.
struct EmbeddedFile {
    enum Name {
        /// Raw octets of a text, in whatever charset.
        case octets([UInt8])
        case text(String)
    }

    var name: Name?
    var contentType = "application/octet-stream"
    var contentID: String?
    /// Octets that stand nowhere as such, but were made of what a leaf says.
    var content: [UInt8]?
    /// Taken out of an attachment that stands beside it, or of a text that keeps it; else, out of a text.
    var isUnpacked = false
}
