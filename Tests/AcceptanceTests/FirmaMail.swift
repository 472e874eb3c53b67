import Foundation

/// The mail of two users of one company, with what must become of each message.
enum FirmaMail {
    static let contract = Data((0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })

    static let fromClient = SampleMail(
        from: "=?utf-8?B?0JjQstCw0L0=?= <Ivan@Klient.example>", to: ["anna@firma.example"],
        subject: "Договор", messageID: "contract@klient.example",
        attachment: (name: "Договор №5.pdf", content: contract))
    static let fromStranger = SampleMail(
        from: "marker-address@secret.example", to: ["anna@firma.example"], subject: "Вопрос о цене",
        messageID: "question@secret.example")
    static let toBoth = SampleMail(
        from: "ivan.private@pochta.example", to: ["anna@firma.example"], cc: ["boris@firma.example"],
        subject: "Обоим", messageID: "both@pochta.example",
        trace: ["Received: from a by mx (anna's copy); Mon, 12 Jan 2026 10:00:01 +0300"])
    static var toBothOtherCopy: SampleMail {
        var copy = toBoth
        copy.trace = ["Received: from a by mx (boris's copy); Mon, 12 Jan 2026 10:00:02 +0300"]
        return copy
    }
    static let internalNote = SampleMail(
        from: "anna@firma.example", to: ["boris@firma.example"], subject: "Обед",
        messageID: "lunch@firma.example")
    static let toLead = SampleMail(
        from: "anna@firma.example", to: ["Jane Doe <jane@lead.example>"], subject: "Offer",
        messageID: "offer@firma.example")
    static let toNewcomer = SampleMail(
        from: "anna@firma.example", to: ["newcomer@novyi.example"], subject: "Знакомство",
        messageID: "hello@firma.example")

    /// Delivers everything: anna has three messages and two sent ones, boris two.
    static func deliver(to server: MailServer) async throws {
        try await server.deliver([fromClient.bytes, fromStranger.bytes, toBoth.bytes], to: "anna")
        try await server.deliver([toLead.bytes, toNewcomer.bytes], to: "anna", folder: "Sent")
        try await server.deliver([toBothOtherCopy.bytes, internalNote.bytes], to: "boris")
    }
}
