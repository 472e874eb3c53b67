import MailModel

/// Octets of a body or header to text, given what the mail claims about them.
public enum TextDecoder {
    /// Appends UTF-8 to `result`. `label` is the declared charset, nil without one.
    ///
    /// A claim is believed unless the octets refute it: 8-bit text under us-ascii
    /// or an unknown label is guessed; valid UTF-8 under another label is taken for
    /// what it is; and Cyrillic that makes no words in the charset of its label, but does
    /// in another, is read in that one.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, label: [UInt8]?, into result: inout [UInt8],
        defects: inout DefectLog
    ) {
        var charset: Charset?
        if let label, !label.isEmpty {
            charset = Charset(label: label)
            if charset == nil { defects.note(.unknownCharset) }
        }
        if let claimed = charset, claimed.isWide, isOfOneOctet(bytes) {
            // Word writes `charset=unicode` into what it saves in any charset.
            defects.note(.mislabelledCharset)
            charset = nil
        }
        if charset?.isWide != true, beginsAsUTF16(bytes) {
            if charset != nil { defects.note(.mislabelledCharset) }
            charset = .utf16
        }
        if let claimed = charset, isUTF8(bytes, under: claimed) {
            defects.note(.mislabelledCharset)
            charset = .utf8
        }
        if bytes.isASCII, charset?.kind != .stateful {
            if charset?.kind != .utf8, decodeUndeclaredJapanese(bytes, into: &result) {
                defects.note(.mislabelledCharset)
                return
            }
            result.append(contentsOf: bytes)
            return
        }
        switch charset?.kind {
        case .utf8, .ascii, nil:
            let counts = UTF8Text.counts(bytes)
            if counts.invalid == 0 {
                if charset?.kind == .ascii { defects.note(.mislabelledCharset) }
                result.append(contentsOf: bytes)
            } else if counts.sequences > counts.invalid
                || charset?.kind == .utf8 && UTF8Text.counts(bytes, stopAtInvalid: true).sequences >= 4
            {
                // UTF-8 with damage, not another charset.
                defects.note(.undecodableText)
                result.append(contentsOf: String(decoding: bytes, as: UTF8.self).utf8)
            } else {
                if charset != nil { defects.note(.mislabelledCharset) }
                if !CharsetGuess.charset(of: bytes).decode(bytes, into: &result) {
                    defects.note(.undecodableText)
                }
            }
        case .singleByte:
            if let claimed = charset, let correct = CyrillicGuess.correction(of: claimed, for: bytes) {
                defects.note(.mislabelledCharset)
                charset = correct
            } else if charset == .koi8R, holdsUkrainianLetters(bytes) {
                defects.note(.mislabelledCharset)
                charset = .koi8U
            }
            if charset?.decode(bytes, into: &result) != true {
                defects.note(.undecodableText)
            }
        case .multiByte, .stateful:
            if charset == .utf16, isBigEndian(bytes) { charset = .utf16BigEndian }
            if charset?.decode(bytes, into: &result) != true { defects.note(.undecodableText) }
        }
    }

    /// Whether text is UTF-8 under the label of another charset, be it damaged. Two characters of an
    /// Asian charset may happen to be UTF-8, several in a row do not; UTF-16 without a
    /// single NUL is none.
    private static func isUTF8(_ bytes: UnsafeRawBufferPointer, under claimed: Charset) -> Bool {
        switch claimed.kind {
        case .utf8, .ascii:
            return false
        case .singleByte:
            return !bytes.isASCII && (UTF8Text.isValid(bytes) || UTF8Text.isDamaged(bytes))
        case .multiByte:
            guard !bytes.isASCII else { return false }
            let counts = UTF8Text.counts(bytes, stopAtInvalid: true)
            return counts.invalid == 0 && counts.sequences >= 4 || UTF8Text.isDamaged(bytes)
        case .stateful:
            if claimed.isWide {
                // In UTF-16 the high octets of Cyrillic are control characters.
                return !bytes.contains { $0 < 0x20 && !Octet.isSpace($0) }
                    && (UTF8Text.isValid(bytes) || UTF8Text.isDamaged(bytes))
            }
            return !bytes.isASCII && UTF8Text.isValid(bytes)
        }
    }

    /// Whether text under the label of UTF-16 or UTF-32 is none: without the zeros that blanks and line ends have
    /// there, and without other control characters, but with blanks that part words.
    private static func isOfOneOctet(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var blanks = 0
        for byte in bytes.prefix(4096) {
            if byte > 0x20 { continue }
            guard Octet.isSpace(byte) else { return false }
            blanks += 1
        }
        return blanks * 24 >= min(bytes.count, 4096)
    }

    /// Whether some of the eight octets by which KOI8-U differs from KOI8-R stand in words, and no other
    /// lines of boxes are drawn.
    private static func holdsUkrainianLetters(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var isFound = false
        for (index, byte) in bytes.enumerated() where (0xA0..<0xBF).contains(byte) {
            switch byte {
            case 0xA3, 0xB3: continue
            case 0xA4, 0xA6, 0xA7, 0xAD, 0xB4, 0xB6, 0xB7, 0xBD:
                isFound =
                    isFound || index > 0 && bytes[index - 1] >= 0xC0
                    || index + 1 < bytes.count && bytes[index + 1] >= 0xC0
            default: return false
            }
        }
        return isFound
    }

    /// Whether a text begins with the byte order mark of UTF-16, and goes on with the characters of one
    /// script: the octets of the mark alone are letters elsewhere.
    private static func beginsAsUTF16(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 4, bytes.count % 2 == 0 else { return false }
        let high: Int
        switch (bytes[0], bytes[1]) {
        case (0xFE, 0xFF): high = 0
        case (0xFF, 0xFE): high = 1
        default: return false
        }
        let characters = stride(from: 2, to: min(bytes.count, 4096), by: 2)
        let ofOneScript = characters.count { bytes[$0 + high] <= 0x04 }
        return ofOneScript * 2 > characters.underestimatedCount
    }

    /// Whether UTF-16 without a byte order mark has its high octets first, as RFC 2781 has it and
    /// the web has not: one script's are few, and those of ASCII are 0.
    private static func isBigEndian(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 4 else { return false }
        let mark = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        guard mark != 0xFEFF, mark != 0xFFFE else { return false }
        var first = 0
        var second = 0
        for index in stride(from: 0, to: min(bytes.count, 4096) - 1, by: 2) {
            if bytes[index] <= 0x04 { first += 1 }
            if bytes[index + 1] <= 0x04 { second += 1 }
        }
        return first > second
    }

    /// ISO-2022-JP is 7-bit, so that no octet tells; its escape sequences do.
    private static func decodeUndeclaredJapanese(
        _ bytes: UnsafeRawBufferPointer, into result: inout [UInt8]
    ) -> Bool {
        guard let escape = bytes.offset(of: 0x1B, from: 0, to: bytes.count), escape + 2 < bytes.count,
            bytes[escape + 1] == 0x24, bytes[escape + 2] == 0x42 || bytes[escape + 2] == 0x40,
            let charset = Charset(label: "iso-2022-jp".utf8)
        else { return false }
        let start = result.count
        if charset.decode(bytes, into: &result) { return true }
        result.removeLast(result.count - start)
        return false
    }

    /// The text as a string, for tests and small values.
    public static func string(
        _ bytes: UnsafeRawBufferPointer, label: [UInt8]?, defects: inout DefectLog
    ) -> String {
        var result: [UInt8] = []
        decode(bytes, label: label, into: &result, defects: &defects)
        return String(decoding: result, as: UTF8.self)
    }
}
