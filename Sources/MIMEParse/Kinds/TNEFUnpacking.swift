import MailModel

/// What a winmail.dat says as the message's body.
struct TNEFBody {
    var text: String
    var isHTML: Bool
}

/// Makes files and a readable body of a winmail.dat.
enum TNEFUnpacking {
    /// Messages within messages; deeper ones stay in the winmail.dat.
    private static let maximumDepth = 5

    struct Unpacked {
        var files: [(EmbeddedFile, Range<Int>)] = []
        var body: TNEFBody?
        var isDamaged = false
    }

    static func isTNEF(_ entity: Entity, in bytes: UnsafeRawBufferPointer) -> Bool {
        let name = entity.contentType.name
        if name == "application/ms-tnef" || name == "application/vnd.ms-tnef" { return true }
        guard name == "application/octet-stream" else { return false }
        var defects = DefectLog()
        var names = [entity.contentType.parameters?.raw("name")?.bytes]
        if let value = entity.header.first(.contentDisposition) {
            names.append(Parameters(field: bytes.slice(value), defects: &defects).raw("filename")?.bytes)
        }
        return names.compactMap(\.self).contains { name in
            name.withUnsafeBytes {
                $0.trimmed().equalsIgnoringCase("winmail.dat") || $0.trimmed().equalsIgnoringCase("win.dat")
            }
        }
    }

    /// The files of a decoded winmail.dat in their order, those of enclosed messages included.
    ///
    /// - Parameter textRoom: octets that the texts of enclosed messages may still take. Where there is
    ///   none left, their text stays in the winmail.dat: a little of it may be compressed to megabytes.
    static func files(
        of octets: [UInt8], room: Int, textRoom: inout Int, limits: MailLimits
    ) -> Unpacked {
        var unpacked = Unpacked()
        octets.withUnsafeBytes { bytes in
            var waiting: [(range: Range<Int>, depth: Int, name: String?)] = [(0..<bytes.count, 0, nil)]
            // The last is read first, so that an enclosed message stands where it was enclosed.
            while let next = waiting.popLast() {
                guard unpacked.files.count < room,
                    let stream = TNEFStream(bytes, next.range, maximumFiles: room - unpacked.files.count)
                else {
                    unpacked.isDamaged = true
                    continue
                }
                if stream.isDamaged { unpacked.isDamaged = true }
                let text = TNEFText(bytes: bytes, stream: stream, limits: limits)
                let isRead = next.depth == 0 || textRoom > 0
                if !isRead { unpacked.isDamaged = true }
                let body = isRead ? text.body(isDamaged: &unpacked.isDamaged) : nil
                if next.depth == 0 {
                    unpacked.body = body
                } else if let body {
                    // The text of an enclosed message is a file: it is not what the sender wrote here.
                    let content = Array(body.text.utf8)
                    textRoom -= content.count
                    let name = text.subject ?? next.name ?? "message"
                    let file = EmbeddedFile(
                        name: .text(name + ".txt"), contentType: "text/plain", content: content)
                    unpacked.files.append((file, 0..<content.count))
                }
                var enclosed: [(Range<Int>, Int, String?)] = []
                for file in stream.files where unpacked.files.count < room {
                    let (range, inner) = content(of: file, bytes)
                    if let inner, next.depth < maximumDepth {
                        enclosed.append((inner, next.depth + 1, text.name(of: file)))
                    } else if let range {
                        unpacked.files.append((text.described(file), range))
                    }
                }
                waiting += enclosed.reversed()
            }
        }
        return unpacked
    }

    /// Where a file's octets stand, or the stream of an enclosed message.
    private static func content(
        of file: TNEFStream.File, _ bytes: UnsafeRawBufferPointer
    ) -> (Range<Int>?, enclosed: Range<Int>?) {
        guard let object = file.properties[.attachData]?.range else { return (file.data, nil) }
        // An object begins with the identifier of its interface.
        if object.count > 20,
            bytes.slice((object.lowerBound + 16)..<(object.lowerBound + 20)).elementsEqual(
                TNEFStream.signature)
        {
            return (nil, (object.lowerBound + 16)..<object.upperBound)
        }
        if let data = file.data, !data.isEmpty { return (data, nil) }
        return (object, nil)
    }
}

/// The words of one TNEF stream.
struct TNEFText {
    let bytes: UnsafeRawBufferPointer
    let stream: TNEFStream
    let limits: MailLimits

    var subject: String? {
        stream.properties[.subject].flatMap(string) ?? stream.subject.flatMap(codePageString)
    }

    func name(of file: TNEFStream.File) -> String? {
        let tags: [MAPIProperties.Tag] = [.attachLongFileName, .attachFileName, .displayName]
        for tag in tags {
            if let name = file.properties[tag].flatMap(string), !name.isEmpty { return name }
        }
        return file.title.flatMap(codePageString)
    }

    func described(_ file: TNEFStream.File) -> EmbeddedFile {
        var described = EmbeddedFile(name: name(of: file).map { .text($0) })
        if let type = file.properties[.attachMIMETag].flatMap(string)?.lowercased(), type.contains("/"),
            type.utf8.count < 128, type.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        {
            described.contentType = type
        }
        if let identifier = file.properties[.attachContentID].flatMap(string), !identifier.isEmpty {
            described.contentID = identifier.filter { $0 != "<" && $0 != ">" }
        }
        return described
    }

    /// Plain text, else HTML, else the compressed RTF, whichever is not blank.
    func body(isDamaged: inout Bool) -> TNEFBody? {
        let plain = stream.properties[.body].flatMap(string) ?? stream.plainBody.flatMap(codePageString)
        if let plain, plain.contains(where: { !$0.isWhitespace }) {
            return TNEFBody(text: plain.replacing("\r\n", with: "\n"), isHTML: false)
        }
        if let value = stream.properties[.bodyHTML] {
            var body = BodyText(limits: limits)
            var defects = DefectLog()
            let label = value.isUnicode ? Array("utf-16le".utf8) : internetLabel
            body.appendHTML(bytes.slice(value.range), label: label, defects: &defects)
            if !body.utf8.isEmpty {
                return TNEFBody(text: String(decoding: body.utf8, as: UTF8.self), isHTML: true)
            }
        }
        guard let value = stream.properties[.compressedRTF] else { return nil }
        let limit = limits.textBytes * 8
        guard let rtf = CompressedRTF.decompressed(bytes.slice(value.range), limit: limit) else {
            isDamaged = true
            return nil
        }
        let text = RTFText.read(rtf, limits: limits)
        return text.text.contains { !$0.isWhitespace } ? TNEFBody(text: text.text, isHTML: text.isHTML) : nil
    }

    private func string(_ value: MAPIProperties.Value) -> String? {
        guard value.isUnicode else { return codePageString(value.range) }
        var units: [UInt16] = []
        var index = value.range.lowerBound
        let end = min(value.range.upperBound, index + 2 * limits.textBytes)
        units.reserveCapacity((end - index) / 2)
        while index + 1 < end {
            let unit = UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8
            if unit == 0 { break }
            units.append(unit)
            index += 2
        }
        return String(decoding: units, as: UTF16.self)
    }

    private func codePageString(_ range: Range<Int>) -> String? {
        let end = min(range.upperBound, range.lowerBound + limits.textBytes)
        let stop = bytes.offset(of: 0, from: range.lowerBound, to: end) ?? end
        var defects = DefectLog()
        let label = stream.codePage == 0 ? nil : Array("windows-\(stream.codePage)".utf8)
        return TextDecoder.string(
            bytes.slice(range.lowerBound..<max(range.lowerBound, stop)), label: label, defects: &defects)
    }

    private var internetLabel: [UInt8]? {
        guard let value = stream.properties[.internetCodePage] else { return nil }
        var reader = LittleEndianReader(bytes, value.range)
        return reader.uint32().flatMap(Self.label)
    }

    /// The charset of a Windows code page number.
    private static func label(of codePage: UInt32) -> [UInt8]? {
        switch codePage {
        case 65001: Array("utf-8".utf8)
        case 20866: Array("koi8-r".utf8)
        case 21866: Array("koi8-u".utf8)
        case 28591...28605: Array("iso-8859-\(codePage - 28590)".utf8)
        case 1250...1258: Array("windows-\(codePage)".utf8)
        default: nil
        }
    }
}
