import CPageSums
import Crypto
import MailModel

/// Puts pages right in which one bit has flipped: the page's checksum says when it may be as it was written.
///
/// May be: of a flip in the higher bits of a word the checksum often fits several places of the page. Which one it was
/// only a digest of the whole says; without its word nothing is changed.
enum PageMending {
    /// A bit of a page.
    struct Flip: Hashable {
        var place: Int
        var bit: UInt8

        func apply(to page: inout [UInt8]) { page[place] ^= 1 << bit }
    }

    private struct Damage {
        var offset: Int64
        /// As it was found.
        var page: [UInt8]
        var flips: [Flip]
    }

    /// More damaged pages than this are no flipped bits.
    private static let pageLimit = 8
    /// Bytes that are hashed at most to find out which bits it were: a minute's work or two.
    private static let hashLimit = 64.0 * 1024 * 1024 * 1024

    /// For a copy that nothing has been written to since its digest was taken. Where other pages are damaged beyond that,
    /// a digest of the whole says nothing; then only pages are put right of which the checksum fits one bit alone.
    ///
    /// - Returns: how many pages were put right; the others are as they were found.
    static func mend(_ path: String, _ file: PackFile, to digest: Digest256) throws -> Int {
        let header = try file.read(100, at: 0)
        let known = header[20] == UInt8(mw_page_sum_bytes) ? PageCheck.pageSize(header) : nil
        // When its header is damaged, nothing says where the pages begin but the size that all of ours have.
        let size = known ?? usualPageSize
        let numbers = known == nil ? [1] : try PageCheck(path: path).run().damaged
        guard !numbers.isEmpty, numbers.count <= pageLimit else { return 0 }
        let fileSize = try file.size()
        let damages = try numbers.compactMap { number -> Damage? in
            let offset = Int64(number - 1) * Int64(size)
            guard offset + Int64(size) <= fileSize else { return nil }
            let page = try file.read(size, at: offset)
            return Damage(offset: offset, page: page, flips: flips(in: page, number))
        }
        let first = damages.first?.offset ?? 0
        let choices = damages.reduce(1.0) { $0 * Double($1.flips.count) }
        let canDecide =
            damages.count == numbers.count && choices >= 1
            && (choices - 1) * Double(fileSize - first) <= hashLimit
        var mended = 0
        if canDecide {
            mended = try decide(among: Int(choices), damages, file, digest)
        } else {
            for damage in damages where damage.flips.count == 1 {
                try write(damage, damage.flips[0], file)
                mended += 1
            }
        }
        try file.synchronize()
        return mended
    }

    private static let usualPageSize = 4096

    /// Tries each choice of bits, one a page, until the whole has its digest.
    private static func decide(
        among choices: Int, _ damages: [Damage], _ file: PackFile, _ digest: Digest256
    ) throws -> Int {
        let (first, end) = (damages[0].offset, try file.size())
        // What lies before the first of them is the same whatever is chosen.
        var before = SHA256()
        try file.forEachPart(from: 0, to: first) { bytes, _ in before.update(bufferPointer: bytes) }
        for choice in 0..<choices {
            var rest = choice
            for damage in damages {
                try write(damage, damage.flips[rest % damage.flips.count], file)
                rest /= damage.flips.count
            }
            var hash = before
            try file.forEachPart(from: first, to: end) { bytes, _ in hash.update(bufferPointer: bytes) }
            if hash.finalize().elementsEqual(digest.bytes) { return damages.count }
        }
        for damage in damages { try write(damage, nil, file) }
        return 0
    }

    private static func write(_ damage: Damage, _ flip: Flip?, _ file: PackFile) throws {
        var page = damage.page
        flip?.apply(to: &page)
        try page.withUnsafeBytes { try file.write($0, at: damage.offset) }
    }

    /// All bits of a damaged page of which the page has the checksum it was written with once they are turned over; none
    /// when more than one has flipped. If one has, it is among them.
    static func flips(in page: [UInt8], _ number: UInt32) -> [Flip] {
        var page = page
        return PageFlips(page, number).candidates.filter { flip in
            flip.apply(to: &page)
            defer { flip.apply(to: &page) }
            return page.withUnsafeBufferPointer { mw_page_is_intact($0.baseAddress!, $0.count, number) != 0 }
        }
    }
}
