import MailModel
import MailTestKit
import Testing

@testable import MailTransport

/// Name servers that lie, keep silent, answer in pieces and in circles.
@Suite struct DNSClientTests {
    private func client(_ servers: StubNameServer..., milliseconds: Int = 150, tries: Int = 1) -> DNSClient {
        DNSClient(
            servers: servers.compactMap { DNSClient.Server($0.address) }, tries: tries,
            tryMilliseconds: milliseconds)
    }

    private func hosts(
        _ answer: StubNameServer.Answer, overTCP: StubNameServer.Answer? = nil, milliseconds: Int = 150
    ) async throws -> [String] {
        let server = try StubNameServer { $0.isTCP ? overTCP ?? .silence : answer }
        defer { server.stop() }
        return try await client(server, milliseconds: milliseconds).mailExchangers(of: "Firma.Example").map(
            \.host)
    }

    private func failure(
        _ answer: StubNameServer.Answer, milliseconds: Int = 150
    ) async throws -> MailFailure? {
        do {
            _ = try await hosts(answer, milliseconds: milliseconds)
            return nil
        } catch let failure as MailFailure {
            return failure
        }
    }

    // MARK: What is no answer

    @Test(
        arguments: [
            // A name that points at itself, two that point at each other, one that points ahead.
            [0xC0, 31, 0, 15], [0xC0, 33, 0xC0, 31, 0, 15], [0xC0, 0xFF, 0, 15],
            // A label beyond the end, an unknown kind of label, a length beyond the end.
            [63, 0x61], [0x80, 0], [0xC0, 12, 0, 15, 0, 1, 0, 0, 0, 0, 0xFF, 0xFF, 0, 1],
            // An exchanger whose name leads in circles.
            [0xC0, 12, 0, 15, 0, 1, 0, 0, 0, 0, 0, 4, 0, 1, 0xC0, 45],
            // A name that goes on behind its record.
            [0xC0, 12, 0, 15, 0, 1, 0, 0, 0, 0, 0, 4, 0, 1, 3, 0x61, 0x62, 0x63, 0],
            [],
        ] as [[UInt8]]) func anAnswerThatBreaksTheGrammarIsNone(_ bytes: [UInt8]) async throws
    {
        let found = try await failure(.garbage(count: 1, bytes), milliseconds: 3_000)
        #expect(found?.detail?.contains("cannot be read") == true)
        #expect(found?.code == .nameLookupFailed && found?.kind == .transient)
        #expect(found?.description.contains("firma") == false)
    }

    @Test(arguments: [
        StubNameServer.Answer.silence, .raw([]), .raw([1, 2, 3]), .code(2), .code(5), .truncated,
    ])
    func aServerThatKnowsNothingIsAFailure(_ answer: StubNameServer.Answer) async throws {
        #expect(try await failure(answer)?.code == .nameLookupFailed)
    }

    @Test func whatSomebodyElseSendsIsPassedOver() async throws {
        #expect(
            try await hosts(.afterForgeries([.mx(10, "mx.yandex.net")]), milliseconds: 3_000) == [
                "mx.yandex.net"
            ])
    }

    @Test func aSilentServerIsFollowedByTheNext() async throws {
        let silent = try StubNameServer { _ in .silence }
        let honest = try StubNameServer { _ in .records([.mx(10, "mx.example")]) }
        defer {
            silent.stop()
            honest.stop()
        }
        let found = try await client(silent, honest, milliseconds: 1_000).mailExchangers(
            of: "firma.example")
        #expect(found.map(\.host) == ["mx.example"] && silent.questions.count == 1)
    }

    @Test func aNameThatCannotBeAskedForHasNoRecords() async throws {
        let server = try StubNameServer { _ in .records([.mx(10, "mx.example")]) }
        defer { server.stop() }
        for name in ["", "a..b", String(repeating: "a", count: 64) + ".example", "a b.example", "фирма.рф"] {
            #expect(try await client(server).mailExchangers(of: name).isEmpty)
        }
        #expect(server.questions.isEmpty)
    }

    // MARK: Answers

    @Test func aNameThatDoesNotExistHasNoServers() async throws {
        #expect(try await hosts(.code(3), milliseconds: 3_000).isEmpty)
        #expect(try await hosts(.records([]), milliseconds: 3_000).isEmpty)
    }

    @Test func aDomainThatTakesNoMailHasNoServers() async throws {
        #expect(try await hosts(.records([.mx(0, "")]), milliseconds: 3_000).isEmpty)
    }

    @Test func whatADatagramDoesNotHoldIsAskedForAgain() async throws {
        let many = (1...90).map { StubNameServer.Record.mx($0, "mx\($0).firma.example") }
        let found = try await hosts(.truncated, overTCP: .records(many.reversed()), milliseconds: 3_000)
        #expect(found.count == 90 && found.first == "mx1.firma.example")
    }

    @Test func recordsOfAnAliasAreFollowed() async throws {
        let records: [StubNameServer.Record] = [.alias("Other.Example"), .mx(5, "MX.Other.Example")]
        #expect(try await hosts(.records(records), milliseconds: 3_000) == ["mx.other.example"])
    }

    @Test func servicesComeByPriorityAndThenByWeight() async throws {
        let server = try StubNameServer { _ in
            .records([
                .srv(priority: 10, weight: 1, port: 993, "c.example"),
                .srv(priority: 0, weight: 1, port: 993, "b.example"),
                .srv(priority: 0, weight: 9, port: 1993, "a.example"),
                .srv(priority: 0, weight: 99, port: 993, ""),
            ])
        }
        defer { server.stop() }
        let found = try await client(server, milliseconds: 3_000).locations(
            of: "_imaps._tcp", at: "firma.example")
        #expect(found.map(\.host) == ["a.example", "b.example", "c.example"] && found[0].port == 1993)
        #expect(server.questions.map(\.name) == ["_imaps._tcp.firma.example"])
    }

    @Test func noBytesEndTheProgram() throws {
        let question = try #require(DNSQuestion("firma.example", .srv))
        var honest = question.bytes(id: 7)
        honest[2] = 0x81
        honest[7] = 3
        // The owner by a pointer, and a record that points back into itself.
        honest += [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 9, 0, 0, 0, 0, 3, 0xE1, 0xC0, 12, 0]
        var random = SystemRandomNumberGenerator()
        var answers = 0
        for _ in 0..<20_000 {
            var bytes = honest
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 4..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...bytes.count / 4, using: &random))
            if DNSAnswer(bytes, to: question, id: 7) != nil { answers += 1 }
        }
        // Most still answer the question, so that it is records that are read.
        #expect(answers > 2_000)
    }

    // MARK: Where servers are

    @Test(arguments: ["", "localhost", "1.2.3", "1.2.3.4:0", "1.2.3.4:x", "[::1]:", "[::1]x", "[::1"])
    func whatIsNoAddressIsNoServer(_ text: String) { #expect(DNSClient.Server(text) == nil) }

    @Test func addressesMayHaveAPort() throws {
        #expect(DNSClient.Server("192.0.2.1") == DNSClient.Server("192.0.2.1:53"))
        #expect(DNSClient.Server("2001:db8::1") == DNSClient.Server("[2001:db8::1]:53"))
        #expect(DNSClient.Server("[::1]:5353")?.port == 5353)
        #expect(!DNSClient.systemServers(file: "/nonexistent").isEmpty)
    }
}
