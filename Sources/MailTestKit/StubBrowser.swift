public import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A user who allows every access: goes where an authorization request wants its browser sent back.
public enum StubBrowser {
    /// The address that the browser would be sent to after the consent; nil when the request lacks its
    /// redirect address or its state.
    public static func consent(to address: String, code: String = "marker-code") -> URL? {
        let items = URLComponents(string: address)?.queryItems ?? []
        func value(_ name: String) -> String? { items.first { $0.name == name }?.value }
        guard let redirect = value("redirect_uri"), let state = value("state") else { return nil }
        return URL(string: "\(redirect)?state=\(state)&code=\(code)")
    }

    /// Fetches a page of a server on loopback; nil when there is none.
    public static func visit(_ page: URL) -> String? {
        guard let port = page.port else { return nil }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { return nil }
        let request = Array(
            "GET \(page.path)?\(page.query ?? "") HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n".utf8)
        _ = send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
