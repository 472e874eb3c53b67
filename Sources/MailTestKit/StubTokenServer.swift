import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// An OAuth 2.0 authorization server on a free loopback port, over plain HTTP: token endpoint, device flow,
/// and the introspection (RFC 7662) that a mail server asks.
///
/// It is no judge of requests: it hands out numbered tokens, notes what it was sent, and does what a test
/// tells it to.
public final class StubTokenServer: Sendable {
    /// One request, with the parameters of its form or query.
    public struct Request: Sendable {
        public var path: String
        public var parameters: [String: String]
    }

    private struct State {
        var requests: [Request] = []
        var planned: [(status: Int, body: String)] = []
        var issued = 0
        var revoked: Set<String> = []
        var lifetime = 3_600
        var rotates = false
        var deviceAnswersLeft = 0
    }

    public let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    /// - Throws: when no port can be had.
    public init() throws {
        let socket = try LoopbackListener(backlog: 64)
        listener = socket.descriptor
        port = socket.port
        Thread.detachNewThread { self.acceptAll() }
    }

    public func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    public func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

    // MARK: What it does

    /// Answers the next requests to the token endpoint like this, one after the other.
    public func answer(_ status: Int, _ body: String) {
        state.withLock { $0.planned.append((status, body)) }
    }

    /// From now on each refresh brings a new refresh token and revokes the old one.
    public func rotateRefreshTokens() { state.withLock { $0.rotates = true } }

    /// The lifetime in seconds that it states from now on.
    public func setLifetime(_ seconds: Int) { state.withLock { $0.lifetime = seconds } }

    /// An access token is refused by the mail server, and a refresh token by the token endpoint.
    public func revoke(_ token: String) { state.withLock { _ = $0.revoked.insert(token) } }

    /// Says so often that the user of a device flow has not answered yet.
    public func keepDeviceWaiting(times: Int) { state.withLock { $0.deviceAnswersLeft = times } }

    // MARK: What happened

    public var requests: [Request] { state.withLock { $0.requests } }

    /// The parameters of each request to the token endpoint.
    public var tokenRequests: [[String: String]] {
        requests.filter { $0.path == "/token" }.map(\.parameters)
    }

    /// The access token handed out last.
    public var lastAccessToken: String { state.withLock { "marker-access-\($0.issued)" } }

    // MARK: Answers

    private func respond(to request: Request) -> (status: Int, body: String) {
        state.withLock { state in
            state.requests.append(request)
            let parameters = request.parameters
            switch request.path {
            case "/token":
                if !state.planned.isEmpty { return state.planned.removeFirst() }
                if parameters["grant_type"]?.hasSuffix("device_code") == true, state.deviceAnswersLeft > 0 {
                    state.deviceAnswersLeft -= 1
                    return (400, #"{"error":"authorization_pending"}"#)
                }
                return token(parameters, &state)
            case "/device":
                return (
                    200,
                    #"{"device_code":"marker-device","user_code":"ABCD-EFGH","#
                        + #""verification_uri":"https://id.example/device","expires_in":600,"interval":1}"#
                )
            case "/introspect":
                let token = parameters["token"] ?? ""
                let isActive = token.hasPrefix("marker-access-") && !state.revoked.contains(token)
                return (
                    isActive ? 200 : 401, #"{"active":\#(isActive),"username":"anna"}"#
                )
            default: return (404, "{}")
            }
        }
    }

    private func token(_ parameters: [String: String], _ state: inout State) -> (status: Int, body: String) {
        let refresh = parameters["refresh_token"]
        if let refresh, state.revoked.contains(refresh) {
            return (400, #"{"error":"invalid_grant","error_description":"\#(refresh) was revoked"}"#)
        }
        state.issued += 1
        var body =
            #"{"access_token":"marker-access-\#(state.issued)","token_type":"Bearer","#
            + #""expires_in":\#(state.lifetime)"#
        if refresh == nil || state.rotates {
            body += #","refresh_token":"marker-refresh-\#(state.issued)""#
            if let refresh { state.revoked.insert(refresh) }
        }
        return (200, body + "}")
    }

    // MARK: HTTP

    private func acceptAll() {
        while true {
            let descriptor = accept(listener, nil, nil)
            if descriptor < 0 {
                if errno == EINTR { continue }
                break
            }
            Thread.detachNewThread { self.serve(descriptor) }
        }
        close(listener)
    }

    private func serve(_ descriptor: Int32) {
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            if let request = Self.request(bytes) {
                let (status, body) = respond(to: request)
                let response = Array(
                    ("HTTP/1.1 \(status) Answer\r\nContent-Type: application/json\r\n"
                        + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)").utf8)
                _ = send(descriptor, response, response.count, Int32(MSG_NOSIGNAL))
                return
            }
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return }
            bytes += chunk[..<count]
        }
    }

    /// Nil until all of it is there.
    private static func request(_ bytes: [UInt8]) -> Request? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let length =
            lines.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
        let body = text[end.upperBound...]
        guard body.utf8.count >= length else { return nil }
        let words = lines[0].split(separator: " ")
        guard words.count == 3, let target = URLComponents(string: String(words[1])) else { return nil }
        var parameters: [String: String] = [:]
        for query in [target.percentEncodedQuery ?? "", String(body)] {
            for pair in query.split(separator: "&") {
                let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
                guard let name = halves.first else { continue }
                parameters[name] = (halves.count > 1 ? halves[1] : "").removingPercentEncoding
            }
        }
        return Request(path: target.path, parameters: parameters)
    }
}
