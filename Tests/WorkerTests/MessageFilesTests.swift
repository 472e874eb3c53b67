import Archive
import Foundation
import MIMEParse
import MailModel
import Testing

@testable import Worker

struct MessageFilesTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func names(_ paths: String...) throws -> [String] {
        try MessageFiles(paths: paths.map { $0.isEmpty ? directory.path : "\(directory.path)/\($0)" })
            .files.map { String($0.path.dropFirst(directory.path.count + 1)) + ($0.isMbox ? " mbox" : "") }
    }

    @Test func aPathThatDoesNotExistStopsBeforeAnythingIsRead() throws {
        try directory.write("a.eml", "x")
        let failure = #expect(throws: MailFailure.self) { try names("a.eml", "nowhere") }
        #expect(failure?.code == .noSuchPath)
        #expect(failure?.detail == directory.path + "/nowhere")
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["pipe", "pipe.eml", "box/cur/pipe"])
    func aPipeIsUnreadableAndNotWaitedFor(name: String) async throws {
        try directory.write("box/cur/.keep", "")
        try directory.write("box/new/.keep", "")
        try #require(mkfifo("\(directory.path)/\(name)", 0o600) == 0)
        let path = name.hasPrefix("box") ? "\(directory.path)/box" : "\(directory.path)/\(name)"
        var codes: [MailFailure.Code] = []
        try await MessageFiles(paths: [path]).forEachMessage { _, _ in
        } unreadable: {
            codes.append($0.code)
        }
        #expect(codes == [.unreadableFile])
    }

    @Test func aDirectoryWithoutMailIsEmpty() throws {
        try directory.write("notes.txt", "From nobody")
        try directory.write("deep/er/readme", "x")
        #expect(try names("").isEmpty)
    }

    @Test func aLoopOfLinksEnds() throws {
        try directory.write("sub/a.eml", "x")
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/sub/again", withDestinationPath: directory.path)
        #expect(try names("") == ["sub/a.eml"])
    }

    @Test func aLinkToAMessageIsTheMessageAndADanglingOneIsUnreadable() async throws {
        try directory.write("store/one", "Subject: x\n\n")
        try FileManager.default.createDirectory(
            atPath: directory.path + "/in", withIntermediateDirectories: true)
        for (link, target) in [("a.eml", "../store/one"), ("b.eml", "../store/none")] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(directory.path)/in/\(link)", withDestinationPath: target)
        }
        #expect(try names("in") == ["in/a.eml", "in/b.eml"])
        let (read, failures) = await contents(try MessageFiles(paths: [directory.path + "/in"]))
        #expect(read.count == 1)
        #expect(failures.map(\.code) == [.unreadableFile])
    }

    @Test func aFileThatIsRemovedMeanwhileIsOneFailureAndTheOthersGoOn() async throws {
        for name in ["a.eml", "b.eml", "c.eml"] { try directory.write(name, name) }
        let files = try MessageFiles(paths: [directory.path])
        try FileManager.default.removeItem(atPath: directory.path + "/b.eml")
        let (read, failures) = await contents(files)
        #expect(read.map(\.1) == ["a.eml", "c.eml"])
        #expect(failures.map(\.code) == [.unreadableFile])
    }

    @Test func maildirsAreReadWhereverTheyLie() throws {
        for folder in ["box", "box/.Sent", "box/.Sent.2024", "plain/inner"] {
            try directory.write("\(folder)/cur/2:2,S", "x")
            try directory.write("\(folder)/cur/.hidden", "x")
            try directory.write("\(folder)/new/1", "x")
            try directory.write("\(folder)/tmp/3", "x")
            try directory.write("\(folder)/dovecot-uidlist", "x")
        }
        let expected = ["box/.Sent", "box/.Sent.2024", "box", "plain/inner"].flatMap {
            ["\($0)/cur/2:2,S", "\($0)/new/1"]
        }
        #expect(try names("") == expected)
        #expect(try names("box/") == Array(expected.dropLast(2)).map { $0 })
    }

    @Test func kindsOfFilesAreToldByNameAndThenByTheirFirstLine() throws {
        try directory.write("a.EML", "From a\n")
        try directory.write("b.Mbox", "")
        try directory.write("mail", "From a\n\n")
        try directory.write("other", "Subject: x\n\n")
        #expect(
            try names("a.EML", "b.Mbox", "mail", "other") == ["a.EML", "b.Mbox mbox", "mail mbox", "other"])
        #expect(try names("") == ["a.EML", "b.Mbox mbox"])
    }

    @Test func eachMessageOfAnMboxHasItsNumber() async throws {
        let path = try directory.write("m.mbox", "From a\nA: 1\n\nFrom b\nB: 2\n")
        let (read, _) = await contents(try MessageFiles(paths: [path]))
        #expect(read.map(\.0) == [path + "#1", path + "#2"])
        #expect(read.map(\.1) == ["A: 1\n", "B: 2\n"])
    }

    private func contents(_ files: MessageFiles) async -> ([(String, String)], [MailFailure]) {
        var read: [(String, String)] = []
        var failures: [MailFailure] = []
        await files.forEachMessage { name, bytes in
            read.append((name, bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }))
        } unreadable: {
            failures.append($0)
        }
        return (read, failures)
    }

    @Test(arguments: [-1, 0, 1])
    func onlyWhatIsLargerThanTheHeapTakesIsMapped(beyond: Int) async throws {
        let size = MailLimits.standard.heapMessageBytes + beyond
        let path = try directory.write("a.eml", [UInt8](repeating: 0x78, count: size))
        var seen: [(count: Int, isMapped: Bool)] = []
        try await MessageFiles(paths: [path]).forEachMessage { _, bytes in
            seen.append((bytes.count, bytes.fileDescriptor != nil))
        } unreadable: {
            Issue.record("\($0)")
        }
        #expect(seen.map(\.count) == [size])
        #expect(seen.map(\.isMapped) == [beyond > 0])
    }

    // MARK: Import

    @Test(arguments: [-1, 0, 1])
    func aMessageIsImportedUpToTheLimit(beyond: Int) async throws {
        let fixture = try WorkerFixture()
        let mail = WorkerFixture.mail(1)
        try directory.write("1.eml", mail)
        var limits = MailLimits.standard
        limits.messageBytes = mail.count - beyond
        let importer = FileImport(
            archive: fixture.archive,
            pipeline: IngestPipeline(archive: fixture.archive, parsing: InProcessParsing()), limits: limits)
        let (counts, failures) = try await importer.run(
            try MessageFiles(paths: [directory.path]), account: fixture.account,
            folder: FolderName("Imported"))
        #expect(failures.map(\.code) == (beyond > 0 ? [.messageTooLarge] : []))
        #expect(counts.linked == (beyond > 0 ? 0 : 1))
    }

    @Test func importingTwiceChangesNothingAndNamesWhatItCannotTake() async throws {
        let fixture = try WorkerFixture()
        try directory.write("1.eml", WorkerFixture.mail(1))
        try directory.write("2.eml", WorkerFixture.mail(2, padding: 5_000))
        try directory.write("3.eml", "")
        let mbox = (4...6).reduce(into: [UInt8]()) {
            $0 += Array("From x\r\n".utf8) + WorkerFixture.mail($1) + Array("\r\n".utf8)
        }
        try directory.write("rest.mbox", mbox)
        var limits = MailLimits.standard
        limits.messageBytes = 4_000
        let files = try MessageFiles(paths: [directory.path])
        for pass in 0..<2 {
            let importer = FileImport(
                archive: fixture.archive,
                pipeline: IngestPipeline(archive: fixture.archive, parsing: InProcessParsing()),
                limits: limits)
            let (counts, failures) = try await importer.run(
                files, account: fixture.account, folder: FolderName("Imported"))
            #expect(failures.map(\.code) == [.messageTooLarge, .emptyFile])
            #expect(counts.linked == (pass == 0 ? 4 : 0))
            #expect(try fixture.historyCount() == 4)
        }
        #expect(try fixture.archive.verify().isClean)
    }
}
