import Archive
import Foundation
import MailModel
import Testing

@Suite struct SecretKeyTests {
    @Test func `another key is refused when the archive is opened`() throws {
        let fixture = try ArchiveFixture()
        let failure = #expect(throws: MailFailure.self) { try fixture.reopened(key: SecretKey()) }
        #expect(failure?.code == .keyWrong)
        #expect(failure?.remedy?.isEmpty == false)
    }

    @Test func `without a key everything but secrets works`() throws {
        let fixture = try ArchiveFixture()
        let archive = try Archive.open(directory: fixture.directory, key: nil)
        #expect(try archive.accounts().map(\.hasSecret) == [true])
        let failure = #expect(throws: MailFailure.self) { try archive.secret(of: fixture.account) }
        #expect(failure?.code == .keyMissing)
    }

    @Test func `an archive whose key is lost gets a new one, and keeps all but the secrets`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let key = SecretKey()
        try Archive.replaceKey(directory: fixture.directory, with: key)
        #expect(throws: MailFailure.self) { try fixture.reopened() }
        let reopened = try fixture.reopened(key: key)
        #expect(try reopened.secret(of: fixture.account) == nil)
        #expect(try reopened.openReviewCount() == 1)
        try reopened.setSecret(Secret("new"), of: fixture.account)
        #expect(try reopened.secret(of: fixture.account) == Secret("new"))
    }

    @Test func `a key file that others may read is refused, with what to do`() throws {
        let path = NSTemporaryDirectory() + "key-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try SecretKey.create(file: path)
        _ = try SecretKey(file: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        let failure = #expect(throws: MailFailure.self) { try SecretKey(file: path) }
        #expect(failure?.code == .keyOpenToOthers)
        #expect(failure?.remedy?.contains("chmod 600") == true)
        #expect(throws: MailFailure.self) { try SecretKey.create(file: path) }
        #expect(throws: MailFailure.self) { try SecretKey(file: path + ".missing") }
    }

    @Test(arguments: ["", "abc", String(repeating: "z", count: 64), "AAAA"])
    func `a malformed key says how one is made`(text: String) {
        let failure = #expect(throws: MailFailure.self) { try SecretKey(text: text) }
        #expect(failure?.code == .keyMalformed)
    }

    @Test func `a secret comes back, and is not in any file`() throws {
        let fixture = try ArchiveFixture()
        #expect(try fixture.archive.secret(of: fixture.account) == Secret("geheim"))
        try fixture.archive.setSecret(Secret("marker-password"), of: fixture.account)
        #expect(try fixture.reopened().secret(of: fixture.account) == Secret("marker-password"))
        for name in try FileManager.default.contentsOfDirectory(atPath: fixture.directory) {
            guard let data = FileManager.default.contents(atPath: fixture.directory + "/" + name) else {
                continue
            }
            #expect(data.range(of: Data("marker-password".utf8)) == nil)
        }
        try fixture.archive.setSecret(nil, of: fixture.account)
        #expect(try fixture.archive.secret(of: fixture.account) == nil)
    }

    @Test func `a key prints nothing of itself`() throws {
        let key = try SecretKey(text: String(repeating: "ab", count: 32))
        #expect("\(key)" == "(key)")
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("171"))
    }
}
