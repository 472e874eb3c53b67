/// One entity of a message (RFC 2045, 2.4): ranges of the bytes, and what its
/// header says about its content.
struct Entity {
    /// Index of the enclosing multipart in the tree's list; -1 for the message.
    var parent: Int
    var depth: Int
    var headerStart: Int
    var header: HeaderBlock
    /// The body without the line end that belongs to the delimiter after it.
    var body: Range<Int>
    var contentType: ContentType
    var encoding: TransferEncoding
    /// A multipart whose parts follow in the list.
    var isContainer: Bool
}

/// The entities of one message in the order of the message, containers before their parts.
struct EntityTree {
    var entities: [Entity]

    /// Whether `index` lies in a multipart of the given type, at any height.
    func isWithin(_ index: Int, container: Int) -> Bool {
        var cursor = entities[index].parent
        while cursor >= 0 {
            if cursor == container { return true }
            cursor = entities[cursor].parent
        }
        return false
    }
}
