import CUchardet

/// Guesses the charset of 8-bit text that names none, or names one that it is not in.
///
/// Short Cyrillic text, which is most of what reaches us unlabelled, is told by its letter
/// pairs; uchardet knows the rest of the world, from a line or so upwards.
enum CharsetGuess {
    /// Never fails: windows-1252 where nothing can be told.
    static func charset(of bytes: UnsafeRawBufferPointer) -> Charset {
        let cyrillic = CyrillicGuess.best(of: bytes)
        if let cyrillic {
            if cyrillic.score >= CyrillicGuess.certain { return cyrillic.charset }
            if cyrillic.octets < 8, cyrillic.score >= CyrillicGuess.possible { return cyrillic.charset }
        }
        if let detected = detected(bytes) {
            guard CyrillicGuess.isCyrillic(detected), let cyrillic, cyrillic.score >= CyrillicGuess.possible
            else { return detected }
            return cyrillic.charset
        }
        if let cyrillic, cyrillic.score >= CyrillicGuess.possible + 0.5 { return cyrillic.charset }
        return .windows1252
    }

    /// What uchardet says, where it can be believed: it has an answer for anything, and
    /// gives the odd ones where it knows nothing.
    private static func detected(_ bytes: UnsafeRawBufferPointer) -> Charset? {
        let head = bytes.slice(0..<min(bytes.count, 4096))
        guard let detector = uchardet_new() else { return nil }
        defer { uchardet_delete(detector) }
        guard uchardet_handle_data(detector, head.baseAddress, head.count) == 0 else { return nil }
        uchardet_data_end(detector)
        guard let name = uchardet_get_charset(detector) else { return nil }
        let label = String(cString: name)
        guard let charset = Charset(label: label.utf8) else { return nil }
        switch charset.kind {
        case .multiByte: break
        case .singleByte where believed.contains(label.lowercased()): break
        default: return nil
        }
        var text: [UInt8] = []
        return charset.decode(head, into: &text) || head.count < bytes.count ? charset : nil
    }

    private static let believed: Set<String> = [
        "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255",
        "windows-1256", "windows-1257", "windows-1258", "iso-8859-1", "iso-8859-2", "iso-8859-5",
        "iso-8859-7", "iso-8859-8", "iso-8859-9", "iso-8859-15", "koi8-r", "ibm866", "mac-cyrillic",
        "tis-620",
    ]
}
