/// One Authentication-Results field (RFC 8601, 2.2), read strictly: what is not well formed says nothing.
struct AuthenticationResults {
    /// The name of the server that wrote it, as far as its word goes.
    var authority: String
    var results: [Result]

    /// Nil for a field that cannot be read, or is of a version that is not known.
    init?(_ field: String) {
        guard let statements = Self.statements(in: field), let first = statements.first,
            let name = first.first, !name.isEmpty, first.dropFirst().allSatisfy({ $0 == "1" }),
            first.count <= 2
        else { return nil }
        authority = name
        results = statements.dropFirst().compactMap(Result.init)
    }

    /// What one method has found out.
    struct Result {
        /// In lower case, as is `value`.
        var method: String
        var value: String
        /// The domain that it is about, canonical; nil where that is not said.
        var domain: String?

        fileprivate init?(_ words: [String]) {
            guard let first = words.first, let (name, value) = Self.pair(first) else { return nil }
            // A method may have a version, too.
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 1 || (parts.count == 2 && parts[1] == "1") else { return nil }
            method = String(parts[0])
            self.value = value.lowercased()
            guard (1...20).contains(method.utf8.count), (1...20).contains(value.utf8.count) else {
                return nil
            }
            var properties: [String: String] = [:]
            for word in words.dropFirst() {
                guard let (name, value) = Self.pair(word), properties[name] == nil else { continue }
                properties[name] = value
            }
            let names =
                switch method {
                case "dkim": ["header.d", "header.i"]
                // Yandex writes smtp.mail.
                case "spf": ["smtp.mailfrom", "smtp.mail", "smtp.helo"]
                default: ["header.from"]
                }
            let about = names.lazy.compactMap { properties[$0] }.first { !$0.isEmpty }
            domain = about.flatMap { text in
                guard let last = text.split(separator: "@").last, last.utf8.count <= 255 else { return nil }
                return CanonicalAddress.canonicalDomain(String(last))
            }
        }

        private static func pair(_ word: String) -> (name: String, value: String)? {
            guard let equals = word.firstIndex(of: "=") else { return nil }
            return (word[..<equals].lowercased(), String(word[word.index(after: equals)...]))
        }

        /// For people.
        var text: String { "\(method)=\(value)" + (domain.map { " (\($0))" } ?? "") }
    }

    /// The field's statements, each as its words. Comments are left out, and so is white space around `=`, `.` and
    /// `/`, which may stand there. Nil when a comment or a quotation does not end.
    private static func statements(in field: String) -> [[String]]? {
        var reader = Reader()
        for scalar in field.unicodeScalars { reader.take(scalar) }
        return reader.finish()
    }

    private struct Reader {
        private var statements: [[String]] = [[]]
        private var word = ""
        /// The word has its `=`; what follows is a value, whose dots and strokes join nothing.
        private var hasEquals = false
        private var hasValue = false
        /// White space or a comment has come since the word's last character.
        private var isInterrupted = false
        private var depth = 0
        private var isQuoted = false
        private var isEscaped = false

        mutating func take(_ scalar: Unicode.Scalar) {
            if isEscaped {
                isEscaped = false
                if depth == 0 { word.unicodeScalars.append(scalar) }
                return
            }
            switch scalar {
            case "\\" where isQuoted || depth > 0: isEscaped = true
            case "\"" where depth == 0:
                if !isQuoted { begin() }
                isQuoted.toggle()
            case _ where isQuoted: word.unicodeScalars.append(scalar)
            case "(":
                depth += 1
                isInterrupted = true
            case ")" where depth > 0: depth -= 1
            case _ where depth > 0: break
            case ";":
                endWord()
                statements.append([])
            case _ where scalar.properties.isWhitespace: isInterrupted = true
            case "=" where !hasEquals && !word.isEmpty:
                word.unicodeScalars.append(scalar)
                isInterrupted = false
                hasEquals = true
            case "." where !hasEquals, "/" where !hasEquals:
                word.unicodeScalars.append(scalar)
                isInterrupted = false
            default:
                begin()
                word.unicodeScalars.append(scalar)
            }
        }

        mutating func finish() -> [[String]]? {
            guard depth == 0, !isQuoted, !isEscaped else { return nil }
            endWord()
            return statements
        }

        /// A character comes: of this word, unless it has ended.
        private mutating func begin() {
            if isInterrupted {
                let isOpen = hasEquals ? !hasValue : word.last.map { $0 == "." || $0 == "/" } ?? true
                if !isOpen { endWord() }
            }
            isInterrupted = false
            hasValue = hasEquals
        }

        private mutating func endWord() {
            if !word.isEmpty { statements[statements.count - 1].append(word) }
            word = ""
            hasEquals = false
            hasValue = false
            isInterrupted = false
        }
    }
}
