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
    /// The decoded leaf in which the file's range counts; nil where it counts in the message.
    /// All files of one leaf share the one copy.
    var container: [UInt8]?
}
