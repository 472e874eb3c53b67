import CXML2
import MailModel

/// The file that a domain puts up for mail programs, in the form that Thunderbird reads
/// (`config-v1.1.xml`). Whoever answers for the domain wrote it: every value is judged before it is used.
struct AutoconfigDocument {
    struct Server: Hashable {
        var type: String
        var host: String
        var port: UInt16
        var security: TransportSecurity
        var login: String
    }

    /// In the order of the file, which is that of preference; only those with TLS.
    private(set) var servers: [Server] = []

    /// Nil for what is no such file. Definitions of entities are none of it, and make it unreadable.
    init?(_ bytes: [UInt8], for address: EmailAddress) {
        let options = XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
        let document = bytes.withUnsafeBytes {
            xmlReadMemory(
                $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: bytes.count), nil, nil,
                Int32(options))
        }
        guard let document else { return nil }
        defer { xmlFreeDoc(document) }
        guard document.pointee.intSubset == nil, let root = xmlDocGetRootElement(document),
            Self.name(root) == "clientConfig",
            let provider = Self.children(of: root).first(where: { Self.name($0) == "emailProvider" })
        else { return nil }
        for element in Self.children(of: provider)
        where ["incomingServer", "outgoingServer"].contains(Self.name(element)) {
            if let server = Self.server(element, for: address) { servers.append(server) }
        }
    }

    /// The first server of a type that may be connected to.
    func endpoint(_ type: String, isPortOpen: (UInt16) -> Bool) -> (ServerEndpoint, login: String)? {
        servers.first { $0.type == type && isPortOpen($0.port) }.map {
            (ServerEndpoint(host: $0.host, port: $0.port, security: $0.security), $0.login)
        }
    }

    private static func server(_ element: xmlNodePtr, for address: EmailAddress) -> Server? {
        var values: [String: String] = [:]
        for child in children(of: element) where values[name(child)] == nil {
            values[name(child)] = filled(text(child), for: address)
        }
        let securities: [String: TransportSecurity] = ["SSL": .tls, "STARTTLS": .starttls]
        guard let type = attribute("type", of: element), let host = values["hostname"], isHostName(host),
            let port = values["port"].flatMap({ UInt16($0) }), port > 0,
            let security = securities[values["socketType"] ?? ""]
        else { return nil }
        let login = values["username"] ?? ""
        let isUsable =
            !login.isEmpty && login.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
        return Server(
            type: type, host: DomainName.canonical(host), port: port, security: security,
            login: isUsable ? login : address.addrSpec)
    }

    private static func filled(_ text: String, for address: EmailAddress) -> String {
        text.replacing("%EMAILADDRESS%", with: address.addrSpec)
            .replacing("%EMAILLOCALPART%", with: address.localPart)
            .replacing("%EMAILDOMAIN%", with: address.domain)
    }

    private static func isHostName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    // MARK: libxml2's tree

    private static func children(of node: xmlNodePtr) -> [xmlNodePtr] {
        var elements: [xmlNodePtr] = []
        var next = node.pointee.children
        while let child = next {
            if child.pointee.type == XML_ELEMENT_NODE { elements.append(child) }
            next = child.pointee.next
        }
        return elements
    }

    private static func name(_ node: xmlNodePtr) -> String {
        node.pointee.name.map { String(cString: $0) } ?? ""
    }

    private static func attribute(_ name: String, of node: xmlNodePtr) -> String? {
        var next = node.pointee.properties
        while let attribute = next {
            if attribute.pointee.name.map({ String(cString: $0) }) == name {
                return content(attribute.pointee.children)
            }
            next = attribute.pointee.next
        }
        return nil
    }

    private static func text(_ node: xmlNodePtr) -> String {
        let text = content(node.pointee.children)
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }

    /// The text among nodes that stand beside each other.
    private static func content(_ first: xmlNodePtr?) -> String {
        var text = ""
        var next = first
        while let node = next {
            if node.pointee.type == XML_TEXT_NODE || node.pointee.type == XML_CDATA_SECTION_NODE,
                let content = node.pointee.content
            {
                text += String(cString: content)
            }
            next = node.pointee.next
        }
        return text
    }
}
