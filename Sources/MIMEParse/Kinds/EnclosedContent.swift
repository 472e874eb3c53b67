import MailModel

/// The content of an opaque S/MIME message (RFC 8551, 3.5): signed data holds a whole MIME
/// entity, which is read as if it stood in the message itself.
struct EnclosedContent {
    /// Layers within layers; a deeper one stays a file.
    static let maximumNesting = 3

    /// The leaf's place in the tree.
    var entity: Int
    var protection: Protection
    /// Nil when nothing readable is inside.
    var octets: [UInt8]?
    var isDamaged = false

    /// The first such leaf of a message; nil without one.
    static func read(
        _ tree: EntityTree, _ plan: LeafPlan, bytes: UnsafeRawBufferPointer
    ) -> EnclosedContent? {
        for (index, source) in plan.attachments.enumerated() where source.embedded == nil {
            let entity = tree.entities[source.entity]
            let type = entity.contentType
            let isDeclared = type.name == "application/pkcs7-mime" || type.name == "application/x-pkcs7-mime"
            guard isDeclared || isRelabelled(entity, in: bytes) else { continue }
            var defects = DefectLog()
            let octets = source.withContent(in: bytes) { $0.decoded(defects: &defects) }
            guard let cms = octets.withUnsafeBytes({ CMSContent($0) }) else {
                if isDeclared { return unreadable(type, source.entity) }
                continue
            }
            switch cms.kind {
            case .encrypted:
                return EnclosedContent(
                    entity: source.entity,
                    protection: Protection(.smime, isSigned: false, isEncrypted: true), octets: nil)
            case .signed:
                var protection = Protection(.smime, isSigned: true, isEncrypted: false)
                let content = cms.content.flatMap { $0.isEmpty ? nil : $0 }
                // Certificates alone travel as signed data without content and signers.
                if content == nil, smimeType(type) == "certs-only" { continue }
                if content != nil { protection.signatureAttachments = [index] }
                return EnclosedContent(
                    entity: source.entity, protection: protection, octets: content, isDamaged: cms.isDamaged)
            case .compressed, .other: continue
            }
        }
        return nil
    }

    /// What gateways make mere octets of has the usual name still (RFC 8551, 3.2.2).
    private static func isRelabelled(_ entity: Entity, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard entity.contentType.name == "application/octet-stream" else { return false }
        var defects = DefectLog()
        let names = [
            entity.header.first(.contentDisposition).flatMap {
                Parameters(field: bytes.slice($0), defects: &defects).raw("filename")
            },
            entity.contentType.parameters?.raw("name"),
        ]
        return names.contains { name in
            name?.bytes.withUnsafeBytes { $0.trimmed().equalsIgnoringCase("smime.p7m") } ?? false
        }
    }

    /// Octets that are no CMS: what the field says is all that is known.
    private static func unreadable(_ type: ContentType, _ entity: Int) -> EnclosedContent {
        let isSigned = smimeType(type) == "signed-data"
        return EnclosedContent(
            entity: entity, protection: Protection(.smime, isSigned: isSigned, isEncrypted: !isSigned),
            octets: nil,
            isDamaged: true)
    }

    private static func smimeType(_ type: ContentType) -> String? {
        type.parameters?.raw("smime-type").map { String(decoding: $0.bytes, as: UTF8.self).lowercased() }
    }
}
