public import Archive
import Foundation
public import MailModel
public import MailSend
import Matcher

/// Fills stored templates with what is known of a contact, its organisation, and the user who writes.
public struct TemplateFilling: Sendable {
    private let archive: Archive

    public init(archive: Archive) { self.archive = archive }

    /// - Parameters:
    ///   - contact: nil for a recipient whom nobody knows; its variables are empty then.
    ///   - recipient: the address that is written to; the contact's first one where it is nil.
    ///   - date: of the mail; nil for the present.
    /// - Throws: `unknown.template`, `template.syntax`, `template.variable`.
    public func fill(
        _ name: String, contact: Contact?, recipient: EmailAddress?, account: Account?,
        at date: UnixTime? = nil
    ) throws(MailFailure) -> MailTemplate.Filled {
        let stored = try archive.template(named: name)
        let template = MailTemplate(subject: stored.subject, text: stored.text, html: stored.html)
        return try template.fill(try values(contact, recipient, account, date ?? archive.time))
    }

    private func values(
        _ contact: Contact?, _ recipient: EmailAddress?, _ account: Account?, _ date: UnixTime
    ) throws(MailFailure) -> TemplateValues {
        var values = TemplateValues()
        values["contact.name"] = contact?.name
        values["contact.email"] = (recipient ?? contact?.emails.first)?.addrSpec
        values["contact.external_id"] = contact?.externalID
        // An organisation that the viewer does not see is only named where the contact names it.
        values["organisation.name"] = contact?.organisationName
        if let id = contact?.organisation, let organisation = try? archive.contact(id) {
            values["organisation.name"] = organisation.name
            values["organisation.email"] = organisation.emails.first?.addrSpec
            values["organisation.external_id"] = organisation.externalID
        }
        let user = try account?.settings.user.flatMap { id throws(MailFailure) in
            try archive.users().first { $0.id == id }
        }
        values["user.name"] = user?.displayName ?? user?.name
        values["user.email"] = (user?.email ?? account?.settings.email)?.addrSpec
        values["account.email"] = account?.settings.email?.addrSpec
        values["date"] = Self.day(date)
        return values
    }

    private static func day(_ time: UnixTime) -> String {
        let parts = Calendar(identifier: .gregorian).dateComponents(
            [.year, .month, .day], from: Date(timeIntervalSince1970: TimeInterval(time.rawValue)))
        let two = { (number: Int?) in (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        return "\(two(parts.day)).\(two(parts.month)).\(parts.year ?? 0)"
    }
}
