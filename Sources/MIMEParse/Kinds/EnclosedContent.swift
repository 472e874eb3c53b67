import MailModel

/// The content of an opaque S/MIME message (RFC 8551, 3.5): signed data holds a whole MIME
/// entity, which is read as if it stood in the message itself.
struct EnclosedContent {
    /// Layers within layers; a deeper one stays a file.
    static let maximumNesting = 3

    var protection: Protection
    /// Nil when nothing readable is inside.
    var octets: [UInt8]?
    var isDamaged = false

    /// The first such leaf of a message; nil without one.
    static func read(
        _ tree: EntityTree, _ plan: LeafPlan, bytes: UnsafeRawBufferPointer
    ) -> EnclosedContent? {
        for (index, source) in plan.attachments.enumerated() where source.embedded == nil {
            let type = tree.entities[source.entity].contentType
            guard type.name == "application/pkcs7-mime" || type.name == "application/x-pkcs7-mime" else {
                continue
            }
            var defects = DefectLog()
            let octets = source.withContent(in: bytes) { $0.decoded(defects: &defects) }
            guard let cms = octets.withUnsafeBytes({ CMSContent($0) }) else {
                return unreadable(type)
            }
            switch cms.kind {
            case .encrypted:
                return EnclosedContent(
                    protection: Protection(.smime, isSigned: false, isEncrypted: true), octets: nil)
            case .signed:
                var protection = Protection(.smime, isSigned: true, isEncrypted: false)
                let content = cms.content.flatMap { $0.isEmpty ? nil : $0 }
                // Certificates alone travel as signed data without content and signers.
                if content == nil, smimeType(type) == "certs-only" { continue }
                if content != nil { protection.signatureAttachments = [index] }
                return EnclosedContent(protection: protection, octets: content, isDamaged: cms.isDamaged)
            case .compressed, .other: continue
            }
        }
        return nil
    }

    /// Octets that are no CMS: what the field says is all that is known.
    private static func unreadable(_ type: ContentType) -> EnclosedContent {
        let isSigned = smimeType(type) == "signed-data"
        return EnclosedContent(
            protection: Protection(.smime, isSigned: isSigned, isEncrypted: !isSigned), octets: nil,
            isDamaged: true)
    }

    private static func smimeType(_ type: ContentType) -> String? {
        type.parameters?.raw("smime-type").map { String(decoding: $0.bytes, as: UTF8.self).lowercased() }
    }
}
