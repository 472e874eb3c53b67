import CPageSums

/// Puts pages right in which one bit has flipped: the page's checksum says when it is as it was written.
///
/// For copies that nothing has been written to since. Whether all of it is right is for a digest of the whole to say.
enum PageMending {
    /// More damaged pages than this are no flipped bits.
    private static let pageLimit = 8

    /// - Returns: how many pages were put right.
    static func mend(_ path: String, _ file: PackFile) throws -> Int {
        let header = try file.read(100, at: 0)
        let known = header[20] == UInt8(mw_page_sum_bytes) ? PageCheck.pageSize(header) : nil
        // When its header is damaged, nothing says where the pages begin but the size that all of ours have.
        let size = known ?? usualPageSize
        let damaged = known == nil ? [1] : try PageCheck(path: path).run().damaged
        guard damaged.count <= pageLimit else { return 0 }
        var mended = 0
        for number in damaged where try file.size() >= Int64(number) * Int64(size) {
            let offset = Int64(number - 1) * Int64(size)
            var page = try file.read(size, at: offset)
            guard restore(&page, number) else { continue }
            try page.withUnsafeBytes { try file.write($0, at: offset) }
            mended += 1
        }
        if mended > 0 { try file.synchronize() }
        return mended
    }

    private static let usualPageSize = 4096

    /// Puts a page right in which one bit has flipped.
    ///
    /// - Returns: whether it is as it was written now; otherwise it is as it was given.
    static func restore(_ page: inout [UInt8], _ number: UInt32) -> Bool {
        let size = page.count
        return page.withUnsafeMutableBufferPointer { bytes in
            for place in 0..<size {
                for bit in 0..<8 {
                    bytes[place] ^= 1 << bit
                    if mw_page_is_intact(bytes.baseAddress!, size, number) != 0 { return true }
                    bytes[place] ^= 1 << bit
                }
            }
            return false
        }
    }
}
