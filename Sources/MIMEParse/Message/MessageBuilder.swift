import MailModel

/// Builds the value of one message from its entity tree.
struct MessageBuilder {
    let bytes: UnsafeRawBufferPointer
    let limits: MailLimits
    let mode: MIMEParser.Mode
    /// How many layers, signed or encoded as a whole, these bytes were taken out of.
    let nesting: Int
    var defects = DefectLog()

    init(bytes: UnsafeRawBufferPointer, limits: MailLimits, mode: MIMEParser.Mode, nesting: Int = 0) {
        self.bytes = bytes
        self.limits = limits
        self.mode = mode
        self.nesting = nesting
        if mode == .careful { defects.note(.parserFailure) }
    }

    /// What `use` makes of a message and its tree. Multiparts that are encoded as a whole are
    /// decoded before, layer by layer, and each layer is let go of when the next one is there.
    static func read<Result>(
        _ bytes: UnsafeRawBufferPointer, limits: MailLimits, mode: MIMEParser.Mode, nesting: Int = 0,
        _ use: (inout MessageBuilder, EntityTree) -> Result
    ) -> Result {
        var nesting = nesting
        func step(_ bytes: UnsafeRawBufferPointer, isDecoded: Bool) -> LayerReading<Result> {
            var builder = MessageBuilder(bytes: bytes, limits: limits, mode: mode, nesting: nesting)
            if isDecoded { builder.defects.note(.structureRepaired) }
            let tree = builder.readTree()
            if mode == .full, nesting < EnclosedContent.maximumNesting,
                let layer = EncodedMultiparts.decoded(in: bytes, tree)
            {
                return .deeper(layer)
            }
            return .done(use(&builder, tree))
        }
        var next = step(bytes, isDecoded: false)
        while true {
            switch next {
            case .done(let result): return result
            case .deeper(let layer):
                nesting += 1
                next = layer.withUnsafeBytes { step($0, isDecoded: true) }
            }
        }
    }

    static func message(
        _ bytes: UnsafeRawBufferPointer, limits: MailLimits, mode: MIMEParser.Mode, nesting: Int = 0
    ) -> ParsedMessage {
        read(bytes, limits: limits, mode: mode, nesting: nesting) { $0.build($1) }
    }

    static func attachmentContent(
        _ index: Int, of bytes: UnsafeRawBufferPointer, limits: MailLimits, mode: MIMEParser.Mode,
        nesting: Int = 0
    ) -> [UInt8]? {
        read(bytes, limits: limits, mode: mode, nesting: nesting) { $0.attachmentContent(index, $1) }
    }

    private mutating func build(_ tree: EntityTree) -> ParsedMessage {
        var tree = tree
        if defects.defects.contains(.emptyMessage) { return emptyMessage(tree.entities[0]) }
        let plan = LeafPlan(tree: &tree, bytes: bytes, limits: limits, mode: mode, defects: &defects)
        let root = tree.entities[0]
        let fields = MessageFields(
            bytes: bytes, header: root.header, limits: limits,
            fallbackLabel: declaredCharset(tree), defects: defects)
        var message = fields.read()
        defects = message.log
        readBody(tree, plan, into: &message.value)
        readKinds(tree, plan, fields, into: &message.value)
        message.value.split = message.value.text.flatMap(TextSplitter.split)
        message.value.contentDigest = digest(message.value, root)
        message.value.formDigest = ContentDigest.ofForm(root)
        message.value.defects = defects.defects
        return message.value
    }

    /// Nothing was received: that is the one thing to say.
    private func emptyMessage(_ root: Entity) -> ParsedMessage {
        var message = ParsedMessage(contentDigest: .zero)
        message.contentDigest = digest(message, root)
        message.formDigest = ContentDigest.ofForm(root)
        message.defects = defects.defects
        return message
    }

    private mutating func attachmentContent(_ index: Int, _ tree: EntityTree) -> [UInt8]? {
        var tree = tree
        let plan = LeafPlan(tree: &tree, bytes: bytes, limits: limits, mode: mode, defects: &defects)
        guard index >= 0 else { return nil }
        guard index < plan.attachments.count else {
            return enclosedAttachmentContent(index - plan.attachments.count, tree, plan)
        }
        return plan.attachments[index].withContent(in: bytes) { $0.decoded(defects: &defects) }
    }

    /// Ours and libmimetic's reading of the structure; the richer one counts.
    private mutating func readTree() -> EntityTree {
        let start = MessageSource.start(of: bytes)
        if start >= bytes.count { defects.note(.emptyMessage) }
        var splitter = EntitySplitter(bytes, limits: limits, defects: defects)
        var tree = splitter.split(from: start)
        defects = splitter.defects
        // Beyond the limits ours is cut on purpose; theirs would not be.
        let isCut = defects.defects.contains {
            $0 == .partLimit || $0 == .depthLimit || $0 == .headerLimit
        }
        let reading = MimeticReading(bytes: bytes, limits: limits)
        switch isCut || mode == .careful ? .notAsked : reading.compare(with: tree, from: start) {
        case .agrees, .notAsked:
            break
        case .oursIsRicher:
            // The reason is named already where the splitter saw it.
            if !defects.hasStructural { defects.note(.structureRepaired) }
        case .theirsIsRicher(let entities):
            defects.note(.structureRepaired)
            tree = splitter.adopt(entities, from: start)
            defects = splitter.defects
        case .failed:
            defects.note(.parserFailure)
        }
        return tree
    }

    /// The charset of the first text leaf that names one: it explains raw 8-bit headers.
    private func declaredCharset(_ tree: EntityTree) -> [UInt8]? {
        for entity in tree.entities {
            if let label = entity.contentType.charsetLabel, Charset(label: label) != nil { return label }
        }
        return nil
    }

    private mutating func readBody(_ tree: EntityTree, _ plan: LeafPlan, into message: inout ParsedMessage) {
        message.hasHTML = !plan.htmlLeaves.isEmpty
        // The first leaf that says anything is the body; the others follow it.
        var body = BodyText(limits: limits)
        var further = BodyText(limits: limits)
        message.textSource = plan.textLeaves.isEmpty ? .none : .plain
        for index in plan.textLeaves {
            let entity = tree.entities[index]
            if body.utf8.isEmpty {
                append(entity, index, to: &body, tree, plan)
                message.textSource = entity.contentType.kind == .html ? .html : .plain
            } else if !further.isFull {
                let end = further.utf8.count
                append(entity, index, to: &further, tree, plan)
                // Some programs send both versions without saying that they are alternatives.
                if entity.contentType.kind == .html, TextChoice.repeats(further.utf8[end...], body.utf8) {
                    further.utf8.removeLast(further.utf8.count - end)
                }
            }
        }
        appendRicherVersions(of: body, to: &further, tree, plan)
        if message.textSource != .none {
            message.text = String(decoding: body.utf8, as: UTF8.self)
        }
        if !further.utf8.isEmpty { message.furtherText = String(decoding: further.utf8, as: UTF8.self) }
        readPackedBody(plan, into: &message)
        readWholeMessage(tree.entities[0], into: &message)
        readAttachments(tree, plan, into: &message)
    }

    /// The HTML beside a plain version that is a mere stub: "your program shows no HTML", a scanner's
    /// notice, the greeting alone.
    private mutating func appendRicherVersions(
        of body: BodyText, to further: inout BodyText, _ tree: EntityTree, _ plan: LeafPlan
    ) {
        guard body.utf8.count < TextChoice.longestStub else { return }
        for index in plan.unreadVersions.prefix(Self.maximumVersions) where !further.isFull {
            let end = further.utf8.count
            let before = defects
            append(tree.entities[index], index, to: &further, tree, plan)
            if !TextChoice.isStub(body.utf8, beside: further.utf8[end...]) {
                further.utf8.removeLast(further.utf8.count - end)
                defects = before
            }
        }
    }

    /// Versions beside a stub that are read; more are an attack.
    private static let maximumVersions = 4

    private mutating func append(
        _ entity: Entity, _ index: Int, to text: inout BodyText, _ tree: EntityTree, _ plan: LeafPlan
    ) {
        let label = entity.contentType.charsetLabel
        if entity.contentType.kind == .html {
            guard mode == .full else { return }
            let octets = leafContent(entity).decoded(inputLimit: limits.textBytes * 8, defects: &defects)
            octets.withUnsafeBytes { text.appendHTML($0, label: label, defects: &defects) }
        } else {
            plan.withTextOctets(of: index, in: tree, bytes: bytes, limits: limits, defects: &defects) {
                text.appendPlain($0, entity.contentType, label: label, defects: &$1)
            }
        }
    }

    private func leafContent(_ entity: Entity) -> LeafContent {
        LeafContent(bytes: bytes.slice(entity.body), encoding: entity.encoding)
    }

    private mutating func readAttachments(
        _ tree: EntityTree, _ plan: LeafPlan, into message: inout ParsedMessage
    ) {
        guard !plan.attachments.isEmpty else { return }
        let names = AttachmentNames(
            limits: limits, text: HeaderText(fallbackLabel: declaredCharset(tree)))
        var references: Set<String>?
        message.attachments.reserveCapacity(plan.attachments.count)
        for source in plan.attachments {
            let (size, digest) = source.measure(in: bytes, defects: &defects)
            let entity = tree.entities[source.entity]
            if let file = source.embedded {
                let name = names.name(of: file, defects: &defects)
                var attachment = Attachment(
                    filename: name.cleaned, declaredName: name.declared, contentType: file.contentType,
                    size: size, sha256: digest, isInline: false, contentID: file.contentID)
                attachment.isUnpacked = file.isUnpacked
                message.attachments.append(attachment)
                continue
            }
            let contentID = entity.header.first(.contentID).flatMap {
                MessageIdentifiers.first(in: bytes.slice($0))
            }
            var isInline = source.disposition == .inline
            if !isInline, let contentID, source.disposition == .none, message.hasHTML {
                if references == nil { references = contentReferences(tree, plan) }
                isInline = references?.contains(contentID.lowercased()) ?? false
            }
            let name = names.name(of: entity, in: bytes, defects: &defects)
            message.attachments.append(
                Attachment(
                    filename: name.cleaned, declaredName: name.declared, contentType: entity.contentType.name,
                    size: size, sha256: digest, isInline: isInline,
                    contentID: contentID))
        }
    }

    /// The Content-IDs that the HTML refers to (`cid:` URLs, RFC 2392), in lower case.
    private mutating func contentReferences(_ tree: EntityTree, _ plan: LeafPlan) -> Set<String> {
        var references: Set<String> = []
        for index in plan.htmlLeaves {
            let html = leafContent(tree.entities[index]).decoded(
                inputLimit: limits.textBytes * 4, defects: &defects)
            html.withUnsafeBytes { bytes in
                var cursor = 0
                while let colon = bytes.offset(of: Octet.colon, from: cursor, to: bytes.count) {
                    cursor = colon + 1
                    guard colon >= 3, bytes.slice((colon - 3)..<colon).hasPrefixIgnoringCase("cid") else {
                        continue
                    }
                    var end = cursor
                    while end < bytes.count, end - cursor < 512, bytes[end] > 0x20, bytes[end] != Octet.quote,
                        bytes[end] != Octet.apostrophe, bytes[end] != Octet.greater,
                        bytes[end] != Octet.closeParenthesis
                    {
                        end += 1
                    }
                    references.insert(bytes.slice(cursor..<end).lowercasedString())
                    cursor = end
                }
            }
        }
        return references
    }

    private func digest(_ message: ParsedMessage, _ root: Entity) -> Digest256 {
        var digest = ContentDigest()
        digest.add(message.from)
        digest.add(message.to)
        digest.add(message.cc)
        digest.add(message.subject ?? "")
        if let date = message.date {
            digest.add(String(date.rawValue))
        } else {
            // An unreadable date still tells two mails apart.
            digest.add(root.header.first(.date).map { bytes.slice($0).trimmed() } ?? bytes.slice(0..<0))
        }
        digest.add(message.messageID?.rawValue ?? "")
        digest.addBody(bytes.slice(min(root.header.bodyStart, bytes.count)..<bytes.count))
        return digest.finish()
    }
}

/// What came of one layer of a message.
private enum LayerReading<Result> {
    /// It holds encoded multiparts: this is the layer with those decoded.
    case deeper([UInt8])
    case done(Result)
}
