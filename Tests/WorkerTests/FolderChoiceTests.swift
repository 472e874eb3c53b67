import MailModel
import Testing

@testable import MailFetch
@testable import Worker

struct FolderChoiceTests {
    private func folders(_ lines: (String, [String])...) -> [ListedFolder] {
        var folders = lines.map { name, attributes in
            ListedFolder(
                ListedName(
                    attributes: attributes, delimiter: UInt8(ascii: "/"), wireName: ModifiedUTF7.encode(name)),
                namespaces: Namespaces())
        }
        ListedFolder.assignRolesByName(&folders, namespaces: Namespaces())
        return folders
    }

    private func chosen(_ choice: FolderChoice, _ listed: [ListedFolder]) -> [String] {
        choice.folders(among: listed).chosen.map { "\($0.folder.name.rawValue) \($0.role)" }
    }

    @Test func aMailboxWithoutInboxIsAFailureAndItsOtherFoldersArePolled() {
        let choice = FolderChoice(sentFolder: nil, furtherFolders: [])
        let (chosen, failures) = choice.folders(among: folders(("Sent", []), ("Work", [])))
        #expect(chosen.map(\.folder.name.rawValue) == ["Sent"])
        #expect(failures.map(\.code) == [.folderMissing])
    }

    @Test func aNamedSentFolderThatIsMissingIsAFailureAndNoOtherTakesItsPlace() {
        let choice = FolderChoice(sentFolder: FolderName("Gesendet"), furtherFolders: [])
        let (chosen, failures) = choice.folders(among: folders(("INBOX", []), ("Sent", ["\\Sent"])))
        #expect(chosen.map(\.folder.name.rawValue) == ["INBOX"])
        #expect(failures.map(\.detail) == ["Gesendet"])
        #expect(failures[0].remedy?.contains("INBOX, Sent") == true)
    }

    @Test func aFolderThatOnlyHoldsOthersCannotBeNamed() {
        let choice = FolderChoice(sentFolder: nil, furtherFolders: [FolderName("Clients")])
        let (chosen, failures) = choice.folders(
            among: folders(("INBOX", []), ("Clients", ["\\Noselect"]), ("Clients/A", [])))
        #expect(chosen.map(\.folder.name.rawValue) == ["INBOX"])
        #expect(failures.map(\.code) == [.folderMissing])
        #expect(failures[0].remedy?.contains("(INBOX, Clients/A)") == true)
    }

    @Test func eachFolderIsPolledOnceUnderItsFirstRole() {
        let choice = FolderChoice(
            sentFolder: nil,
            furtherFolders: [FolderName("Sent"), .inbox, FolderName("Work"), FolderName("Work")])
        let listed = folders(("Work", []), ("Sent", []), ("INBOX", []))
        #expect(chosen(choice, listed) == ["INBOX inbox", "Sent sent", "Work archive"])
        #expect(choice.folders(among: listed).failures.isEmpty)
    }

    @Test(arguments: ["inbox", "Inbox", "INBOX", "iNbOx"])
    func theInboxIsNamedInAnyCase(name: String) {
        let choice = FolderChoice(sentFolder: nil, furtherFolders: [FolderName(name)])
        let listed = folders(("INBOX", []))
        #expect(choice.folders(among: listed).failures.isEmpty)
        #expect(chosen(choice, listed) == ["INBOX inbox"])
    }

    @Test func namesOtherThanTheInboxKeepTheirCase() {
        let choice = FolderChoice(sentFolder: nil, furtherFolders: [FolderName("work")])
        #expect(choice.folders(among: folders(("INBOX", []), ("Work", []))).failures.count == 1)
    }

    @Test func theSentFolderIsFoundByItsMarkBeforeItsName() {
        let choice = FolderChoice(sentFolder: nil, furtherFolders: [])
        #expect(
            chosen(choice, folders(("INBOX", []), ("Sent", []), ("Отправленные", ["\\Sent"])))
                == ["INBOX inbox", "Отправленные sent"])
        #expect(
            chosen(choice, folders(("INBOX", []), ("Отправленные", []))) == [
                "INBOX inbox", "Отправленные sent",
            ]
        )
        #expect(chosen(choice, folders(("INBOX", []), ("Work", []))) == ["INBOX inbox"])
    }

    @Test func `each folder that is marked Sent is read, the first one first`() {
        let choice = FolderChoice(sentFolder: nil, furtherFolders: [])
        let listed = folders(("Sent Messages", ["\\Sent"]), ("INBOX", []), ("Sent", ["\\Sent"]))
        #expect(chosen(choice, listed) == ["INBOX inbox", "Sent Messages sent", "Sent sent"])
        let named = FolderChoice(sentFolder: FolderName("Sent"), furtherFolders: [])
        #expect(chosen(named, listed) == ["INBOX inbox", "Sent sent"])
    }

    @Test func `of names that look the same the one that is meant is taken`() {
        let (one, two) = ("Envoy\u{E9}s", "Envoye\u{301}s")
        for meant in [one, two] {
            let choice = FolderChoice(sentFolder: FolderName(meant), furtherFolders: [])
            let taken = choice.folders(among: folders(("INBOX", []), (one, []), (two, []))).chosen.last
            #expect(taken?.folder.name == FolderName(meant))
            // A person may have typed the other form of it.
            let others = folders(("INBOX", []), (one, []))
            #expect(choice.folders(among: others).chosen.last?.folder.name == FolderName(one))
        }
        #expect(FolderName(one) != FolderName(two))
    }
}
