/// A password or token. Printing, interpolating, dumping or encoding one shows
/// nothing; the only way to the value is `withRevealed`.
public struct Secret: Sendable, Hashable {
    private let value: String

    public init(_ value: String) { self.value = value }

    public var isEmpty: Bool { value.isEmpty }

    public func withRevealed<Result>(_ body: (String) throws -> Result) rethrows -> Result {
        try body(value)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
