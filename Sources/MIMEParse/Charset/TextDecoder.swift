import MailModel

/// Octets of a body or header to text, given what the mail claims about them.
public enum TextDecoder {
    /// Appends UTF-8 to `result`. `label` is the declared charset, nil without one.
    ///
    /// A claim is believed unless the octets refute it: 8-bit text under us-ascii
    /// or an unknown label is guessed, and valid UTF-8 under the label of a
    /// single-byte charset is taken for what it is.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, label: [UInt8]?, into result: inout [UInt8],
        defects: inout DefectLog
    ) {
        var charset: Charset?
        if let label, !label.isEmpty {
            charset = Charset(label: label)
            if charset == nil { defects.note(.unknownCharset) }
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
            } else if counts.sequences > counts.invalid {
                // UTF-8 with damage, not another charset.
                defects.note(.undecodableText)
                result.append(contentsOf: String(decoding: bytes, as: UTF8.self).utf8)
            } else {
                if charset != nil { defects.note(.mislabelledCharset) }
                if !CyrillicGuess.charset(of: bytes).decode(bytes, into: &result) {
                    defects.note(.undecodableText)
                }
            }
        case .singleByte:
            if UTF8Text.isValid(bytes) {
                defects.note(.mislabelledCharset)
                result.append(contentsOf: bytes)
            } else if charset?.decode(bytes, into: &result) != true {
                defects.note(.undecodableText)
            }
        case .multiByte, .stateful:
            if charset?.decode(bytes, into: &result) != true { defects.note(.undecodableText) }
        }
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
