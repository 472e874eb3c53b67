import MailModel

/// Which leaves are the message's text and which are attachments.
struct LeafPlan {
    enum Disposition {
        case none, inline, attachment
    }

    struct Source {
        var entity: Int
        var disposition: Disposition
        /// Set for a file inside the leaf; nil for the leaf itself.
        var embedded: EmbeddedFile?
        var body: Range<Int>
        var encoding: TransferEncoding
        /// The leaf in whose decoded octets `body` counts; nil where it counts in the message.
        var leaf: EncodedLeaf?
        /// Known where the decoded leaf was at hand.
        var measured: (size: Int, digest: Digest256)?

        /// The content is valid during `use` only.
        func withContent<Result>(
            in bytes: UnsafeRawBufferPointer, _ use: (LeafContent) -> Result
        ) -> Result {
            var opened: OpenedLeaf?
            return withContent(in: bytes, opened: &opened, use)
        }

        /// The same; many files of one leaf in a row have it decoded once.
        func withContent<Result>(
            in bytes: UnsafeRawBufferPointer, opened: inout OpenedLeaf?, _ use: (LeafContent) -> Result
        ) -> Result {
            if let content = embedded?.content {
                return content.withUnsafeBytes { use(LeafContent(bytes: $0, encoding: .identity)) }
            }
            guard let leaf else { return use(LeafContent(bytes: bytes.slice(body), encoding: encoding)) }
            if opened?.entity != entity {
                opened = nil
                opened = OpenedLeaf(entity: entity, octets: leaf.decoded(in: bytes))
            }
            return (opened?.octets ?? []).withUnsafeBytes {
                use(LeafContent(bytes: $0.slice(body), encoding: encoding))
            }
        }

        /// Size and SHA-256 of the content.
        func measure(
            in bytes: UnsafeRawBufferPointer, defects: inout DefectLog
        ) -> (size: Int, digest: Digest256) {
            measured ?? withContent(in: bytes) { $0.measure(defects: &defects) }
        }
    }

    /// Where a leaf stands whose decoded octets are not kept: many such could be many messages' size.
    struct EncodedLeaf {
        var body: Range<Int>
        var encoding: TransferEncoding

        func decoded(in bytes: UnsafeRawBufferPointer) -> [UInt8] {
            // Its defects were noted when it was looked through.
            var defects = DefectLog()
            return LeafContent(bytes: bytes.slice(body), encoding: encoding).decoded(defects: &defects)
        }
    }

    struct OpenedLeaf {
        var entity: Int
        var octets: [UInt8]
    }

    /// A text leaf that was searched for files.
    private struct TextWithFiles {
        /// The decoded leaf where it is short and without files; else it is decoded again.
        var octets: [UInt8]?
        /// In the decoded leaf, or in the message where the leaf is not encoded.
        var files: [Range<Int>]
    }

    /// Decoded texts that are kept for reading, together.
    private static let keptTextBytes = 256 << 10
    private var room = LeafPlan.keptTextBytes

    /// The leaves that make the readable text, in order.
    var textLeaves: [Int] = []
    var htmlLeaves: [Int] = []
    /// HTML whose plain version is read.
    var unreadVersions: [Int] = []
    var attachments: [Source] = []
    private var textsWithFiles: [Int: TextWithFiles] = [:]
    /// What the first readable winmail.dat says as the message's body.
    var packedBody: TNEFBody?
    /// Octets that the texts of messages in a winmail.dat may still take.
    private var packedTextRoom: Int

    init(
        tree: inout EntityTree, bytes: UnsafeRawBufferPointer, limits: MailLimits, mode: MIMEParser.Mode,
        defects: inout DefectLog
    ) {
        packedTextRoom = limits.textBytes
        var inlineTexts: [Int] = []
        // Files that are texts: where nothing else is, they say what the sender wrote.
        var spareTexts: [Int] = []
        for index in tree.entities.indices where !tree.entities[index].isContainer {
            var entity = tree.entities[index]
            var disposition = Disposition.none
            var hasName = false
            // Doubled, the first field says how to treat the part, and any of them its name.
            for (index, value) in entity.header.all(.contentDisposition).enumerated() where !hasName {
                let field = bytes.slice(value)
                if index == 0 { disposition = Self.disposition(field) }
                let parameters = Parameters(field: field, limit: limits.parameters, defects: &defects)
                hasName = AttachmentNames.hasName(parameters, "filename")
            }
            if !hasName { hasName = entity.contentType.hasName }
            let kind = entity.contentType.kind
            // A multipart without parts is only the text that it holds.
            let isText = kind == .plain || kind == .html || kind == .multipart
            // A message that is one text is read as such, whatever name it carries.
            guard isText, disposition != .attachment, !hasName || entity.parent < 0 else {
                // Of those that are declared files, the one that is the whole message.
                if isText
                    ? disposition != .attachment || entity.parent < 0
                    : disposition != .attachment && !hasName && entity.contentType.isReadableText
                {
                    spareTexts.append(index)
                }
                attachments.append(
                    Source(
                        entity: index, disposition: disposition, embedded: nil, body: entity.body,
                        encoding: entity.encoding))
                guard mode == .full else { continue }
                unpack(entity, index: index, bytes: bytes, limits: limits, defects: &defects)
                continue
            }
            if entity.encoding == .base64, Base64Lines.isPlainText(bytes.slice(entity.body)) {
                defects.note(.malformedBase64)
                entity.encoding = .identity
                tree.entities[index].encoding = .identity
            }
            inlineTexts.append(index)
            if kind == .html {
                htmlLeaves.append(index)
            } else {
                addFileBlocks(in: entity, index: index, bytes: bytes, limits: limits, defects: &defects)
            }
        }
        if inlineTexts.isEmpty, mode == .full {
            inlineTexts = spareTexts
            htmlLeaves = spareTexts.filter { tree.entities[$0].contentType.kind == .html }
        }
        chooseText(inlineTexts, tree, bytes)
    }

    /// RFC 2183, 2.8: an unknown disposition is an attachment.
    private static func disposition(_ field: UnsafeRawBufferPointer) -> Disposition {
        let field = field.trimmed()
        var end = 0
        while end < field.count, field[end] != Octet.semicolon, !Octet.isSpace(field[end]) { end += 1 }
        let token = field.slice(0..<end)
        if token.isEmpty || token.contains(Octet.equals) { return .none }
        // Forms sent by mail: their fields are texts.
        if token.equalsIgnoringCase("form-data") { return .none }
        return token.equalsIgnoringCase("inline") ? .inline : .attachment
    }

    /// Files within a text, as they stood there before MIME.
    private mutating func addFileBlocks(
        in entity: Entity, index: Int, bytes: UnsafeRawBufferPointer, limits: MailLimits,
        defects: inout DefectLog
    ) {
        let body = bytes.slice(entity.body)
        let room = limits.parts - attachments.count
        let offset = entity.body.lowerBound
        var octets: [UInt8]?
        var blocks: [FileBlock]
        if entity.encoding == .identity {
            blocks = FileBlock.all(in: body, limit: room).map { $0.moved(by: offset) }
        } else {
            let decoded = LeafContent(bytes: body, encoding: entity.encoding).decoded(defects: &defects)
            blocks = decoded.withUnsafeBytes { FileBlock.all(in: $0, limit: room) }
            octets = decoded
        }
        if blocks.isEmpty {
            // Most texts are short: what is decoded already is kept for reading.
            if let octets, octets.count <= self.room {
                self.room -= octets.count
                textsWithFiles[index] = TextWithFiles(octets: octets, files: [])
            }
            return
        }
        if blocks.count == room { defects.note(.partLimit) }
        for block in blocks {
            if block.isCut || block.isRewritten { defects.note(.damagedFile) }
            var source = Source(
                entity: index, disposition: .attachment,
                embedded: EmbeddedFile(name: .octets(block.name), isUnpacked: block.isRewritten),
                body: block.data, encoding: block.encoding)
            if let octets {
                source.leaf = EncodedLeaf(body: entity.body, encoding: entity.encoding)
                source.measured = octets.withUnsafeBytes {
                    LeafContent(bytes: $0.slice(block.data), encoding: block.encoding)
                        .measure(defects: &defects)
                }
            }
            attachments.append(source)
        }
        // What was guessed stays in the text as well.
        let files = blocks.filter { !$0.isRewritten }.map(\.range)
        textsWithFiles[index] = TextWithFiles(octets: nil, files: files)
    }

    /// What a leaf holds packed stands behind the leaf itself, so that nothing is lost.
    private mutating func unpack(
        _ entity: Entity, index: Int, bytes: UnsafeRawBufferPointer, limits: MailLimits,
        defects: inout DefectLog
    ) {
        guard TNEFUnpacking.isTNEF(entity, in: bytes) else { return }
        let content = LeafContent(bytes: bytes.slice(entity.body), encoding: entity.encoding)
        let octets = content.decoded(defects: &defects)
        let unpacked = TNEFUnpacking.files(
            of: octets, room: limits.parts - attachments.count, textRoom: &packedTextRoom, limits: limits)
        if unpacked.isDamaged { defects.note(.damagedFile) }
        if packedBody == nil { packedBody = unpacked.body }
        for (packed, range) in unpacked.files {
            var file = packed
            file.isUnpacked = true
            var source = Source(
                entity: index, disposition: .attachment, embedded: file, body: range, encoding: .identity)
            if file.content == nil {
                source.leaf = EncodedLeaf(body: entity.body, encoding: entity.encoding)
                source.measured = octets.withUnsafeBytes {
                    LeafContent(bytes: $0.slice(range), encoding: .identity).measure(defects: &defects)
                }
            }
            attachments.append(source)
        }
    }

    /// Asks `TextChoice`; whether a plain leaf is blank matters beside HTML only.
    private mutating func chooseText(_ leaves: [Int], _ tree: EntityTree, _ bytes: UnsafeRawBufferPointer) {
        if htmlLeaves.isEmpty {
            textLeaves = leaves
            return
        }
        let known = leaves.map { index in
            let entity = tree.entities[index]
            let isHTML = entity.contentType.kind == .html
            return TextChoice.Leaf(
                isHTML: isHTML, alternative: Self.alternative(around: index, tree),
                isBlank: !isHTML && Self.isBlank(entity, bytes))
        }
        textLeaves = TextChoice.read(known).map { leaves[$0] }
        let read = Set(textLeaves)
        unreadVersions = htmlLeaves.filter { !read.contains($0) }
    }

    /// The outermost multipart/alternative around a leaf.
    private static func alternative(around leaf: Int, _ tree: EntityTree) -> Int? {
        var found: Int?
        var cursor = tree.entities[leaf].parent
        while cursor >= 0 {
            if tree.entities[cursor].contentType.name == "multipart/alternative" { found = cursor }
            cursor = tree.entities[cursor].parent
        }
        return found
    }

    /// Encoded octets that decide whether a text is blank; a longer text of blanks is none.
    private static let blankInput = [256, 64 << 10]

    private static func isBlank(_ entity: Entity, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let content = LeafContent(bytes: bytes.slice(entity.body), encoding: entity.encoding)
        // What is odd here is noted when the text is read.
        var defects = DefectLog()
        for limit in blankInput {
            let isWhole = content.bytes.count <= limit
            var end = min(limit, content.bytes.count)
            // A sequence that is cut would show its first characters.
            if !isWhole, let equals = content.bytes[(end - 2)..<end].firstIndex(of: Octet.equals) {
                end = equals
            }
            let octets = content.decoded(inputLimit: end, defects: &defects)
            if octets.contains(where: { Octet.isLetter($0) || Octet.isDigit($0) }) { return false }
            let text = octets.withUnsafeBytes {
                TextDecoder.string($0, label: entity.contentType.charsetLabel, defects: &defects)
            }
            if !TextChoice.isBlank(text, isCut: !isWhole) { return false }
            if isWhole { return true }
        }
        return false
    }

    /// The octets of a plain text leaf, files within it left out; valid during `use` only.
    func withTextOctets<Result>(
        of index: Int, in tree: EntityTree, bytes: UnsafeRawBufferPointer, limits: MailLimits,
        defects: inout DefectLog, _ use: (UnsafeRawBufferPointer, inout DefectLog) -> Result
    ) -> Result {
        let entity = tree.entities[index]
        let inputLimit = limits.textBytes * 4
        guard let text = textsWithFiles[index] else {
            let body = bytes.slice(entity.body)
            if entity.encoding == .identity {
                return use(body.slice(0..<min(body.count, inputLimit)), &defects)
            }
            if entity.body.count > inputLimit { defects.note(.textLimit) }
            let content = LeafContent(bytes: body, encoding: entity.encoding)
            let octets = content.decoded(inputLimit: inputLimit, defects: &defects)
            return octets.withUnsafeBytes { use($0, &defects) }
        }
        if let octets = text.octets { return octets.withUnsafeBytes { use($0, &defects) } }
        if entity.encoding == .identity {
            return Self.octets(bytes, entity.body, without: text.files, limit: inputLimit)
                .withUnsafeBytes { use($0, &defects) }
        }
        let decoded = EncodedLeaf(body: entity.body, encoding: entity.encoding).decoded(in: bytes)
        return decoded.withUnsafeBytes { octets in
            Self.octets(octets, 0..<octets.count, without: text.files, limit: inputLimit)
                .withUnsafeBytes { use($0, &defects) }
        }
    }

    private static func octets(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, without files: [Range<Int>], limit: Int
    ) -> [UInt8] {
        var octets: [UInt8] = []
        var cursor = range.lowerBound
        for file in files {
            octets.append(contentsOf: bytes.slice(cursor..<file.lowerBound))
            cursor = file.upperBound
        }
        let end = min(range.upperBound, cursor + limit)
        octets.append(contentsOf: bytes.slice(cursor..<max(cursor, end)))
        return octets
    }
}
