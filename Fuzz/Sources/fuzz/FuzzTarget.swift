/// One entry into the parser, and what must hold behind it for any bytes.
struct FuzzTarget: Sendable {
    let name: String
    let summary: String
    /// Inputs are not longer than this: what matters shows in short ones, and they run faster.
    let maximumLength: Int
    /// Reads one input; a broken promise stops the process, as a crash does.
    let run: @Sendable (UnsafeRawBufferPointer) -> Void

    static let all: [FuzzTarget] = [
        mimetic, headers, words, bodies, message, tnef, calendar, vcard, cms,
    ]
}

/// Stops the process when a promise is broken: libFuzzer keeps the input.
func promise(_ holds: Bool, _ what: @autoclosure () -> String, line: UInt = #line) {
    if !holds { fatalError("broken promise (line \(line)): \(what())") }
}
