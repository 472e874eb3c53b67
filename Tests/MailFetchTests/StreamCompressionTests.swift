import MailModel
import Testing

@testable import MailFetch

@Suite struct StreamCompressionTests {
    private func expanded(_ wire: [UInt8], piece: Int = .max) throws -> [UInt8] {
        let stream = try #require(StreamCompression())
        var result: [UInt8] = []
        var rest = wire[...]
        while !rest.isEmpty {
            stream.feed(Array(rest.prefix(piece)))
            rest = rest.dropFirst(piece)
            while stream.hasMore { result += try stream.expand() }
        }
        return result
    }

    private static let lines = (0..<2_000).map { "* \($0) FETCH (UID \($0) RFC822.SIZE \($0 &* 7_919))\r\n" }

    @Test(arguments: [[0xFF, 0xFF, 0xFF], [0x07], Array("* OK hello".utf8)] as [[UInt8]])
    func whatIsNoDeflateStreamIsAViolation(_ bytes: [UInt8]) {
        #expect(throws: MailFailure.self) { try expanded(bytes) }
    }

    @Test func whatFollowsTheEndOfAStreamIsAViolation() throws {
        // An empty final block, and more.
        #expect(try expanded([0x03, 0x00]).isEmpty)
        let stream = try #require(StreamCompression())
        stream.feed([0x03, 0x00])
        _ = try stream.expand()
        stream.feed([1])
        #expect(throws: MailFailure.self) { try stream.expand() }
    }

    @Test func aBombComesInPieces() throws {
        let zeros = [UInt8](repeating: 0, count: 64 << 20)
        let bomb = try #require(StreamCompression()).compress(zeros)
        #expect(bomb.count < 100_000)
        let stream = try #require(StreamCompression())
        stream.feed(bomb)
        var total = 0
        while stream.hasMore {
            let piece = try stream.expand()
            #expect(piece.count <= StreamCompression.pieceBytes)
            total += piece.count
        }
        #expect(total == zeros.count)
    }

    @Test(arguments: [1, 2, 3, 100, .max]) func everythingComesBackHoweverItIsCut(_ piece: Int) throws {
        let sender = try #require(StreamCompression())
        let wire = Self.lines.flatMap { sender.compress(Array($0.utf8)) }
        #expect(try expanded(wire, piece: piece) == Array(Self.lines.joined().utf8))
    }

    @Test func eachPieceCanBeReadAtOnce() throws {
        let sender = try #require(StreamCompression())
        let receiver = try #require(StreamCompression())
        for text in ["A1 NOOP\r\n", "", "A2 IDLE\r\n", "DONE\r\n"] {
            receiver.feed(sender.compress(Array(text.utf8)))
            var got: [UInt8] = []
            while receiver.hasMore { got += try receiver.expand() }
            #expect(String(decoding: got, as: UTF8.self) == text)
        }
    }
}
