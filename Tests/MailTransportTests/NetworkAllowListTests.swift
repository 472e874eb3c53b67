import MailModel
import Testing

@testable import MailTransport

@Suite struct NetworkAllowListTests {
    @Test(arguments: [
        "", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "300.1.1.1", "10.0.0.0/8/8", "localhost",
    ]) func whatIsNoBlockIsRefused(_ text: String) {
        #expect(throws: MailFailure.self) { try NetworkAllowList([text]) }
    }

    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
        "::7f00:1", "fe80::1", "fc00::1", "fdff::1", "ff02::1", "2001:db8::1", "2001::1", "64:ff9b::7f00:1",
        "2002:0a00:0001::1", "100::1",
    ]) func anAddressThatIsNotPublicIsRefusedUnlessListed(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!address.isPublic)
        #expect(!NetworkAllowList.publicOnly.permits(address, security: .tls))
        #expect(try NetworkAllowList([text]).permits(address, security: .none))
    }

    @Test(arguments: [
        "8.8.8.8", "77.88.21.125", "100.128.0.1", "172.32.0.1", "192.169.0.1", "223.255.255.255",
        "2a02:6b8::1:125", "2001:4860:4860::8888", "64:ff9b::808:808",
    ]) func aPublicAddressIsPermittedWithTLSOnly(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(NetworkAllowList.publicOnly.permits(address, security: .tls))
        #expect(NetworkAllowList.publicOnly.permits(address, security: .starttls))
        #expect(!NetworkAllowList.publicOnly.permits(address, security: .none))
    }

    @Test func aPortThatIsNotOpenIsRefusedOutsideListedNetworks() throws {
        let address = try #require(IPAddress("77.88.21.125"))
        for port: UInt16 in [143, 993, 25, 465, 587, 2525] {
            #expect(NetworkAllowList.publicOnly.permits(address, security: .tls, port: port))
        }
        for port: UInt16 in [0, 22, 80, 110, 443, 6379, 65_535] {
            #expect(!NetworkAllowList.publicOnly.permits(address, security: .tls, port: port))
            #expect(try NetworkAllowList(["77.88.0.0/16"]).permits(address, security: .tls, port: port))
        }
        let opened = try NetworkAllowList([], ports: [1993])
        #expect(opened.permits(address, security: .tls, port: 1993))
        #expect(!opened.permits(address, security: .tls, port: 993))
        // A web service is not a mail server.
        #expect(NetworkAllowList.publicOnly.permits(address, security: .tls))
    }

    @Test func aBlockEndsWhereItsPrefixEnds() throws {
        let list = try NetworkAllowList(["10.20.16.0/20", "fd00:1::/33"])
        func lists(_ text: String) -> Bool { IPAddress(text).map(list.lists) == true }
        #expect(lists("10.20.16.0") && lists("10.20.31.255"))
        #expect(!lists("10.20.15.255") && !lists("10.20.32.0"))
        #expect(lists("fd00:1:7fff::1") && !lists("fd00:1:8000::1"))
        // The IPv4 block 0.0.0.0/0 does not open IPv6, nor the other way round.
        let four = try #require(IPAddress("1.2.3.4"))
        let six = try #require(IPAddress("::1"))
        let allFour = try NetworkAllowList(["0.0.0.0/0"])
        #expect(allFour.lists(four) && !allFour.lists(six))
        let allSix = try NetworkAllowList(["::/0"])
        #expect(!allSix.lists(four) && allSix.lists(six))
    }
}
