import CCurl
import Glibc
import MailModel

/// Judges each address that a name resolved to, before a socket to it exists.
///
/// Belongs to one libcurl handle and to the loop's thread, where libcurl calls it.
final class SocketGate {
    private let allowedNetworks: NetworkAllowList
    private let security: TransportSecurity
    private let port: UInt16?
    private var hadPermittedAddress = false

    /// The address that the allow-list refused, unless the name has led to another, permitted one.
    private(set) var refusedAddress: String?
    /// Whether the port alone was the reason.
    private(set) var refusedPort = false
    private(set) var lacksDescriptors = false

    /// - Parameter port: of the mail server, also where a proxy stands before it; nil for a web service.
    init(allowedNetworks: NetworkAllowList, security: TransportSecurity, port: UInt16? = nil) {
        self.allowedNetworks = allowedNetworks
        self.security = security
        self.port = port
    }

    /// Puts the gate before every socket of the handle, which must not outlive it.
    func install(on easy: UnsafeMutableRawPointer) -> CURLcode {
        let code = mw_easy_set_open_socket(easy, Self.openSocket)
        guard code == CURLE_OK else { return code }
        return mw_easy_set_pointer(easy, CURLOPT_OPENSOCKETDATA, Unmanaged.passUnretained(self).toOpaque())
    }

    private static let openSocket: curl_opensocket_callback = { context, _, target in
        guard let context, let target else { return curl_socket_t(-1) }
        return Unmanaged<SocketGate>.fromOpaque(context).takeUnretainedValue().open(target)
    }

    private func open(_ target: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        let family = target.pointee.family
        let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr)!
        let address = IPAddress(family: family, socketAddress: UnsafeRawPointer(target) + offset)
        guard let address, allowedNetworks.permits(address, security: security, port: port) else {
            if !hadPermittedAddress {
                refusedAddress = address?.text ?? "(unknown)"
                refusedPort = address.map { allowedNetworks.permits($0, security: security) } ?? false
            }
            return -1
        }
        hadPermittedAddress = true
        refusedAddress = nil
        refusedPort = false
        let socket = Glibc.socket(
            family, target.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), target.pointee.protocol)
        if socket < 0, errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM {
            lacksDescriptors = true
        }
        return socket
    }
}
