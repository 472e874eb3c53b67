import CMimetic
import MailModel

/// Our own reading of the multipart structure (RFC 2046, 5.1), tolerant where
/// real mail is broken: a delimiter of an outer multipart closes the inner ones,
/// the end of the message closes all, boundaries are exact (one may be a prefix
/// of another), a boundary that is not declared or never occurs is taken from the entity's own
/// body, a part that follows the closing delimiter is one more part, and a multipart that a
/// delimiter from outside ended goes on where its own come again.
///
/// One pass over the lines that begin with `--`, without recursion.
struct EntitySplitter {
    let bytes: UnsafeRawBufferPointer
    let limits: MailLimits
    var defects: DefectLog
    private var entities: [Entity] = []
    private var open: [OpenContainer] = []
    /// Multiparts that a delimiter from outside ended, the latest last.
    private var interrupted: [OpenContainer] = []
    /// Entities whose first Content-Type is another than the one that is read.
    private var ofSecondTypes: [Int] = []
    /// Boundaries found in the body for entities whose own never occurs, by header start.
    private var found: [Int: [UInt8]] = [:]
    /// How many such multiparts within one another are mended.
    private static let maximumRounds = 4
    /// How many multiparts that were ended from outside are remembered.
    private static let maximumInterrupted = 32
    /// Lines behind a delimiter that may come before a Content- field.
    private static let maximumFieldLines = 20

    private struct OpenContainer {
        let entity: Int
        let boundary: [UInt8]
        /// Of the boundary; what most lines are told by.
        let length: Int
        let lastOctet: UInt8
        /// What the line behind a delimiter must begin with; nil where it may be any.
        let fieldPrefix: StaticString?
        var hasParts = false
        /// Its closing delimiter was met. It stays in place until an outer delimiter comes: what
        /// a gateway or a careless program put behind the end is a part of it all the same.
        var isClosed = false
        /// The nearest level further out whose boundary is another one; -1 where there is none.
        var nextOther = -1
        /// The text that was being read when a closing delimiter from outside came.
        var cutText: CutText?

        init(entity: Int, boundary: [UInt8], fieldPrefix: StaticString?) {
            self.entity = entity
            self.boundary = boundary
            self.fieldPrefix = fieldPrefix
            length = boundary.count
            lastOctet = boundary.last ?? 0
        }
    }

    private struct CutText {
        var entity: Int
        /// Behind the line that cut it.
        var next: Int
    }

    private struct Delimiter {
        var start: Int
        var next: Int
        var level: Int
        var closes: Bool
        /// The multipart among `interrupted` that goes on here; `level` is then the one it lies in.
        var resumed: Int?
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
        for index in containersWithoutParts() { entities[index].isContainer = false }
        for index in ofSecondTypes where !entities[index].isContainer {
            guard let value = entities[index].header.first(.contentType) else { continue }
            entities[index].contentType = ContentType(
                bytes.slice(value), standard: .plain, parameterLimit: limits.parameters, defects: &defects)
        }
        return EntityTree(entities: entities)
    }

    /// Looks for the boundaries of containers without parts: perhaps they are misspelt in the
    /// header. The bodies of such do not overlap, so that this is one pass.
    /// - Returns: whether one was found that was not known before.
    private mutating func findBoundaries() -> Bool {
        let known = found.count
        for index in containersWithoutParts() {
            let entity = entities[index]
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

    private func containersWithoutParts() -> [Int] {
        var hasParts = [Bool](repeating: false, count: entities.count)
        for entity in entities where entity.parent >= 0 { hasParts[entity.parent] = true }
        return entities.indices.filter { entities[$0].isContainer && !hasParts[$0] }
    }

    private mutating func run(from start: Int) {
        entities = []
        open = []
        interrupted = []
        ofSecondTypes = []
        var cursor = begin(at: start, parent: -1)
        var current: Int? = entities[0].isContainer ? nil : 0
        while var delimiter = nextDelimiter(from: cursor, in: current) {
            if delimiter.closes, delimiter.level == open.count - 1, !open[delimiter.level].hasParts {
                // Closed before its first part: what follows decides.
                cursor = delimiter.next
                defects.note(.structureRepaired)
                continue
            }
            let dataEnd = endOfData(before: delimiter.start)
            if let current {
                endBody(of: current, at: dataEnd)
            } else {
                readLostPart(before: delimiter, at: dataEnd)
            }
            let resumed = delimiter.resumed.map { takeInterrupted($0, within: delimiter.level, at: dataEnd) }
            endContainers(within: delimiter, at: dataEnd, reading: current)
            current = nil
            cursor = delimiter.next
            if let resumed {
                defects.note(.structureRepaired)
                open[delimiter.level].isClosed = false
                for container in resumed { push(container) }
                delimiter.level = open.count - 1
            }
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

    /// A part whose delimiter is missing, in front of a multipart's first one, where header fields of a part and an
    /// empty line stand and no preamble.
    private mutating func readLostPart(before delimiter: Delimiter, at end: Int) {
        let level = open.count - 1
        guard !delimiter.closes, delimiter.resumed == nil, delimiter.level == level, !open[level].hasParts,
            open[level].fieldPrefix == nil, entities.count + 1 < limits.parts
        else { return }
        let parent = open[level].entity
        var start = entities[parent].body.lowerBound
        while start < end, Octet.isSpace(bytes[start]) { start += 1 }
        guard start < end, bytes.slice(start..<end).hasPrefixIgnoringCase("content-"),
            hasFields(at: start, needsContent: true)
        else { return }
        let index = entities.count
        let body = begin(at: start, parent: parent)
        guard body < end, entities[index].contentType.kind != .multipart else {
            // Nothing of the kind after all.
            entities.removeLast(entities.count - index)
            open.removeLast(open.count - level - 1)
            return
        }
        open[level].hasParts = true
        defects.note(.structureRepaired)
        endBody(of: index, at: end)
    }

    /// Ends the multiparts within the delimiter's own; those that are not closed may go on.
    private mutating func endContainers(within delimiter: Delimiter, at end: Int, reading current: Int?) {
        var text = delimiter.closes ? current.map { CutText(entity: $0, next: delimiter.next) } : nil
        while open.count > delimiter.level + 1, var inner = open.popLast() {
            close(inner, at: end)
            guard !inner.isClosed else { continue }
            inner.cutText = text
            text = nil
            if interrupted.count == Self.maximumInterrupted { interrupted.removeFirst() }
            interrupted.append(inner)
        }
    }

    /// A multipart that goes on, behind those around it within `level`. A text that was cut for
    /// nothing goes on up to `end`.
    private mutating func takeInterrupted(_ index: Int, within level: Int, at end: Int) -> [OpenContainer] {
        if let text = interrupted[index].cutText, text.entity == entities.count - 1,
            [.plain, .html].contains(entities[text.entity].contentType.kind),
            !bytes.slice(text.next..<max(text.next, end)).trimmed().isEmpty
        {
            endBody(of: text.entity, at: end)
        }
        var entity = interrupted[index].entity
        var taken: [OpenContainer] = []
        while let place = interrupted.firstIndex(where: { $0.entity == entity }) {
            taken.append(interrupted.remove(at: place))
            entity = entities[entity].parent
        }
        return taken.reversed()
    }

    private mutating func push(_ container: OpenContainer) {
        var container = container
        container.nextOther = open.count - 1
        if let outer = open.last, outer.boundary == container.boundary,
            (outer.fieldPrefix == nil) == (container.fieldPrefix == nil)
        {
            container.nextOther = outer.nextOther
        }
        open.append(container)
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
        var isSecond = false
        for (index, value) in header.all(.contentType).enumerated() {
            let named = ContentType(
                bytes.slice(value), standard: type, parameterLimit: limits.parameters, defects: &defects)
            if index == 0 {
                type = named
            } else if parent < 0, header.first(.contentDisposition) == nil,
                type.kind == .plain || type.kind == .html, named.kind == .multipart,
                named.parameters?.raw("boundary") != nil
            {
                // A gateway's text may be the message's parts; where there are none it is a text.
                type = named
                isSecond = true
            } else if parent >= 0, type.kind == .plain || type.kind == .html, named.isDeclared,
                !type.hasName, named.hasName
            {
                // Of two the one that names a file: its octets are no text.
                type = named
                defects.note(.duplicateField)
            }
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
        if isSecond { ofSecondTypes.append(index) }
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
        push(
            OpenContainer(
                entity: index, boundary: boundary, fieldPrefix: isSun ? SunAttachments.fieldPrefix : nil))
        return header.bodyStart
    }

    /// The next line at or after `start` that is a delimiter of an open multipart, or of one that
    /// goes on. `current` is the part that is being read.
    private func nextDelimiter(from start: Int, in current: Int?) -> Delimiter? {
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
            if let delimiter = delimiter(at: dash, in: open) ?? resumption(at: dash, in: current) {
                return delimiter
            }
            cursor = dash + 2
            while cursor < bytes.count, bytes[cursor] == Octet.hyphen { cursor += 1 }
        }
        return nil
    }

    /// The delimiter of a multipart that was ended from outside. Within a part a Content- field must
    /// follow, and a message that somebody forwards has delimiters of its own.
    private func resumption(at start: Int, in current: Int?) -> Delimiter? {
        guard !interrupted.isEmpty else { return nil }
        if let current, entities[current].contentType.name.hasPrefix("message/") { return nil }
        let line = bytes.line(from: start, to: bytes.count)
        var end = line.end
        while end > start, Octet.isSpace(bytes[end - 1]) { end -= 1 }
        for (index, container) in interrupted.enumerated().reversed()
        where container.fieldPrefix == nil && end - start - 2 == container.boundary.count {
            guard bytes.holds(container.boundary, at: start + 2) else { continue }
            guard hasFields(at: line.next, needsContent: current != nil), let level = levelAround(index)
            else { return nil }
            return Delimiter(start: start, next: line.next, level: level, closes: false, resumed: index)
        }
        return nil
    }

    /// The level of the innermost open multipart around one that was ended; nil where one between
    /// them is closed for good.
    private func levelAround(_ index: Int) -> Int? {
        var entity = entities[interrupted[index].entity].parent
        while entity >= 0 {
            if let level = open.lastIndex(where: { $0.entity == entity }) { return level }
            guard interrupted.contains(where: { $0.entity == entity }) else { return nil }
            entity = entities[entity].parent
        }
        return nil
    }

    /// Whether header fields follow, and a Content- field among them where one is needed.
    private func hasFields(at start: Int, needsContent: Bool) -> Bool {
        let reader = HeaderReader(bytes: bytes, limits: limits)
        var cursor = start
        for _ in 0..<Self.maximumFieldLines where cursor < bytes.count {
            let line = bytes.line(from: cursor, to: bytes.count)
            let isFold = cursor > start && line.end > cursor && Octet.isBlank(bytes[cursor])
            guard isFold || reader.isField(at: cursor) else { return false }
            if !needsContent || bytes.slice(cursor..<line.end).hasPrefixIgnoringCase("content-") {
                return true
            }
            cursor = line.next
        }
        return false
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
        var supposed: (level: Int, isWholeLine: Bool)?
        var isOdd = false
        var next = stack.count - 1
        while next >= 0 {
            let level = next
            // Several that share a boundary differ only in whether they are closed.
            next = stack[level].isClosed ? level - 1 : stack[level].nextOther
            // Before the boundary is fetched: there may be a hundred levels, and any number of such lines.
            let length = stack[level].length
            guard text.count >= length, length == 0 || text[length - 1] == stack[level].lastOctet
            else { continue }
            let boundary = stack[level].boundary
            guard text.holds(boundary, at: 0) else { continue }
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
                if isLast(line.next, within: stack, below: level) {
                    return Delimiter(start: start, next: line.next, level: level, closes: true)
                }
            }
            guard !closes else { continue }
            if rest == text.count || text[boundary.count] == Octet.semicolon
                || Octet.isBlank(text[boundary.count])
            {
                supposed = (level, rest == text.count)
            }
        }
        guard let supposed, hasFields(at: line.next, needsContent: true) else { return nil }
        // Less is sure of a line that goes on: the field must be the next.
        guard
            supposed.isWholeLine
                || bytes.slice(line.next..<bytes.count).hasPrefixIgnoringCase("content-")
        else { return nil }
        return Delimiter(start: start, next: line.next, level: supposed.level, closes: false)
    }

    /// Whether what stands behind a boundary closes, with more behind it that no longer boundary
    /// has there: `--;`, `-- text`, `---`. `;--` does where the field had a semicolon too many.
    private static func isOddlyClosing(_ rest: UnsafeRawBufferPointer) -> Bool {
        if rest.hasPrefixIgnoringCase(";--") { return rest.slice(3..<rest.count).allSatisfy(Octet.isSpace) }
        guard rest.count > 2, rest[0] == Octet.hyphen, rest[1] == Octet.hyphen else { return false }
        return rest[2] == Octet.hyphen || rest[2] == Octet.semicolon || Octet.isBlank(rest[2])
    }

    /// Whether nothing but blank lines follows, up to the end or to an outer multipart's delimiter.
    private func isLast(_ start: Int, within stack: [OpenContainer], below inner: Int) -> Bool {
        var cursor = start
        while cursor < bytes.count, Octet.isSpace(bytes[cursor]) { cursor += 1 }
        if cursor == bytes.count { return true }
        let line = bytes.line(from: cursor, to: bytes.count)
        let text = bytes.slice(cursor..<max(cursor, line.end)).trimmed()
        guard text.count >= 2, text[0] == Octet.hyphen, text[1] == Octet.hyphen else { return false }
        // Whole lines only: asking further for each of them could go on for ever.
        var level = inner - 1
        while level >= 0 {
            let boundary = stack[level].boundary
            level = stack[level].nextOther
            let rest = text.count - 2 - boundary.count
            guard rest == 0 || rest == 2, text.holds(boundary, at: 2) else { continue }
            if text.slice((text.count - rest)..<text.count).allSatisfy({ $0 == Octet.hyphen }) { return true }
        }
        return false
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
