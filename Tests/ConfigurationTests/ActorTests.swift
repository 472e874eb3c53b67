import Testing

@testable import mailworker

struct ActorTests {
    private func actor(
        _ environment: [String: String], account: String = "root", login: String? = nil
    ) -> Actor {
        Actor(
            account: account, login: login, terminal: "/dev/pts/1", environment: environment,
            isUser: { ["alice", "root", "mailworker"].contains($0) })
    }

    @Test func whatTheEnvironmentSaysStandsBesideTheAccountAndNeverInsteadOfIt() {
        let lying = actor(["SUDO_USER": "alice", "SSH_CONNECTION": "203.0.113.9 1 192.0.2.1 22"])
        #expect(lying.person == "root" && lying.systemUser == "root (sudo by alice)")
        #expect(lying.origin == "ssh from 203.0.113.9")
        let service = actor(["SUDO_USER": "root"], account: "mailworker")
        #expect(service.person == "mailworker" && service.systemUser == "mailworker (sudo by root)")
    }

    @Test func whoSignedInIsTheKernelsWord() {
        let known = actor(["SUDO_USER": "alice"], login: "boris")
        #expect(known.person == "boris" && known.systemUser == "root (signed in as boris, sudo by alice)")
        let plain = actor(["SUDO_USER": "alice"], login: "alice")
        #expect(plain.person == "alice" && plain.systemUser == "root (signed in as alice)")
        #expect(actor([:], login: "root").systemUser == "root")
    }

    @Test(arguments: [
        "203.0.113.9\u{1B}]0;owned\u{07} 1 2", "", " ", "localhost 1 2", "203.0.113.9.9 1 2",
        "fe80::1%\u{1B}[2J 1 2",
        "%eth0 1 2",
    ])
    func whatIsNoAddressIsNoOrigin(connection: String) {
        #expect(actor(["SSH_CONNECTION": connection]).origin == "/dev/pts/1")
    }

    @Test(arguments: ["2001:db8::9", "fe80::1%eth0", "203.0.113.9"])
    func anAddressIsTheOrigin(address: String) {
        #expect(actor(["SSH_CONNECTION": address + " 1 2 3"]).origin == "ssh from " + address)
    }

    @Test(arguments: ["nobody-here", "al\u{1B}ice", ""])
    func whoIsNoUserCameByNoSudo(name: String) {
        #expect(actor(["SUDO_USER": name]).systemUser == "root")
    }
}
