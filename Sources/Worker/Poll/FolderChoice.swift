import MailFetch
import MailModel

/// Which folders of a mailbox are polled: INBOX, the Sent folder, and those that
/// the account names. A pure decision from what the server lists.
struct FolderChoice {
    /// A folder to poll, and why: as inbox, as sent mail, or because it was named.
    struct Chosen: Hashable {
        var folder: ListedFolder
        var role: FolderRole
    }

    /// The account's own Sent folder; nil leaves it to the server's marks and to well-known names.
    var sentFolder: FolderName?
    var furtherFolders: [FolderName]

    /// Marked Sent folders that are read; no program makes so many.
    private static let sentFolders = 20

    /// The folders in the order in which they are polled, each once, and a failure for
    /// every name that the server does not have.
    func folders(among listed: [ListedFolder]) -> (chosen: [Chosen], failures: [MailFailure]) {
        var chosen: [Chosen] = []
        var failures: [MailFailure] = []
        func take(_ folder: ListedFolder, as role: FolderRole) {
            if !chosen.contains(where: { $0.folder.wireName == folder.wireName }) {
                chosen.append(Chosen(folder: folder, role: role))
            }
        }
        func takeNamed(_ name: FolderName, as role: FolderRole) {
            // INBOX is the one name without case (RFC 9051, 5.1), and is listed in capitals.
            let wanted = name.rawValue.uppercased() == FolderName.inbox.rawValue ? .inbox : name
            // As it is written, before a name that only looks the same.
            let selectable = listed.lazy.filter(\.isSelectable)
            if let folder = selectable.first(where: { $0.name == wanted })
                ?? selectable.first(where: { $0.name.rawValue == wanted.rawValue })
            {
                take(folder, as: role)
            } else {
                failures.append(Self.missing(name, among: listed))
            }
        }
        if let inbox = listed.first(where: { $0.role == .inbox }) {
            take(inbox, as: .inbox)
        } else {
            failures.append(Self.missing(.inbox, among: listed))
        }
        if let sentFolder {
            takeNamed(sentFolder, as: .sent)
        } else {
            // Servers mark each of the names that programs file under (`Sent`, `Sent Messages`). The first takes our copies.
            for sent in listed.filter({ $0.role == .sent }).prefix(Self.sentFolders) { take(sent, as: .sent) }
        }
        for name in furtherFolders { takeNamed(name, as: .archive) }
        return (chosen, failures)
    }

    private static func missing(_ name: FolderName, among listed: [ListedFolder]) -> MailFailure {
        let names = listed.filter(\.isSelectable).map(\.name.rawValue).prefix(30).joined(separator: ", ")
        return MailFailure(
            .folderMissing, kind: .needsPerson, "The mailbox has no such folder", detail: name.rawValue,
            remedy: "Name one that it has (\(names)) with `mailworker account edit`.")
    }
}
