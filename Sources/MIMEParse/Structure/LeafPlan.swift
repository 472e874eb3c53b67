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

        /// The content is valid during `use` only.
        func withContent<Result>(
            in bytes: UnsafeRawBufferPointer, _ use: (LeafContent) -> Result
        ) -> Result {
            guard let container = embedded?.container else {
                return use(LeafContent(bytes: bytes.slice(body), encoding: encoding))
            }
            return container.withUnsafeBytes {
                use(LeafContent(bytes: $0.slice(body), encoding: encoding))
            }
        }
    }

    /// A text leaf that was searched for files.
    private struct TextWithFiles {
        /// The decoded leaf; nil where the ranges count in the message.
        var octets: [UInt8]?
        var files: [Range<Int>]
    }

    private static let keptTextBytes = 256 << 10

    /// The leaves that make the readable text, in order.
    var textLeaves: [Int] = []
    var htmlLeaves: [Int] = []
    var attachments: [Source] = []
    private var textsWithFiles: [Int: TextWithFiles] = [:]
    /// What the first readable winmail.dat says as the message's body.
    var packedBody: TNEFBody?

    init(
        tree: EntityTree, bytes: UnsafeRawBufferPointer, limits: MailLimits, defects: inout DefectLog
    ) {
        var inlineTexts: [Int] = []
        for (index, entity) in tree.entities.enumerated() where !entity.isContainer {
            var disposition = Disposition.none
            var hasName = false
            // Doubled, the first field says how to treat the part, and any of them its name.
            for (index, value) in entity.header.all(.contentDisposition).enumerated() where !hasName {
                let field = bytes.slice(value)
                if index == 0 { disposition = Self.disposition(field) }
                let parameters = Parameters(field: field, limit: limits.parameters, defects: &defects)
                hasName = AttachmentNames.hasName(parameters, "filename")
            }
            if !hasName, let parameters = entity.contentType.parameters {
                hasName =
                    AttachmentNames.hasName(parameters, "name")
                    || AttachmentNames.hasName(parameters, "filename")
            }
            let kind = entity.contentType.kind
            // A multipart without parts is only the text that it holds.
            let isText = kind == .plain || kind == .html || kind == .multipart
            // A message that is one text is read as such, whatever name it carries.
            guard isText, disposition != .attachment, !hasName || entity.parent < 0 else {
                attachments.append(
                    Source(
                        entity: index, disposition: disposition, embedded: nil, body: entity.body,
                        encoding: entity.encoding))
                unpack(entity, index: index, bytes: bytes, limits: limits, defects: &defects)
                continue
            }
            inlineTexts.append(index)
            if kind == .html {
                htmlLeaves.append(index)
            } else {
                addFileBlocks(in: entity, index: index, bytes: bytes, limits: limits, defects: &defects)
            }
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
            if let octets, octets.count <= Self.keptTextBytes {
                textsWithFiles[index] = TextWithFiles(octets: octets, files: [])
            }
            return
        }
        if blocks.count == room { defects.note(.partLimit) }
        for block in blocks {
            if block.isCut { defects.note(.damagedFile) }
            let file = EmbeddedFile(name: .octets(block.name), container: octets)
            attachments.append(
                Source(
                    entity: index, disposition: .attachment, embedded: file, body: block.data,
                    encoding: block.encoding))
        }
        textsWithFiles[index] = TextWithFiles(octets: octets, files: blocks.map(\.range))
    }

    /// What a leaf holds packed stands behind the leaf itself, so that nothing is lost.
    private mutating func unpack(
        _ entity: Entity, index: Int, bytes: UnsafeRawBufferPointer, limits: MailLimits,
        defects: inout DefectLog
    ) {
        guard TNEFUnpacking.isTNEF(entity, in: bytes) else { return }
        let content = LeafContent(bytes: bytes.slice(entity.body), encoding: entity.encoding)
        let unpacked = TNEFUnpacking.files(
            of: content.decoded(defects: &defects), room: limits.parts - attachments.count, limits: limits)
        if unpacked.isDamaged { defects.note(.damagedFile) }
        if packedBody == nil { packedBody = unpacked.body }
        for (packed, range) in unpacked.files {
            var file = packed
            file.isUnpacked = true
            attachments.append(
                Source(
                    entity: index, disposition: .attachment, embedded: file, body: range,
                    encoding: .identity))
        }
    }

    /// Of the versions in a multipart/alternative the plain one is read, unless it
    /// is blank. Text behind the first plain leaf that is HTML repeats it.
    private mutating func chooseText(_ leaves: [Int], _ tree: EntityTree, _ bytes: UnsafeRawBufferPointer) {
        let plain = leaves.filter { tree.entities[$0].contentType.kind != .html }
        let html = leaves.filter { tree.entities[$0].contentType.kind == .html }
        if html.isEmpty {
            textLeaves = plain
            return
        }
        let written = plain.filter { !Self.isBlank(bytes.slice(tree.entities[$0].body)) }
        // The alternatives in which a plain version stands.
        var answered: Set<Int> = []
        for leaf in written {
            if let alternative = Self.alternative(around: leaf, tree) { answered.insert(alternative) }
        }
        let kept = leaves.filter { leaf in
            guard tree.entities[leaf].contentType.kind == .html else { return written.contains(leaf) }
            guard let alternative = Self.alternative(around: leaf, tree) else { return true }
            return !answered.contains(alternative)
        }
        if let first = kept.first, tree.entities[first].contentType.kind != .html {
            textLeaves = kept.filter { tree.entities[$0].contentType.kind != .html }
        } else {
            textLeaves = kept.isEmpty ? plain : kept
        }
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

    private static func isBlank(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.trimmed().isEmpty }

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
        guard let octets = text.octets else {
            return Self.octets(bytes, entity.body, without: text.files, limit: inputLimit)
                .withUnsafeBytes { use($0, &defects) }
        }
        return octets.withUnsafeBytes { octets in
            if text.files.isEmpty { return use(octets.slice(0..<min(octets.count, inputLimit)), &defects) }
            return Self.octets(octets, 0..<octets.count, without: text.files, limit: inputLimit)
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

/// File names of attachments, from either of the fields that give one.
struct AttachmentNames {
    let limits: MailLimits
    let text: HeaderText

    static func hasName(_ parameters: Parameters, _ key: String) -> Bool {
        parameters.raw(key).map { !$0.bytes.isEmpty } ?? false
    }

    /// What a sender called a file: in his own words, and made safe.
    struct Name {
        var declared: String?
        var cleaned: String?
    }

    func name(of entity: Entity, in bytes: UnsafeRawBufferPointer, defects: inout DefectLog) -> Name {
        var sources: [Parameters] = []
        for value in entity.header.all(.contentDisposition) {
            sources.append(
                Parameters(field: bytes.slice(value), limit: limits.parameters, defects: &defects))
        }
        let dispositions = sources.count
        if let parameters = entity.contentType.parameters { sources.append(parameters) }
        for (index, source) in sources.enumerated() {
            let isDisposition = index < dispositions
            for key in isDisposition ? ["filename", "name"] : ["name", "filename"] {
                guard let value = source.raw(key) else { continue }
                var name = decoded(value, defects: &defects)
                if name.declared == nil, name.cleaned == nil { continue }
                if let unescaped = value.unescaped {
                    // A path of the sender's disk: by the grammar its backslashes are none.
                    name.declared = decoded(unescaped, defects: &defects).declared
                }
                return name
            }
        }
        return Name()
    }

    func name(of file: EmbeddedFile, defects: inout DefectLog) -> Name {
        switch file.name {
        case .octets(let octets): decoded(octets, defects: &defects)
        case .text(let name): bounded(name)
        case nil: Name()
        }
    }

    private func decoded(_ value: Parameters.Value, defects: inout DefectLog) -> Name {
        guard value.isExtended else { return decoded(value.bytes, defects: &defects) }
        let label = value.charset.flatMap { $0.isEmpty ? nil : $0 }
        let name = value.bytes.withUnsafeBytes {
            TextDecoder.string($0, label: label, defects: &defects)
        }
        return bounded(name)
    }

    /// A name in the shape of unstructured text.
    func decoded(_ name: [UInt8], defects: inout DefectLog) -> Name {
        var utf8: [UInt8] = []
        name.withUnsafeBytes { text.decode($0, into: &utf8, defects: &defects) }
        return bounded(String(decoding: utf8, as: UTF8.self))
    }

    private func bounded(_ name: String) -> Name {
        let declared = FileName.shortened(name, limit: limits.declaredNameBytes)
        return Name(
            declared: declared.isEmpty ? nil : declared,
            cleaned: FileName.cleaned(name, limit: limits.fileNameBytes))
    }
}
