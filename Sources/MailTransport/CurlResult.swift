import CCurl
import MailModel

/// The one place where libcurl's result codes become failures.
struct CurlResult {
    var code: CURLcode
    var mailProtocol: MailProtocol
    var endpoint: ServerEndpoint
    /// libcurl's own sentence about this failure; may be empty.
    var explanation = ""
    /// The server's refusing replies; may be empty.
    var refusals = ""
    /// The address that the allow-list kept the socket from, if that is what happened.
    var refusedAddress: String?
    /// The address itself would have been permitted.
    var refusedPort = false
    var usedProxy = false

    private var place: String { "\(endpoint.host):\(endpoint.port)" }

    private var detail: String {
        var words = refusals.isEmpty ? explanation : refusals
        // The remedy follows as a sentence of its own.
        while words.last == "." || words.last == " " { words.removeLast() }
        return words.isEmpty ? place : "\(place): \(words)"
    }

    /// Meaningless for `CURLE_OK` and `CURLE_AGAIN`, which are not failures.
    var failure: MailFailure {
        if refusedPort {
            return MailFailure(
                .portNotAllowed, kind: .needsPerson, "The server's port is none that mail servers have",
                detail: place,
                remedy: "Correct the port, or have the administrator add it to [network] ports.")
        }
        if let refusedAddress {
            return MailFailure(
                .addressNotAllowed, kind: .needsPerson,
                endpoint.security == .none
                    ? "A connection without TLS is allowed to listed networks only"
                    : "The server's or proxy's address is neither on the public internet nor on the allow-list",
                detail: "\(place): \(refusedAddress)",
                remedy: "Correct the host name, or have the administrator add the network to [network] allow."
            )
        }
        // libcurl reports a tunnel that the proxy refuses like any lost connection.
        if usedProxy, explanation.hasPrefix("CONNECT tunnel") || explanation.contains("SOCKS") {
            return proxyFailure
        }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return MailFailure(
                .unknownHost, kind: .needsPerson, "The server's host name is unknown", detail: place,
                remedy: "Check the host name for typing errors, and that name lookup works on this machine.")
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY:
            return proxyFailure
        case CURLE_COULDNT_CONNECT:
            return usedProxy ? proxyFailure : refusedConnection
        case CURLE_OPERATION_TIMEDOUT:
            return Self.timedOut(detail: detail)
        case CURLE_LOGIN_DENIED, CURLE_AUTH_ERROR, CURLE_REMOTE_ACCESS_DENIED:
            return ServerRefusal(ofSignIn: refusals).failure(detail: detail)
        case CURLE_USE_SSL_FAILED:
            return MailFailure(
                .tlsRefused, kind: .needsPerson,
                "The server does not offer the TLS that is required; the password was not sent",
                detail: detail,
                remedy: "Use security tls with the TLS port (993 for IMAP, 465 for SMTP). If STARTTLS worked"
                    + " before, somebody on the way may be stripping it.")
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            return MailFailure(
                .certificate, kind: .needsPerson, "The server has another key than the one that is pinned",
                detail: place,
                remedy: "Ask the server's administrator whether its key was changed, and for the new pin:"
                    + " mailworker account edit NAME --pin sha256/…; if it was not, somebody is in between.")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            return MailFailure(
                .certificate, kind: .needsPerson, "The server's certificate could not be verified",
                detail: detail,
                remedy: "Check that the host name is the one in the certificate; for a private certificate"
                    + " authority set the account's CA file, for a self-signed certificate its pin.")
        case CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CRL_BADFILE:
            return MailFailure(
                .caFile, kind: .needsPerson, "The CA file could not be read", detail: detail,
                remedy: "Set it to a readable PEM file of certificates.")
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_INITFAILED:
            return MailFailure(
                .tlsFailed, kind: .needsPerson, "No TLS connection could be made", detail: detail,
                remedy: "Check that the port is the TLS port and that the server speaks TLS 1.2 or newer; a"
                    + " plain or STARTTLS port (143, 587) needs security starttls.")
        case CURLE_WEIRD_SERVER_REPLY:
            if let refusal = ServerRefusal(reading: refusals) { return refusal.failure(detail: detail) }
            // The goodbye of a server that takes no connection now (RFC 9051, 7.1.5; RFC 5321, 4.2.1).
            if refusals.hasPrefix(mailProtocol == .imap ? "BYE" : "4") { return refusedConnection }
            return MailFailure(
                .notAMailServer, kind: .needsPerson, "The other side does not answer like a mail server",
                detail: detail, remedy: "Check host, port and security: a TLS port needs security tls.")
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE:
            if let refusal = ServerRefusal(reading: refusals) { return refusal.failure(detail: detail) }
            return Self.lost(detail: detail)
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT, CURLE_UNRECOVERABLE_POLL:
            return MailFailure(
                .systemResources, kind: .transient,
                "The system lacked memory or descriptors for a connection",
                detail: detail, remedy: "Raise the limit on open files, or poll fewer accounts at once.")
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT,
            CURLE_UNKNOWN_OPTION, CURLE_NOT_BUILT_IN:
            return MailFailure(
                .badSettings, kind: .needsPerson, "The connection settings are not usable", detail: detail,
                remedy: "Check host, port and proxy.")
        default:
            return MailFailure(
                .connectionLost, kind: .transient, "The connection failed",
                detail: "\(detail) (libcurl \(code.rawValue))", remedy: "It is tried again later by itself.")
        }
    }

    private var proxyFailure: MailFailure {
        MailFailure(
            .proxyFailed, kind: .needsPerson, "The proxy did not connect to the server", detail: detail,
            remedy: "Check the proxy's address and password, and that it may reach the server's port.")
    }

    private var refusedConnection: MailFailure {
        MailFailure(
            .connectionRefused, kind: .transient, "The server did not accept a connection", detail: detail,
            remedy: "Check host and port; if they are right the server is down or a firewall is in the way.")
    }

    static func timedOut(detail: String) -> MailFailure {
        MailFailure(
            .timedOut, kind: .transient, "The server did not answer in time", detail: detail,
            remedy: "It is tried again later; if it stays so, check port and firewall or raise the timeout.")
    }

    static func lost(detail: String) -> MailFailure {
        MailFailure(
            .connectionLost, kind: .transient, "The connection to the server was lost", detail: detail,
            remedy: "It is tried again later by itself.")
    }
}
