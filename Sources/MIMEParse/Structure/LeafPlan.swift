import MailModel

/// Which leaves are the message's text and which are attachments.
struct LeafPlan {
    enum Disposition {
        case none, inline, attachment
    }

    struct Source {
        var entity: Int
        var disposition: Disposition
        /// A uuencoded file within a plain text leaf; its ranges count in the message.
        var uuencoded: UUEncoding.Block?
        var body: Range<Int>
        var encoding: TransferEncoding

        func content(in bytes: UnsafeRawBufferPointer) -> LeafContent {
            LeafContent(bytes: bytes.slice(body), encoding: encoding)
        }
    }

    /// The leaves that make the readable text, in order.
    var textLeaves: [Int] = []
    var htmlLeaves: [Int] = []
    var attachments: [Source] = []

    init(
        tree: EntityTree, bytes: UnsafeRawBufferPointer, limits: MailLimits, defects: inout DefectLog
    ) {
        var inlineTexts: [Int] = []
        for (index, entity) in tree.entities.enumerated() where !entity.isContainer {
            var disposition = Disposition.none
            var hasName = false
            if let value = entity.header.first(.contentDisposition) {
                let field = bytes.slice(value)
                disposition = Self.disposition(field)
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
                        entity: index, disposition: disposition, uuencoded: nil, body: entity.body,
                        encoding: entity.encoding))
                continue
            }
            inlineTexts.append(index)
            if kind == .html {
                htmlLeaves.append(index)
            } else if entity.encoding == .identity {
                addUUEncoded(in: entity, index: index, bytes: bytes, limits: limits, defects: &defects)
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

    private mutating func addUUEncoded(
        in entity: Entity, index: Int, bytes: UnsafeRawBufferPointer, limits: MailLimits,
        defects: inout DefectLog
    ) {
        let body = bytes.slice(entity.body)
        var cursor = 0
        while let block = UUEncoding.nextBlock(in: body, from: cursor) {
            guard attachments.count < limits.parts else {
                defects.note(.partLimit)
                return
            }
            cursor = block.range.upperBound
            let offset = entity.body.lowerBound
            let moved = UUEncoding.Block(
                range: (block.range.lowerBound + offset)..<(block.range.upperBound + offset),
                name: block.name,
                data: (block.data.lowerBound + offset)..<(block.data.upperBound + offset))
            attachments.append(
                Source(
                    entity: index, disposition: .attachment, uuencoded: moved, body: moved.data,
                    encoding: .uuencode))
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

    /// The octets of a plain text leaf, files within it left out.
    func textOctets(
        of index: Int, in tree: EntityTree, bytes: UnsafeRawBufferPointer, limits: MailLimits,
        defects: inout DefectLog
    ) -> [UInt8] {
        let entity = tree.entities[index]
        let content = LeafContent(bytes: bytes.slice(entity.body), encoding: entity.encoding)
        let inputLimit = limits.textBytes * 4
        guard entity.encoding == .identity else {
            if entity.body.count > inputLimit { defects.note(.textLimit) }
            return content.decoded(inputLimit: inputLimit, defects: &defects)
        }
        var octets: [UInt8] = []
        var cursor = entity.body.lowerBound
        for source in attachments where source.entity == index {
            guard let block = source.uuencoded else { continue }
            octets.append(contentsOf: bytes.slice(cursor..<block.range.lowerBound))
            cursor = block.range.upperBound
        }
        let end = min(entity.body.upperBound, cursor + inputLimit)
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
        if let value = entity.header.first(.contentDisposition) {
            sources.append(
                Parameters(field: bytes.slice(value), limit: limits.parameters, defects: &defects))
        }
        if let parameters = entity.contentType.parameters { sources.append(parameters) }
        for (index, source) in sources.enumerated() {
            let isDisposition = index == 0 && sources.count == 2
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
