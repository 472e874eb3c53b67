import Foundation

/// The one JSON document of `--json`, and the lines of `--jsonl`.
enum JSONOutput {
    static func document(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return escaped(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return escaped(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// The encoder escapes C0 only. The other characters that steer a terminal stand in
    /// strings alone, where an escape says the same.
    private static func escaped(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: Terminal.isUnsafe) else { return json }
        var text = ""
        for scalar in json.unicodeScalars {
            if Terminal.isUnsafe(scalar) {
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
