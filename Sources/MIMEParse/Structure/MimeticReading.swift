import CMimetic
import MailModel

/// libmimetic's reading of the structure, and its comparison with ours.
struct MimeticReading {
    let bytes: UnsafeRawBufferPointer
    let limits: MailLimits

    enum Verdict {
        /// Both see the same leaves.
        case agrees
        /// Ours has what libmimetic misses, or the two cut bodies differently.
        case oursIsRicher
        /// libmimetic sees more leaves than we do: these.
        case theirsIsRicher([mw_mimetic_entity])
        /// Not asked, because the mail goes beyond what it reads safely.
        case notAsked
        case failed
    }

    /// Reads from `start` (behind a From_ line) and compares.
    func compare(with tree: EntityTree, from start: Int) -> Verdict {
        guard isWithinItsLimits(tree, from: start), let base = bytes.baseAddress else { return .notAsked }
        let capacity = tree.entities.count + 64
        return withUnsafeTemporaryAllocation(of: mw_mimetic_entity.self, capacity: capacity) { list in
            var count = 0
            let outcome = mw_mimetic_read(
                (base + start).assumingMemoryBound(to: CChar.self), bytes.count - start, list.baseAddress,
                capacity, &count)
            guard outcome == MW_MIMETIC_READ else {
                return outcome == MW_MIMETIC_TOO_MANY ? .oursIsRicher : .failed
            }
            return verdict(UnsafeBufferPointer(rebasing: list[0..<count]), tree, start)
        }
    }

    private func verdict(
        _ theirs: UnsafeBufferPointer<mw_mimetic_entity>, _ tree: EntityTree, _ start: Int
    ) -> Verdict {
        var ourLeaves = 0
        var theirLeaves = 0
        for entity in tree.entities where !entity.isContainer { ourLeaves += 1 }
        for entity in theirs where entity.is_multipart == 0 { theirLeaves += 1 }
        if theirLeaves > ourLeaves { return .theirsIsRicher(Array(theirs)) }
        guard theirs.count == tree.entities.count else { return .oursIsRicher }
        for (index, entity) in tree.entities.enumerated() {
            let other = theirs[index]
            guard Int(other.parent) == entity.parent, entity.isContainer == (other.is_multipart != 0) else {
                return .oursIsRicher
            }
            if entity.isContainer || other.is_message != 0 { continue }
            guard other.body_start + start == entity.body.lowerBound,
                other.body_end + start == entity.body.upperBound
            else { return .oursIsRicher }
        }
        return .agrees
    }

    /// libmimetic recurses once a level, enters messages within messages, splits
    /// at every `--` without a boundary, and is quadratic in the length of a field.
    private func isWithinItsLimits(_ tree: EntityTree, from start: Int) -> Bool {
        guard bytes.count <= 1 << 30 else { return false }
        for entity in tree.entities where entity.contentType.kind == .multipart {
            guard let boundary = entity.contentType.parameters?.raw("boundary"), !boundary.bytes.isEmpty,
                boundary.bytes.count <= limits.boundaryBytes
            else { return false }
        }
        // Without such a type in the first header libmimetic descends nowhere.
        let isLeaf =
            tree.entities.count == 1 && compositeTypes(from: start, to: endOfHeader(from: start)) == 0
        return (isLeaf || compositeTypes(from: start, to: bytes.count) <= limits.depth)
            && fieldCost(from: start) <= 64 << 20
    }

    /// Behind the first empty line: libmimetic reads no further for the first header.
    private func endOfHeader(from start: Int) -> Int {
        var cursor = start
        while cursor < bytes.count {
            let line = bytes.line(from: cursor, to: bytes.count)
            if line.end == cursor { return line.next }
            cursor = line.next
        }
        return bytes.count
    }

    /// An upper bound on the entities that libmimetic may descend into: Content-Type
    /// fields, wherever they stand, that do not name a discrete type.
    private func compositeTypes(from start: Int, to end: Int) -> Int {
        var composites = 0
        // So short that there is no room for as many.
        if bytes.count - start < limits.depth * 12 { return 0 }
        var cursor = start
        while let dash = bytes.offset(of: Octet.hyphen, from: cursor, to: end) {
            cursor = dash + 1
            guard dash - 7 >= start, cursor + 4 <= bytes.count,
                Octet.lowercased(bytes[cursor]) == 0x74, Octet.lowercased(bytes[dash - 1]) == 0x74,
                bytes.slice((dash - 7)..<(cursor + 4)).hasPrefixIgnoringCase("content-type")
            else { continue }
            var value = cursor + 4
            while value < bytes.count, Octet.isSpace(bytes[value]) || bytes[value] == Octet.colon {
                value += 1
            }
            let rest = bytes.slice(value..<min(bytes.count, value + 12))
            if rest.hasPrefixIgnoringCase("text/") || rest.hasPrefixIgnoringCase("application/")
                || rest.hasPrefixIgnoringCase("image/")
            {
                continue
            }
            composites += 1
            if composites > limits.depth { break }
        }
        return composites
    }

    /// A field of this length is none to count.
    private static let freeField = 8192

    /// Bytes that libmimetic would move while it grows the buffers of long fields,
    /// whatever part of the mail it takes for a header.
    private func fieldCost(from start: Int) -> Int {
        var cost = 0
        var fieldStart = start
        while bytes.count - fieldStart > Self.freeField {
            // The last field that begins within reach: those before it are short.
            var next = fieldStart + Self.freeField
            while next > fieldStart, bytes[next - 1] != Octet.lf || Octet.isBlank(bytes[next]) { next -= 1 }
            if next == fieldStart {
                next = endOfField(from: fieldStart + Self.freeField)
                let length = next - fieldStart
                cost += (length / 64) &* min(length, 1 << 30)
                if cost > 64 << 20 { break }
            }
            fieldStart = next
        }
        return cost
    }

    /// Where the next line begins that continues no field.
    private func endOfField(from start: Int) -> Int {
        var cursor = start
        while let newline = bytes.offset(of: Octet.lf, from: cursor, to: bytes.count) {
            cursor = newline + 1
            if cursor == bytes.count || !Octet.isBlank(bytes[cursor]) { return cursor }
        }
        return bytes.count
    }
}
