import MailModel

/// File names of attachments, from either of the fields that give one.
struct AttachmentNames {
    let limits: MailLimits
    let text: HeaderText

    static func hasName(_ parameters: Parameters, _ key: String) -> Bool {
        parameters.raw(key).map { !$0.bytes.isEmpty } ?? false
    }

    /// What a sender called a file: in his own words, and made safe.
    struct Name {
        var declared: String?
        var cleaned: String?
    }

    func name(of entity: Entity, in bytes: UnsafeRawBufferPointer, defects: inout DefectLog) -> Name {
        var sources: [Parameters] = []
        for value in entity.header.all(.contentDisposition) {
            sources.append(
                Parameters(field: bytes.slice(value), limit: limits.parameters, defects: &defects))
        }
        let dispositions = sources.count
        if let parameters = entity.contentType.parameters { sources.append(parameters) }
        for (index, source) in sources.enumerated() {
            let isDisposition = index < dispositions
            for key in isDisposition ? ["filename", "name"] : ["name", "filename"] {
                guard let value = source.raw(key) else { continue }
                var name = decoded(value, defects: &defects)
                if name.declared == nil, name.cleaned == nil { continue }
                if let unescaped = value.unescaped {
                    // A path of the sender's disk: by the grammar its backslashes are none.
                    name.declared = decoded(unescaped, defects: &defects).declared
                }
                return name
            }
        }
        return Name()
    }

    func name(of file: EmbeddedFile, defects: inout DefectLog) -> Name {
        switch file.name {
        case .octets(let octets): decoded(octets, defects: &defects)
        case .text(let name): bounded(name)
        case nil: Name()
        }
    }

    private func decoded(_ value: Parameters.Value, defects: inout DefectLog) -> Name {
        guard value.isExtended else { return decoded(value.bytes, defects: &defects) }
        let label = value.charset.flatMap { $0.isEmpty ? nil : $0 }
        let name = value.bytes.withUnsafeBytes {
            TextDecoder.string($0, label: label, defects: &defects)
        }
        return bounded(name)
    }

    /// A name in the shape of unstructured text.
    func decoded(_ name: [UInt8], defects: inout DefectLog) -> Name {
        var utf8: [UInt8] = []
        name.withUnsafeBytes { text.decode($0, into: &utf8, defects: &defects) }
        return bounded(String(decoding: utf8, as: UTF8.self))
    }

    private func bounded(_ name: String) -> Name {
        let declared = FileName.shortened(name, limit: limits.declaredNameBytes)
        return Name(
            declared: declared.isEmpty ? nil : declared,
            cleaned: FileName.cleaned(name, limit: limits.fileNameBytes))
    }
}
