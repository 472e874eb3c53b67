import MIMEParse
import MailModel
import MailSend

let anna = Mailbox(
    displayName: "Анна Орлова", address: EmailAddress(localPart: "anna", domain: "firma.example"))
let ivan = Mailbox(displayName: "Ivan", address: EmailAddress(localPart: "ivan", domain: "klient.example"))

/// A draft from Anna to Ivan of 2026-11-25 13:33:47 +0300.
func draft(_ change: (inout MailDraft) -> Void = { _ in }) -> MailDraft {
    var draft = MailDraft(
        from: anna, date: UnixTime(1_795_602_827), messageID: MessageID(rawValue: "1@firma.example"))
    draft.zoneMinutes = 180
    draft.to = [ivan]
    change(&draft)
    return draft
}

func wire(_ draft: MailDraft, _ form: ComposedMail.Form = .wire) throws -> String {
    String(decoding: try Composer.compose(draft).bytes(form), as: UTF8.self)
}

func reading(_ bytes: [UInt8]) -> ParsedMessage {
    bytes.withUnsafeBytes { MIMEParser().parse($0) }
}

/// The code of the failure that `body` ends with; nil when it does not fail.
func failure(_ body: () throws -> Void) -> MailFailure.Code? {
    do {
        try body()
        return nil
    } catch let failure as MailFailure {
        return failure.code
    } catch {
        return nil
    }
}
