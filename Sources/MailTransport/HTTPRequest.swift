public import MailModel

/// One request to a web service: HTTPS with a verified certificate, no redirects, no cookies, and an
/// answer of bounded size.
///
/// Printing a value shows neither its form nor its URL, which may both hold secrets.
public struct HTTPRequest: Sendable {
    /// `https://…`; `http://…` reaches networks on the allow-list only.
    public var url: String
    /// Sent as `application/x-www-form-urlencoded` in a POST; nil makes it a GET.
    public var form: [(name: String, value: Secret)]?
    /// Trusted beside the system's certificate authorities; nil for the system's alone.
    public var caFile: String?
    /// As `ConnectionSettings.proxy`.
    public var proxy: String?
    /// Seconds for all of it.
    public var timeoutSeconds = 30
    public var allowedNetworks = NetworkAllowList.publicOnly
    /// A longer answer is a failure, and no more of it than this is read.
    public var responseLimit = 64 << 10

    public init(url: String, form: [(name: String, value: Secret)]? = nil) {
        self.url = url
        self.form = form
    }

    /// The endpoint for failures: scheme, host and port, without path and query.
    /// - Throws: `bad-settings` for what is no plain HTTP URL.
    func endpoint() throws(MailFailure) -> ServerEndpoint {
        let schemes: [(String, TransportSecurity, UInt16)] = [
            ("https://", .tls, 443), ("http://", .none, 80),
        ]
        for (scheme, security, standardPort) in schemes where url.lowercased().hasPrefix(scheme) {
            let authority = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
            let pieces = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let host = pieces.first, !host.isEmpty, !authority.contains("@"),
                url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !url.contains("\\"),
                let port = pieces.count == 2 ? UInt16(pieces[1]) : standardPort
            else { break }
            return ServerEndpoint(host: String(host), port: port, security: security)
        }
        throw MailFailure(
            .badSettings, kind: .needsPerson, "The address of a web service is not usable",
            remedy: "Write it as https://HOST/PATH, without a user name in it.")
    }

    /// The form as it is sent (WHATWG URL, 5.2); nil for a GET.
    var body: Secret? {
        guard let form else { return nil }
        return Secret(
            form.map { name, value in
                value.withRevealed { "\(Self.escaped(name))=\(Self.escaped($0))" }
            }.joined(separator: "&"))
    }

    /// Percent-encodes everything but the unreserved characters of RFC 3986, 2.3.
    public static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                escaped.append(byte)
            default:
                escaped += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}

extension HTTPRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(web request)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What a web service answered, whatever its status. Its body may hold secrets.
public struct HTTPResponse: Sendable {
    public var status: Int
    public var body: [UInt8]
}

extension NetworkLoop {
    /// Sends a request and waits for the whole answer; every status counts as one.
    ///
    /// - Throws: a failure of `CurlResult`'s table; `answer-too-large`; `timed-out`; `cancelled`.
    nonisolated(nonsending) public func send(
        _ request: HTTPRequest
    ) async throws(MailFailure) -> HTTPResponse {
        let exchange = LoopExchange(request: request, endpoint: try request.endpoint())
        return try await mailbox.wait(onCancel: .exchangeCancelled(exchange)) { .exchange(exchange, $0) }
            .get()
    }
}
