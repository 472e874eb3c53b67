/// Attachment names made safe to store and to show (no path, no control or
/// direction-changing characters, no device names, bounded length).
public enum FileName {
    /// Nil when nothing is left.
    public static func cleaned(_ name: String, limit: Int) -> String? {
        var scalars = String.UnicodeScalarView()
        for scalar in name.unicodeScalars {
            switch scalar.value {
            case 0x3A:
                // To Windows a name of a stream within a file.
                scalars.append("_")
            case 0x2F, 0x5C:
                // Only what follows the last separator is a name.
                scalars = String.UnicodeScalarView()
            case 0...0x1F, 0x7F...0x9F, 0x200B, 0x200E, 0x200F, 0x202A...0x202E, 0x2060...0x2069, 0x2028,
                0x2029, 0x061C, 0xFEFF:
                // Line ends and tabs separate words; the others are nothing to see.
                if (0x09...0x0D).contains(scalar.value) { scalars.append(" ") }
            default:
                scalars.append(scalar)
            }
        }
        var text = collapsed(scalars)
        while text.last == " " || text.last == "." { text.removeLast() }
        if text == ".." || text.isEmpty { return nil }
        if isDevice(text) { text = "_" + text }
        return shortened(text, limit: limit)
    }

    private static func collapsed(_ scalars: String.UnicodeScalarView) -> String {
        var result = String.UnicodeScalarView()
        for scalar in scalars {
            if scalar == " ", result.last == nil || result.last == " " { continue }
            result.append(scalar)
        }
        return String(result)
    }

    /// The names that Windows gives to devices, with or without an extension, blanks before it
    /// or a superscript digit.
    private static func isDevice(_ name: String) -> Bool {
        var stem = name.prefix(while: { $0 != "." }).lowercased()
        while stem.last == " " { stem.removeLast() }
        if ["con", "prn", "aux", "nul", "conin$", "conout$"].contains(stem) { return true }
        guard stem.count == 4, stem.hasPrefix("com") || stem.hasPrefix("lpt") else { return false }
        return stem.last.map("123456789\u{B9}\u{B2}\u{B3}".contains) ?? false
    }

    /// Cuts the stem, keeping a short extension.
    static func shortened(_ name: String, limit: Int) -> String {
        guard name.utf8.count > limit else { return name }
        let utf8 = Array(name.utf8)
        var tail: [UInt8] = []
        if let dot = utf8.lastIndex(of: Octet.dot), utf8.count - dot <= 16, utf8.count - dot < limit {
            tail = Array(utf8[dot...])
        }
        let kept = UTF8Text.prefixLength(utf8, limit: limit - tail.count)
        return String(decoding: utf8[..<kept] + tail, as: UTF8.self)
    }
}
