/// A character encoding that mail names (WHATWG labels and the misspellings of real mail).
public struct Charset: Sendable, Hashable {
    enum Kind: Hashable {
        /// ASCII octets stand for themselves, 8-bit ones for one character each.
        case singleByte
        /// ASCII octets stand for themselves.
        case multiByte
        /// ASCII octets may be parts of other characters: nothing can be skipped.
        case stateful
        case utf8
        case ascii
    }

    /// The name that iconv knows.
    let name: StaticName
    let kind: Kind

    /// A name that is a constant of ours, never a word from a mail.
    struct StaticName: Hashable, Sendable {
        let text: String
        init(_ text: StaticString) { self.text = text.description }
    }

    private init(_ name: StaticString, _ kind: Kind) {
        self.name = StaticName(name)
        self.kind = kind
    }

    /// UTF-16 or UTF-32: ASCII text is full of NULs in it.
    var isWide: Bool { name.text.hasPrefix("UTF-16") || name.text.hasPrefix("UTF-32") }

    static let utf8 = Charset("UTF-8", .utf8)
    static let ascii = Charset("US-ASCII", .ascii)
    static let windows1252 = Charset("CP1252", .singleByte)
    static let windows1251 = Charset("CP1251", .singleByte)
    static let koi8R = Charset("KOI8-R", .singleByte)
    static let koi8U = Charset("KOI8-U", .singleByte)
    static let gb18030 = Charset("GB18030", .multiByte)
    /// GB2312 in 7 bits (RFC 1843), which iconv does not know.
    static let hz = Charset("HZ", .stateful)
    static let iso2022JP = Charset("ISO-2022-JP-2", .stateful)
    /// With what NEC and IBM added to JIS X 0208.
    static let eucJPMS = Charset("EUC-JP-MS", .multiByte)
    static let ibm866 = Charset("CP866", .singleByte)
    static let utf16 = Charset("UTF-16", .stateful)
    static let utf16BigEndian = Charset("UTF-16BE", .stateful)
    static let iso8859x5 = Charset("ISO-8859-5", .singleByte)
    static let macCyrillic = Charset("MAC-CYRILLIC", .singleByte)

    /// The charset of a label as it stands in a message; nil for one that is
    /// unknown or says that it is. Letter case and punctuation do not matter.
    public init?(label: some Sequence<UInt8>) {
        var key: [UInt8] = []
        for byte in label {
            if Octet.isLetter(byte) || Octet.isDigit(byte) { key.append(Octet.lowercased(byte)) }
            if key.count > 40 { return nil }
        }
        guard let charset = Self.byKey[String(decoding: key, as: UTF8.self)] else { return nil }
        self = charset
    }

    static var all: Set<Charset> { Set(byKey.values) }

    /// By label in lower case with all but letters and digits removed.
    private static let byKey: [String: Charset] = {
        var table: [String: Charset] = [:]
        func add(_ charset: Charset, _ keys: String) {
            for key in keys.split(separator: " ") { table[String(key)] = charset }
        }
        add(.utf8, "utf8 unicode11utf8 unicode20utf8 xunicode20utf8 utf8mb4 utf csutf8 unicodeutf8 cp65001")
        add(.ascii, "usascii ascii ansix341968 ansix341986 iso646us us cp367 ibm367 csascii isoir6 646")
        // WHATWG: Latin-1 is read as its superset.
        add(
            .windows1252,
            "iso88591 latin1 l1 cp819 ibm819 iso885911987 csisolatin1 isoir100 windows1252 cp1252 xcp1252 "
                + "ansi latin iso8859 win1252 1252 88591 iso88591windows1252 iso885911")
        add(
            .windows1251,
            "windows1251 cp1251 xcp1251 win1251 ansi1251 1251 win cswindows1251 windowscp1251 xwindows1251")
        add(.koi8R, "koi8r koi8 koi cskoi8r koi8rnet cp20866")
        add(.koi8U, "koi8u koi8ru cskoi8u cp21866")
        add(.ibm866, "cp866 ibm866 866 csibm866 dos866 dos alt")
        add(.iso8859x5, "iso88595 cyrillic csisolatincyrillic isoir144 iso885951988")
        add(.macCyrillic, "xmaccyrillic maccyrillic xmacukrainian cp10007")
        add(Charset("ISO-8859-2", .singleByte), "iso88592 latin2 l2 csisolatin2 isoir101 iso885921987")
        add(Charset("ISO-8859-3", .singleByte), "iso88593 latin3 l3 csisolatin3 isoir109")
        add(Charset("ISO-8859-4", .singleByte), "iso88594 latin4 l4 csisolatin4 isoir110")
        add(
            Charset("ISO-8859-6", .singleByte),
            "iso88596 arabic csisolatinarabic ecma114 asmo708 iso88596e iso88596i")
        add(
            Charset("ISO-8859-7", .singleByte),
            "iso88597 greek greek8 csisolatingreek ecma118 elot928 suneugreek"
        )
        add(
            Charset("ISO-8859-8", .singleByte), "iso88598 hebrew csisolatinhebrew iso88598e iso88598i logical"
        )
        add(Charset("CP1254", .singleByte), "iso88599 latin5 l5 csisolatin5 windows1254 cp1254 xcp1254")
        add(Charset("ISO-8859-10", .singleByte), "iso885910 latin6 l6 csisolatin6")
        add(Charset("CP874", .singleByte), "iso885911thai tis620 windows874 cp874 dos874 iso8859110")
        add(Charset("ISO-8859-13", .singleByte), "iso885913 latin7")
        add(Charset("ISO-8859-14", .singleByte), "iso885914 latin8")
        add(Charset("ISO-8859-15", .singleByte), "iso885915 latin9 l9 csisolatin9 latin0")
        add(Charset("ISO-8859-16", .singleByte), "iso885916 latin10")
        add(Charset("CP1250", .singleByte), "windows1250 cp1250 xcp1250 win1250")
        add(Charset("CP1253", .singleByte), "windows1253 cp1253 xcp1253")
        add(Charset("CP1255", .singleByte), "windows1255 cp1255 xcp1255")
        add(Charset("CP1256", .singleByte), "windows1256 cp1256 xcp1256")
        add(Charset("CP1257", .singleByte), "windows1257 cp1257 xcp1257")
        add(Charset("CP1258", .singleByte), "windows1258 cp1258 xcp1258")
        add(Charset("MACINTOSH", .singleByte), "macintosh mac xmacroman macroman csmacintosh")
        add(Charset("CP437", .singleByte), "cp437 ibm437 437")
        add(Charset("CP737", .singleByte), "cp737 ibm737")
        add(Charset("CP775", .singleByte), "cp775 ibm775")
        add(Charset("CP850", .singleByte), "cp850 ibm850 850 cp858 ibm858 ibm00858")
        add(Charset("CP852", .singleByte), "cp852 ibm852 852")
        add(Charset("CP855", .singleByte), "cp855 ibm855 855")
        add(Charset("CP857", .singleByte), "cp857 ibm857")
        add(Charset("CP862", .singleByte), "cp862 ibm862")
        add(Charset("KOI8-T", .singleByte), "koi8t")
        add(Charset("PT154", .singleByte), "pt154 ptcp154 cyrillicasian")
        add(Charset("VISCII", .singleByte), "viscii")
        add(Charset("ARMSCII-8", .singleByte), "armscii8")
        add(
            .gb18030,
            "gb2312 gbk gb18030 gb180302000 chinese csgb2312 csiso58gb231280 xgbk cp936 ms936 windows936 euccn "
                + "gb231280 isoir58 gb gb23121980")
        add(
            Charset("BIG5-HKSCS", .multiByte), "big5 big5hkscs cnbig5 csbig5 xxbig5 cp950 big5eten windows950"
        )
        add(.eucJPMS, "eucjp xeucjp cseucpkdfmtjapanese ujis")
        add(
            Charset("CP932", .multiByte),
            "shiftjis sjis ms932 windows31j mskanji xsjis cp932 csshiftjis windows932")
        add(.iso2022JP, "iso2022jp csiso2022jp iso2022jp2 iso2022jp1 iso2022jpms")
        add(
            Charset("CP949", .multiByte),
            "euckr ksc56011987 ksc5601 ksc56011989 cp949 ms949 uhc windows949 korean cseuckr isoir149")
        add(Charset("JOHAB", .multiByte), "johab cp1361 ms1361")
        add(hz, "hz hzgb hzgb2312")
        add(Charset("ISO-2022-KR", .stateful), "iso2022kr csiso2022kr")
        add(Charset("ISO-2022-CN", .stateful), "iso2022cn iso2022cnext")
        add(Charset("EUC-TW", .multiByte), "euctw")
        add(Charset("UTF-7", .stateful), "utf7 unicode11utf7 xunicode20utf7 csunicode11utf7 unicode20utf7")
        add(.utf16, "utf16 ucs2 iso10646ucs2 unicode csunicode")
        add(Charset("UTF-16LE", .stateful), "utf16le")
        add(.utf16BigEndian, "utf16be unicodefffe")
        add(Charset("UTF-32", .stateful), "utf32 ucs4 iso10646ucs4")
        add(Charset("UTF-32LE", .stateful), "utf32le")
        add(Charset("UTF-32BE", .stateful), "utf32be")
        return table
    }()
}
