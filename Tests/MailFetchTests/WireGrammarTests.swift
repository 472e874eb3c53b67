import MailModel
import Testing

@testable import MailFetch

@Suite struct ModifiedUTF7Tests {
    @Test(arguments: [
        "&", "&BB", "&!!-", "&BB4-x&", "a\u{7F}", "a\u{1}b", "&A-", "&2D0-", "&3gA-", "\u{0}",
    ]) func whatIsNotInTheEncodingIsRefused(_ text: String) {
        #expect(ModifiedUTF7.decode(Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        ("INBOX", "INBOX"), ("A&-B", "A&B"), ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"),
        ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"), ("&2D3eAA-", "😀"), ("", ""),
    ]) func theEncodingIsThatOfTheRFC(_ wire: String, _ name: String) {
        #expect(ModifiedUTF7.decode(Array(wire.utf8)) == name)
        #expect(String(decoding: ModifiedUTF7.encode(name), as: UTF8.self) == wire)
    }

    @Test func everyNameComesBack() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var name = ""
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                let value = UInt32.random(
                    in: 0...(Bool.random(using: &generator) ? 0x7F : 0x10FFFF), using: &generator)
                if let scalar = Unicode.Scalar(value) { name.unicodeScalars.append(scalar) }
            }
            let wire = ModifiedUTF7.encode(name)
            #expect(ModifiedUTF7.decode(wire).map { Array($0.unicodeScalars) } == Array(name.unicodeScalars))
            #expect(wire.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        }
    }
}

@Suite struct InternalDateTests {
    @Test(arguments: [
        "", "x", "32-Jan-2020 00:00:00 +0000", "00-Jan-2020 00:00:00 +0000", "1-Foo-2020 00:00:00 +0000",
        "01-Jan-20 00:00:00 +0000", "01-Jan-2020 24:00:00 +0000", "01-Jan-2020 00:60:00 +0000", "01-Jan-2020",
        "01-Jan-2020 00:00", "99999999999999999999-Jan-2020 00:00:00 +0000",
    ]) func whatIsNoDateIsNil(_ text: String) { #expect(InternalDate.parse(Array(text.utf8)) == nil) }

    @Test(arguments: [
        ("01-Jan-1970 00:00:00 +0000", 0), ("17-Jul-1996 02:44:25 -0700", 837_596_665),
        (" 1-Mar-2024 03:00:00 +0300", 1_709_251_200), ("29-Feb-2024 23:59:59 +0000", 1_709_251_199),
        ("31-Dec-1969 23:59:59 +0000", -1), ("01-jan-2000 00:00:00 +0000", 946_684_800),
        ("01-Jan-2000 00:00:00", 946_684_800), ("01-Jan-2000 00:00:00 GMT", 946_684_800),
    ]) func aDateIsReadWithItsZone(_ text: String, _ seconds: Int64) {
        #expect(InternalDate.parse(Array(text.utf8)) == UnixTime(seconds))
    }
}

@Suite struct IMAPCommandTests {
    static let all: [IMAPCommand] = [
        .capability, .identify, .namespace, .list(returnSpecialUse: true), .list(returnSpecialUse: false),
        .status(Array("a".utf8)), .examine(Array("a".utf8), .condstore),
        .examine(Array("a".utf8), .plain), .searchAll(extended: true), .searchAll(extended: false),
        .fetchMetadata("1:2", gmail: false), .fetchMetadata("1:2", gmail: true), .fetchMessages("1:2"),
        .fetchPiece(UID(1), offset: 0, count: 9), .enableQResync, .noop, .logout,
        .examine(Array("a".utf8), .resync(FolderMark(uidValidity: UIDValidity(1), modSequence: 2))),
    ]

    @Test func noCommandCanChangeAMailbox() {
        for command in Self.all {
            let text = String(decoding: command.bytes, as: UTF8.self)
            let words = text.split { !$0.isLetter }
            for verb in [
                "SELECT", "STORE", "EXPUNGE", "COPY", "MOVE", "APPEND", "DELETE", "RENAME", "CREATE", "CLOSE",
            ] {
                #expect(!words.contains { $0 == verb })
            }
            #expect(!text.contains("BODY["))
            #expect(text.hasSuffix("\r\n") && text.dropLast(1).count(where: \.isNewline) == 0)
        }
    }

    @Test func selectTakesAServerThatRenumbers() throws {
        let server = try #require(RenumberingServer.table.first)
        #expect(
            String(decoding: IMAPCommand.select(Array("a\"".utf8), for: server).bytes, as: UTF8.self)
                == "SELECT \"a\\\"\"\r\n")
    }

    @Test func aNameCannotLeaveItsQuotes() {
        let name = Array("a\" NOOP \\".utf8)
        #expect(
            String(decoding: IMAPCommand.status(name).bytes, as: UTF8.self)
                == "STATUS \"a\\\" NOOP \\\\\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)\r\n")
        for byte: UInt8 in [0, 0x0A, 0x0D] { #expect(!IMAPCommand.isSendable([0x61, byte])) }
        #expect(!IMAPCommand.isSendable([]))
    }

    @Test func longSetsAreSplitBelowTheLineLimit() {
        let sparse = UIDSet(stride(from: UInt32(4_000_000_000), to: 4_000_010_000, by: 2).map { UID($0) })
        let sets = sparse.pieces(maximumBytes: IMAPLimits.sequenceSetBytes).map(\.sequenceSet)
        #expect(sets.allSatisfy { $0.utf8.count <= IMAPLimits.sequenceSetBytes })
        #expect(sets.joined(separator: ",") == sparse.sequenceSet)
    }
}

@Suite struct ResponseFramerTests {
    static let stream = Array(
        """
        * OK [X] {3}\r
        * 1 FETCH (UID 1 BODY[] {10}\r
        ab\r\nc)\r\n{3} X {0}\r
         BODY[TEXT] {2}\r
        zz)\r
        * LIST () "/" {3}\r
        a{1\r
        A1 OK done {9}\r

        """.utf8)

    func responses(_ chunks: some Sequence<[UInt8]>, limits: MailLimits = .standard) throws -> [String] {
        var framer = ResponseFramer(limits: limits, spoolDirectory: "/tmp")
        var found: [String] = []
        for chunk in chunks {
            framer.feed(chunk)
            while try framer.next() {
                let literals = framer.literals.map { literal -> String in
                    guard case .bytes(let bytes) = literal.content else { return "too large" }
                    return "\(literal.end):" + bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                }
                found.append(
                    String(decoding: framer.text, as: UTF8.self) + "|" + literals.joined(separator: "|"))
            }
        }
        return found
    }

    @Test func whereverTheStreamIsCutTheResponsesAreTheSame() throws {
        let whole = try responses([Self.stream])
        #expect(whole.count == 4)
        #expect(whole[1].contains("|28:ab\r\nc)\r\n{3|"))
        for cut in 0...Self.stream.count {
            #expect(try responses([Array(Self.stream[..<cut]), Array(Self.stream[cut...])]) == whole)
        }
        #expect(try responses(Self.stream.map { [$0] }) == whole)
        var spooling = MailLimits.standard
        spooling.heapMessageBytes = 1
        #expect(try responses(Self.stream.map { [$0] }, limits: spooling) == whole)
    }

    @Test func limitsHoldAtTheirEdges() throws {
        var limits = MailLimits.standard
        limits.messageBytes = 10
        func literal(_ size: Int) -> [UInt8] {
            Array("* 1 FETCH (BODY[] {\(size)}\r\n".utf8) + [UInt8](repeating: 0x78, count: size)
                + Array(")\r\n".utf8)
        }
        #expect(try responses([literal(9)], limits: limits).first?.hasSuffix(":xxxxxxxxx") == true)
        #expect(try responses([literal(10)], limits: limits).first?.hasSuffix(":xxxxxxxxxx") == true)
        #expect(try responses([literal(11)], limits: limits).first?.hasSuffix("too large") == true)
        #expect(try responses([literal(40)], limits: limits).first?.hasSuffix("too large") == true)
        #expect(throws: MailFailure.self) { try responses([literal(41)], limits: limits) }
    }

    /// Whether it comes in one piece or in two.
    @Test(arguments: [9, 10, 11], [true, false])
    func onlyWhatIsLargerThanTheHeapTakesIsAFile(size: Int, isWhole: Bool) throws {
        var limits = MailLimits.standard
        limits.heapMessageBytes = 10
        var framer = ResponseFramer(limits: limits, spoolDirectory: "/tmp")
        let stream = Array(
            "* 1 FETCH (BODY[] {\(size)}\r\n\(String(repeating: "x", count: size)))\r\n".utf8)
        framer.feed(Array(stream[..<(isWhole ? stream.count : stream.count - 6)]))
        if !isWhole {
            #expect(try framer.next() == false)
            framer.feed(Array(stream.suffix(6)))
        }
        #expect(try framer.next())
        guard case .bytes(let bytes)? = framer.literals.first?.content else {
            Issue.record("no literal")
            return
        }
        #expect(bytes.count == size)
        #expect((bytes.fileDescriptor != nil) == (size > 10))
    }

    /// A message fetched part by part is held like one that comes whole.
    @Test(arguments: [9, 10, 11])
    func onlyPiecesThatAreMoreThanTheHeapTakesAreAFile(size: Int) throws {
        var pieces = SpooledBytes(heapBytes: 10, directory: "/tmp")
        for piece in [[UInt8](repeating: 1, count: 5), [UInt8](repeating: 2, count: size - 5)] {
            try pieces.append(MessageBytes(piece))
        }
        let bytes = try pieces.finished()
        #expect(bytes.count == size)
        #expect((bytes.fileDescriptor != nil) == (size > 10))
    }

    @Test func aMissingSpoolDirectoryIsAFailureWithARemedy() {
        var limits = MailLimits.standard
        limits.heapMessageBytes = 1
        var framer = ResponseFramer(limits: limits, spoolDirectory: "/nonexistent/directory")
        framer.feed(Array("* 1 FETCH (BODY[] {5}\r\nabcde)\r\n".utf8))
        do {
            _ = try framer.next()
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.code == .spoolFailed && error.remedy != nil)
        }
    }

    /// Random damage to a real stream: never a crash, and never a response that was not there before
    /// without its bytes having been touched.
    @Test func damageNeverCrashes() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            var bytes = Self.stream
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            var framer = ResponseFramer(limits: .standard, spoolDirectory: "/tmp")
            framer.feed(bytes)
            while let isWhole = try? framer.next(), isWhole {
                _ = ResponseParser.parse(framer.text, literals: framer.literals)
            }
        }
    }
}
