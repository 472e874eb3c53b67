/// A conversation in a text file, with what a client must make of it: fixture and expectation in one.
///
/// Line by line: `# why` comments; `@opening CAPABILITIES`, `@examined CAPABILITIES` (opening and
/// EXAMINE), `@connection` (here begins a further one), `@done` (the end of IDLE), `@drip MS BYTES`, `@stall`,
/// `@close`, `@reset`; `C: COMMAND` expects; `S: LINE` sends with CRLF; `S- BYTES` sends without; `S*N BYTES`
/// sends N times without; `= WORDS` says what is to come out. In sent text `\r`, `\n`, `\0`, `\\` and `\xNN`
/// are escapes, and `$T`, `$1`... tags as in `IMAPScript`.
public struct Transcript: Sendable {
    public struct Malformed: Error, CustomStringConvertible {
        public let description: String
    }

    /// One for each connection.
    public var scripts: [IMAPScript] = [IMAPScript([])]
    /// The words behind each `=`, in order.
    public var expectations: [String] = []
    /// The comment at the top: why it exists.
    public var reason = ""

    public init(_ text: String) throws {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let last = scripts.count - 1
            func malformed(_ why: String) -> Malformed { Malformed(description: "line \(index + 1): \(why)") }
            if line.isEmpty { continue }
            if line.hasPrefix("#") {
                if scripts.count == 1, scripts[0].steps.isEmpty {
                    reason += line.dropFirst().drop { $0 == " " } + " "
                }
            } else if line.hasPrefix("= ") {
                expectations.append(String(line.dropFirst(2)))
            } else if line.hasPrefix("@") {
                let words = line.dropFirst().split(separator: " ", maxSplits: 1)
                let rest = words.count > 1 ? String(words[1]) : "IMAP4rev1"
                switch words.first {
                case "connection": scripts.append(IMAPScript([]))
                case "opening": scripts[last].steps.append(.opening(capabilities: rest))
                case "examined": scripts[last].steps += IMAPScript.examined(capabilities: rest, []).steps
                case "drip":
                    let words = rest.split(separator: " ", maxSplits: 1)
                    guard words.count == 2, let pause = Int(words[0]), let bytes = Self.unescaped(words[1])
                    else { throw malformed("@drip MILLISECONDS BYTES") }
                    scripts[last].steps.append(.drip(bytes, everyMilliseconds: pause))
                case "done": scripts[last].steps.append(.expectDone)
                case "stall": scripts[last].steps.append(.stall)
                case "close": scripts[last].steps.append(.close)
                case "reset": scripts[last].steps.append(.reset)
                default: throw malformed("unknown directive")
                }
            } else if line.hasPrefix("C: ") {
                scripts[last].steps.append(.expect(String(line.dropFirst(3))))
            } else if line.hasPrefix("S: ") {
                guard let bytes = Self.unescaped(line.dropFirst(3)) else { throw malformed("bad escape") }
                scripts[last].steps.append(.sendBytes(bytes + [0x0D, 0x0A]))
            } else if line.hasPrefix("S- ") {
                guard let bytes = Self.unescaped(line.dropFirst(3)) else { throw malformed("bad escape") }
                scripts[last].steps.append(.sendBytes(bytes))
            } else if line.hasPrefix("S*") {
                let words = line.dropFirst(2).split(separator: " ", maxSplits: 1)
                guard words.count == 2, let count = Int(words[0]), let bytes = Self.unescaped(words[1]) else {
                    throw malformed("S*N BYTES")
                }
                scripts[last].steps.append(.repeatBytes(bytes, count))
            } else {
                throw malformed("neither C, S, @, = nor #")
            }
        }
        guard scripts.allSatisfy({ !$0.steps.isEmpty }), !expectations.isEmpty else {
            throw Malformed(description: "a transcript without steps or without expectations proves nothing")
        }
    }

    private static func unescaped(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "0"): bytes.append(0)
            case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "x"):
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: return nil
            }
        }
        return bytes
    }
}
