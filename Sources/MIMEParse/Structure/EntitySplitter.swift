import CMimetic
import MailModel

/// Our own reading of the multipart structure (RFC 2046, 5.1), tolerant where
/// real mail is broken: a delimiter of an outer multipart closes the inner ones,
/// the end of the message closes all, boundaries are exact (one may be a prefix
/// of another), a boundary that is not declared or never occurs is taken from the entity's own
/// body, and a part that follows the closing delimiter is one more part.
///
/// One pass over the lines that begin with `--`, without recursion.
struct EntitySplitter {
    let bytes: UnsafeRawBufferPointer
    let limits: MailLimits
    var defects: DefectLog
    private var entities: [Entity] = []
    private var open: [OpenContainer] = []
    /// Boundaries found in the body for entities whose own never occurs, by header start.
    private var found: [Int: [UInt8]] = [:]
    /// How many such multiparts within one another are mended.
    private static let maximumRounds = 4

    private struct OpenContainer {
        var entity: Int
        var boundary: [UInt8]
        /// What the line behind a delimiter must begin with; nil where it may be any.
        var fieldPrefix: StaticString?
        var hasParts = false
        /// Its closing delimiter was met. It stays in place until an outer delimiter comes: what
        /// a gateway or a careless program put behind the end is a part of it all the same.
        var isClosed = false
    }

    private struct Delimiter {
        var start: Int
        var next: Int
        var level: Int
        var closes: Bool
    }

    init(_ bytes: UnsafeRawBufferPointer, limits: MailLimits, defects: DefectLog) {
        self.bytes = bytes
        self.limits = limits
        self.defects = defects
    }

    mutating func split(from start: Int) -> EntityTree {
        let before = defects
        run(from: start)
        var rounds = 0
        while rounds < Self.maximumRounds, findBoundaries() {
            defects = before
            defects.note(.missingBoundary)
            run(from: start)
            rounds += 1
        }
        for index in entities.indices where entities[index].isContainer && !hasParts(index) {
            entities[index].isContainer = false
        }
        return EntityTree(entities: entities)
    }

    /// Looks for the boundaries of containers without parts: perhaps they are misspelt in the
    /// header. The bodies of such do not overlap, so that this is one pass.
    /// - Returns: whether one was found that was not known before.
    private mutating func findBoundaries() -> Bool {
        let known = found.count
        for (index, entity) in entities.enumerated() where entity.isContainer && !hasParts(index) {
            guard found[entity.headerStart] == nil,
                let boundary = trimmedBoundary(entity) ?? boundaryInBody(entity.body, within: [])
            else { continue }
            found[entity.headerStart] = boundary
        }
        return found.count > known
    }

    /// The tree that libmimetic saw, in our terms.
    mutating func adopt(_ theirs: [mw_mimetic_entity], from start: Int) -> EntityTree {
        entities = []
        open = []
        for item in theirs {
            let index = entities.count
            _ = begin(at: start + item.header_start, parent: Int(item.parent))
            open = []
            let isContainer = item.is_multipart != 0 && theirs.contains { Int($0.parent) == index }
            entities[index].isContainer = isContainer
            let end = max(entities[index].body.lowerBound, min(bytes.count, start + item.body_end))
            entities[index].body = entities[index].body.lowerBound..<end
        }
        return EntityTree(entities: entities)
    }

    private func hasParts(_ index: Int) -> Bool {
        index + 1 < entities.count && entities[index + 1].parent == index
    }

    private mutating func run(from start: Int) {
        entities = []
        open = []
        var cursor = begin(at: start, parent: -1)
        var current: Int? = entities[0].isContainer ? nil : 0
        while let delimiter = nextDelimiter(from: cursor) {
            if delimiter.closes, delimiter.level == open.count - 1, !open[delimiter.level].hasParts {
                // Closed before its first part: what follows decides.
                cursor = delimiter.next
                defects.note(.structureRepaired)
                continue
            }
            let dataEnd = endOfData(before: delimiter.start)
            if let current { endBody(of: current, at: dataEnd) }
            current = nil
            while open.count > delimiter.level + 1, let inner = open.popLast() {
                close(inner, at: dataEnd)
            }
            cursor = delimiter.next
            if delimiter.closes {
                endBody(of: open[delimiter.level].entity, at: delimiter.next)
                open[delimiter.level].isClosed = true
                continue
            }
            if open[delimiter.level].isClosed {
                open[delimiter.level].isClosed = false
                defects.note(.structureRepaired)
            }
            guard entities.count < limits.parts else {
                defects.note(.partLimit)
                endBody(of: entities.count - 1, at: bytes.count)
                break
            }
            open[delimiter.level].hasParts = true
            let index = entities.count
            cursor = begin(at: delimiter.next, parent: open[delimiter.level].entity)
            current = entities[index].isContainer ? nil : index
        }
        if let current { endBody(of: current, at: bytes.count) }
        for container in open { close(container, at: bytes.count) }
        open = []
    }

    /// Something other than its own closing delimiter ends a container.
    private mutating func close(_ container: OpenContainer, at end: Int) {
        if container.isClosed { return }
        // Sun's have no closing delimiter.
        if !container.hasParts || container.fieldPrefix == nil {
            defects.note(container.hasParts ? .missingClosingBoundary : .missingBoundary)
        }
        endBody(of: container.entity, at: end)
    }

    private mutating func endBody(of index: Int, at end: Int) {
        let start = entities[index].body.lowerBound
        entities[index].body = start..<max(start, end)
    }

    /// Reads the header at `start`, adds the entity, and returns where its body starts.
    private mutating func begin(at start: Int, parent: Int) -> Int {
        let reader = HeaderReader(bytes: bytes, limits: limits)
        let stack = open
        let view = self
        let header = reader.read(from: start, isRoot: parent < 0, defects: &defects) { line in
            !stack.isEmpty && view.delimiter(at: line, in: stack) != nil
        }
        let isDigest = parent >= 0 && entities[parent].contentType.name == "multipart/digest"
        var type = isDigest ? ContentType.rfc822 : ContentType.plain
        if let value = header.first(.contentType) {
            type = ContentType(
                bytes.slice(value), standard: type, parameterLimit: limits.parameters, defects: &defects)
        }
        var encoding = TransferEncoding.identity
        if let value = header.first(.contentTransferEncoding) {
            encoding = TransferEncoding(bytes.slice(value), defects: &defects)
        }
        let isSun =
            !type.isDeclared
            && header.first(.contentType).map { SunAttachments.isType(bytes.slice($0)) } ?? false
        if isSun { type = SunAttachments.container }
        if parent >= 0, entities[parent].contentType.name == SunAttachments.container.name {
            type = SunAttachments.type(of: header, in: bytes)
            encoding = SunAttachments.encoding(of: header, in: bytes)
        }
        let depth = parent < 0 ? 0 : entities[parent].depth + 1
        let index = entities.count
        entities.append(
            Entity(
                parent: parent, depth: depth, headerStart: start, header: header,
                body: header.bodyStart..<header.bodyStart, contentType: type, encoding: encoding,
                isContainer: false))
        guard type.kind == .multipart else { return header.bodyStart }
        guard depth < limits.depth else {
            defects.note(.depthLimit)
            return header.bodyStart
        }
        var boundary =
            isSun ? SunAttachments.boundary : found[start] ?? type.parameters?.raw("boundary")?.bytes
        if boundary == nil {
            defects.note(.missingBoundary)
            boundary = boundaryInBody(header.bodyStart..<bytes.count, within: open)
        }
        // Declared and empty it is odd, but `--` lines do separate then.
        guard let boundary else { return header.bodyStart }
        // RFC 2045, 6.4 allows none on a multipart; the parts say how they are encoded.
        if encoding == .base64 || encoding == .quotedPrintable { defects.note(.structureRepaired) }
        entities[index].isContainer = true
        open.append(
            OpenContainer(
                entity: index, boundary: boundary, fieldPrefix: isSun ? SunAttachments.fieldPrefix : nil))
        return header.bodyStart
    }

    /// The next line at or after `start` that is a delimiter of an open multipart.
    private func nextDelimiter(from start: Int) -> Delimiter? {
        guard !open.isEmpty else { return nil }
        var cursor = start
        while let dash = bytes.offset(of: Octet.hyphen, from: cursor, to: bytes.count) {
            guard dash == 0 || bytes[dash - 1] == Octet.lf, dash + 1 < bytes.count,
                bytes[dash + 1] == Octet.hyphen
            else {
                cursor = dash + 1
                while cursor < bytes.count, bytes[cursor] == Octet.hyphen { cursor += 1 }
                continue
            }
            if let delimiter = delimiter(at: dash, in: open) { return delimiter }
            cursor = dash + 2
            while cursor < bytes.count, bytes[cursor] == Octet.hyphen { cursor += 1 }
        }
        return nil
    }

    /// The delimiter that the line at `start` is, the innermost multipart first. A line
    /// that goes on behind a boundary is one where a Content- field follows, and so is one of a
    /// multipart that is closed already; one that goes on behind a closing delimiter closes where
    /// nothing of that multipart follows.
    private func delimiter(at start: Int, in stack: [OpenContainer]) -> Delimiter? {
        guard start + 2 < bytes.count, bytes[start] == Octet.hyphen, bytes[start + 1] == Octet.hyphen
        else { return nil }
        let line = bytes.line(from: start, to: bytes.count)
        let text = bytes.slice((start + 2)..<max(start + 2, line.end))
        var supposed: Int?
        var isOdd = false
        for level in stack.indices.reversed() {
            let boundary = stack[level].boundary
            guard text.count >= boundary.count, text.starts(with: boundary) else { continue }
            var rest = boundary.count
            var closes = false
            if rest + 1 < text.count, text[rest] == Octet.hyphen, text[rest + 1] == Octet.hyphen {
                closes = true
                rest += 2
            }
            while rest < text.count, Octet.isSpace(text[rest]) { rest += 1 }
            if let prefix = stack[level].fieldPrefix {
                guard rest == text.count, bytes.slice(line.next..<bytes.count).hasPrefixIgnoringCase(prefix)
                else { continue }
            }
            if rest == text.count, !stack[level].isClosed {
                return Delimiter(start: start, next: line.next, level: level, closes: closes)
            }
            guard supposed == nil, !boundary.isEmpty else { continue }
            if !isOdd, !stack[level].isClosed,
                Self.isOddlyClosing(text.slice(boundary.count..<text.count))
            {
                // Of one multipart only: the blank lines behind are looked at once.
                isOdd = true
                if isLast(line.next, within: stack[..<level]) {
                    return Delimiter(start: start, next: line.next, level: level, closes: true)
                }
            }
            guard !closes else { continue }
            if rest == text.count || text[boundary.count] == Octet.semicolon
                || Octet.isBlank(text[boundary.count])
            {
                supposed = level
            }
        }
        guard let supposed, line.next < bytes.count,
            bytes.slice(line.next..<bytes.count).hasPrefixIgnoringCase("content-")
        else { return nil }
        return Delimiter(start: start, next: line.next, level: supposed, closes: false)
    }

    /// Whether what stands behind a boundary closes, with more behind it that no longer boundary
    /// has there: `--;`, `-- text`, `---`. `;--` does where the field had a semicolon too many.
    private static func isOddlyClosing(_ rest: UnsafeRawBufferPointer) -> Bool {
        if rest.hasPrefixIgnoringCase(";--") { return rest.slice(3..<rest.count).allSatisfy(Octet.isSpace) }
        guard rest.count > 2, rest[0] == Octet.hyphen, rest[1] == Octet.hyphen else { return false }
        return rest[2] == Octet.hyphen || rest[2] == Octet.semicolon || Octet.isBlank(rest[2])
    }

    /// Whether nothing but blank lines follows, up to the end or to an outer multipart's delimiter.
    private func isLast(_ start: Int, within outer: ArraySlice<OpenContainer>) -> Bool {
        var cursor = start
        while cursor < bytes.count, Octet.isSpace(bytes[cursor]) { cursor += 1 }
        if cursor == bytes.count { return true }
        let line = bytes.line(from: cursor, to: bytes.count)
        let text = bytes.slice(cursor..<max(cursor, line.end)).trimmed()
        // Whole lines only: asking further for each of them could go on for ever.
        return outer.contains { container in
            let rest = text.count - 2 - container.boundary.count
            return (rest == 0 || rest == 2) && text[0] == Octet.hyphen && text[1] == Octet.hyphen
                && text.slice(2..<text.count).starts(with: container.boundary)
                && text.slice((text.count - rest)..<text.count).allSatisfy { $0 == Octet.hyphen }
        }
    }

    private func endOfData(before delimiter: Int) -> Int {
        guard delimiter > 0, bytes[delimiter - 1] == Octet.lf else { return delimiter }
        let end = delimiter - 1
        return end > 0 && bytes[end - 1] == Octet.cr ? end - 1 : end
    }

    /// The declared boundary without blanks at its end (RFC 2046 allows none there),
    /// where that makes a difference.
    private func trimmedBoundary(_ entity: Entity) -> [UInt8]? {
        guard var boundary = entity.contentType.parameters?.raw("boundary")?.bytes,
            let last = boundary.last, Octet.isSpace(last)
        else { return nil }
        while let last = boundary.last, Octet.isSpace(last) { boundary.removeLast() }
        return boundary.isEmpty ? nil : boundary
    }

    /// The first line that looks like a delimiter: `--` and a word, then a Content- field. The
    /// delimiters of the multiparts around an entity end its body, and are none of its own.
    private func boundaryInBody(_ body: Range<Int>, within stack: [OpenContainer]) -> [UInt8]? {
        var cursor = body.lowerBound
        while let dash = bytes.offset(of: Octet.hyphen, from: cursor, to: body.upperBound) {
            cursor = dash + 1
            guard dash == 0 || bytes[dash - 1] == Octet.lf, dash + 2 < body.upperBound,
                bytes[dash + 1] == Octet.hyphen
            else { continue }
            if delimiter(at: dash, in: stack) != nil { return nil }
            let line = bytes.line(from: dash, to: body.upperBound)
            cursor = line.next
            guard line.next < body.upperBound,
                bytes.slice(line.next..<body.upperBound).hasPrefixIgnoringCase("content-")
            else { continue }
            let boundary = bytes.slice((dash + 2)..<max(dash + 2, line.end)).trimmed()
            if !boundary.isEmpty, boundary.count <= 200 { return Array(boundary) }
        }
        return nil
    }
}
