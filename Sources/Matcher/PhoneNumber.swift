/// A telephone number in the form in which numbers are compared: its digits, with the
/// country's code where it can be told.
public struct PhoneNumber: Hashable, Sendable {
    public let digits: String

    /// Nil unless the text has 7 to 15 digits (E.164 allows 15).
    public init?(_ text: some StringProtocol) {
        var digits = text.unicodeScalars.compactMap { $0.properties.numericType == .decimal ? $0 : nil }
            .compactMap { $0.properties.numericValue.map { UInt8($0) + UInt8(ascii: "0") } }
        var hasCountry = text.first { $0 == "+" || $0.isNumber } == "+"
        if digits.starts(with: Array("00".utf8)) {
            digits.removeFirst(2)
            hasCountry = true
        }
        // Within Russia people write 8 for the country's code, or leave a mobile number without one.
        if !hasCountry {
            if digits.count == 11, digits.first == UInt8(ascii: "8") { digits[0] = UInt8(ascii: "7") }
            if digits.count == 10, digits.first == UInt8(ascii: "9") {
                digits.insert(UInt8(ascii: "7"), at: 0)
            }
        }
        guard (7...15).contains(digits.count) else { return nil }
        self.digits = String(decoding: digits, as: UTF8.self)
    }

    /// As it is dialled from anywhere, where the country's code is known.
    public var text: String { digits.utf8.count > 10 ? "+" + digits : digits }

    /// The numbers in those lines of a signature that say so, with a word or a plus sign: others hold a company's
    /// numbers at the tax office and at its bank.
    public static func named(in signature: String) -> [PhoneNumber] {
        let words = ["тел", "моб", "факс", "phone", "tel", "mob", "cell", "whatsapp", "telegram", "viber"]
        return signature.split(separator: "\n").filter { line in
            let line = line.lowercased()
            return line.contains("+") || words.contains { line.contains($0) }
        }.flatMap { all(in: String($0)) }
    }

    /// The numbers that stand in a text, each once: ten digits or more, with what people
    /// write between them.
    public static func all(in text: String, limit: Int = 10) -> [PhoneNumber] {
        var found: [PhoneNumber] = []
        var run = ""
        func finish() {
            defer { run = "" }
            guard run.count(where: \.isNumber) >= 10, found.count < limit, let number = PhoneNumber(run),
                !found.contains(number)
            else { return }
            found.append(number)
        }
        for character in text {
            if character.isASCII, character.isNumber || " ()-+.".contains(character) {
                run.append(character)
            } else if character == "\u{A0}" || character == "\u{2011}" || character == "–" {
                run.append(" ")
            } else {
                finish()
            }
        }
        finish()
        return found
    }
}
