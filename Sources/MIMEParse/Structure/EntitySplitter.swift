import CMimetic
import MailModel

/// Our own reading of the multipart structure (RFC 2046, 5.1), tolerant where
/// real mail is broken: a delimiter of an outer multipart closes the inner ones,
/// the end of the message closes all, boundaries are exact (one may be a prefix
/// of another), a boundary that is not declared is taken from the body, and a part that
/// follows the closing delimiter is one more part.
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
        // A container without parts: perhaps its boundary is misspelt in the header.
        for entity in entities where entity.isContainer && found.count < 4 {
            guard !hasParts(entity.headerStart), found[entity.headerStart] == nil,
                let boundary = trimmedBoundary(entity) ?? boundaryInBody(from: entity.body.lowerBound)
            else { continue }
            found[entity.headerStart] = boundary
            defects = before
            defects.note(.missingBoundary)
            run(from: start)
            break
        }
        for index in entities.indices where entities[index].isContainer {
            if !hasParts(entities[index].headerStart) { entities[index].isContainer = false }
        }
        return EntityTree(entities: entities)
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

    private func hasParts(_ headerStart: Int) -> Bool {
        guard let index = entities.firstIndex(where: { $0.headerStart == headerStart }) else { return false }
        return index + 1 < entities.count && entities[index + 1].parent == index
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
            boundary = boundaryInBody(from: header.bodyStart)
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
    /// multipart that is closed already.
    private func delimiter(at start: Int, in stack: [OpenContainer]) -> Delimiter? {
        guard start + 2 < bytes.count, bytes[start] == Octet.hyphen, bytes[start + 1] == Octet.hyphen
        else { return nil }
        let line = bytes.line(from: start, to: bytes.count)
        let text = bytes.slice((start + 2)..<max(start + 2, line.end))
        var supposed: Int?
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
            guard supposed == nil, !boundary.isEmpty, !closes else { continue }
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

    /// The first line after `start` that looks like a delimiter: `--` and a word,
    /// then a Content- field.
    private func boundaryInBody(from start: Int) -> [UInt8]? {
        var cursor = start
        while let dash = bytes.offset(of: Octet.hyphen, from: cursor, to: bytes.count) {
            cursor = dash + 1
            guard dash == 0 || bytes[dash - 1] == Octet.lf, dash + 2 < bytes.count,
                bytes[dash + 1] == Octet.hyphen
            else { continue }
            let line = bytes.line(from: dash, to: bytes.count)
            cursor = line.next
            guard line.next < bytes.count,
                bytes.slice(line.next..<bytes.count).hasPrefixIgnoringCase("content-")
            else { continue }
            let boundary = bytes.slice((dash + 2)..<max(dash + 2, line.end)).trimmed()
            if !boundary.isEmpty, boundary.count <= 200 { return Array(boundary) }
        }
        return nil
    }
}
