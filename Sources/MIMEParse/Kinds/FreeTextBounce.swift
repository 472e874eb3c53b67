import MailModel

/// Finds in a bounce's own words who did not get the message, and why.
///
/// Only a message that a mail system sent is asked: the same words in a person's mail say
/// nothing. Works on lines, one pass, and reads no further than the first 64 KB.
struct FreeTextBounce {
    private static let maximumText = 64 << 10
    private static let maximumRecipients = 100
    private static let maximumDiagnostic = 1000

    private struct Line {
        var text: String
        var lowercased: String
    }

    private let lines: [Line]
    private let subject: String
    private let notRecipients: Set<String>
    private let failedRecipients: [String]

    /// Nil when the words are not those of a bounce, or no address stands anywhere: most mail that a program sends is
    /// no bounce, and is not taken apart.
    ///
    /// `failedRecipients` is what an X-Failed-Recipients field names (Exim, Gmail).
    init?(message: ParsedMessage, failedRecipients: [String]) {
        let text = String(decoding: (message.text ?? "").utf8.prefix(Self.maximumText), as: UTF8.self)
        guard !failedRecipients.isEmpty || text.utf8.contains(Octet.at) else { return nil }
        subject = Self.folded(message.subject ?? "")
        guard Self.speaksOfOne(Self.folded(text), subject: subject) else { return nil }
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { Line(text: String($0), lowercased: Self.folded($0)) }
        notRecipients = Set((message.from + message.to).map(\.address.lowercased))
        self.failedRecipients = failedRecipients
    }

    /// In lower case, and with е for ё, as the phrases stand.
    private static func folded(_ text: some StringProtocol) -> String {
        let lower = text.lowercased()
        guard lower.contains(octetsOf: "ё") else { return lower }
        return String(lower.map { $0 == "ё" ? "е" : $0 })
    }

    private static func speaksOfOne(_ text: String, subject: String) -> Bool {
        BouncePhrases.subjects.contains { subject.contains(octetsOf: $0) }
            || BouncePhrases.openings.contains { text.contains(octetsOf: $0) }
    }

    enum CodeNeed {
        case none
        /// A reply code or status code beside the recipient.
        case besideRecipient
        /// That, or a status code anywhere where there is one recipient.
        case anywhere
    }

    /// Nil when the words are not those of a bounce, name nobody, or lack the code needed.
    func report(_ need: CodeNeed) -> DeliveryReport? {
        let quote = lines.firstIndex { Self.startsQuote($0.lowercased) } ?? lines.count
        let opening = lines[..<quote].firstIndex { line in
            BouncePhrases.openings.contains { line.lowercased.contains(octetsOf: $0) }
        }
        guard opening != nil || BouncePhrases.subjects.contains(where: { subject.contains(octetsOf: $0) })
        else {
            return nil
        }
        let isDelayed =
            lines[..<quote].contains { line in
                BouncePhrases.delays.contains { line.lowercased.contains(octetsOf: $0) }
            }
            || BouncePhrases.delays.contains { subject.contains(octetsOf: $0) }
        // A sentence in front of the opening may name the reporting server's postmaster.
        var recipients = recipients(in: (opening ?? 0)..<quote)
        if recipients.isEmpty, let opening { recipients = self.recipients(in: 0..<opening) }
        for address in failedRecipients where recipients.count < Self.maximumRecipients {
            if !recipients.contains(where: { $0.address.lowercased() == address.lowercased() }) {
                recipients.append((address, ""))
            }
        }
        let wholeReason = lines[..<quote].map(\.text).joined(separator: "\n")
        let isCoded =
            need == .none
            || need == .anywhere && recipients.count == 1 && EnhancedStatus(firstIn: wholeReason) != nil
        if !isCoded { recipients = recipients.filter { Self.hasCode($0.diagnostic) } }
        guard !recipients.isEmpty else { return nil }
        // Of several recipients the reasons elsewhere in the text are the others', unless none of
        // them has one of its own: then it is everybody's.
        let isShared =
            recipients.count == 1 || recipients.allSatisfy { Self.status(of: $0.diagnostic) == nil }
        return DeliveryReport(
            freeText: recipients.map {
                let diagnostic =
                    recipients.count == 1 && !Self.hasCode($0.diagnostic) && Self.hasCode(wholeReason)
                    ? wholeReason : $0.diagnostic
                var recipient = Self.recipient(
                    $0.address, diagnostic, isShared ? wholeReason : nil, isDelayed: isDelayed)
                recipient.diagnostic = $0.diagnostic.nonEmpty
                return recipient
            }, original: original(from: quote))
    }

    private static func startsQuote(_ line: String) -> Bool {
        if BouncePhrases.quotes.contains(where: { line.contains(octetsOf: $0) }) { return true }
        return line.hasPrefix("received:") || line.hasPrefix("return-path:") || line.hasPrefix("message-id:")
    }

    private static func recipient(
        _ address: String, _ diagnostic: String, _ whole: String?, isDelayed: Bool
    ) -> DeliveryReport.Recipient {
        var recipient = DeliveryReport.Recipient()
        recipient.finalRecipient = address
        recipient.action = isDelayed ? .delayed : .failed
        recipient.status = status(of: diagnostic) ?? whole.flatMap(status)
        recipient.failure = DeliveryReport.Recipient.failure(
            action: recipient.action, status: recipient.status)
        return recipient
    }

    /// An enhanced code, else what the words or the SMTP reply code say.
    private static func status(of text: String) -> EnhancedStatus? {
        let code = EnhancedStatus(firstIn: text).flatMap { $0.class == 2 ? nil : $0 }
        if let code, !code.isUndefined { return code }
        let lower = folded(text)
        if let reason = BouncePhrases.reasons.first(where: { lower.contains(octetsOf: $0.phrase) }) {
            let replied = replyClass(of: text)
            // 452 for a full mailbox is temporary, whatever the words.
            return replied == 4
                ? EnhancedStatus(4, reason.status.subject, reason.status.detail) : reason.status
        }
        if let code { return code }
        return replyClass(of: text).map { EnhancedStatus($0, 0, 0) }
    }

    private static func hasCode(_ text: String) -> Bool {
        replyClass(of: text) != nil || EnhancedStatus(firstIn: text) != nil
    }

    /// The class of the first three-digit SMTP reply code that stands as a word.
    private static func replyClass(of text: String) -> Int? {
        for word in text.split(whereSeparator: { !$0.isASCII || !($0.isNumber || $0.isLetter || $0 == ".") })
        {
            guard word.count == 3, let number = Int(word), (400...599).contains(number) else { continue }
            return number / 100
        }
        return nil
    }

    // MARK: - Recipients

    private func recipients(in range: Range<Int>) -> [(address: String, diagnostic: String)] {
        var found: [(address: String, diagnostic: String)] = []
        var seen: Set<String> = []
        for index in range where found.count < Self.maximumRecipients {
            guard let (address, rest) = Self.address(in: lines[index].text) else { continue }
            let key = address.lowercased()
            guard !notRecipients.contains(key), !key.hasPrefix("postmaster@"),
                !key.hasPrefix("mailer-daemon@"),
                seen.insert(key).inserted
            else { continue }
            found.append((address, diagnostic(rest, below: index, before: range.upperBound)))
        }
        return found
    }

    /// The rest of the recipient's line and the lines below, up to a blank line or the next
    /// recipient; one blank line directly below is passed over.
    private func diagnostic(_ rest: String, below index: Int, before end: Int) -> String {
        var words = [rest]
        var next = index + 1
        var length = rest.utf8.count
        if rest.isEmpty, next < end, ContentLineText.trimmed(lines[next].text) == nil { next += 1 }
        while next < end, length < Self.maximumDiagnostic,
            let line = ContentLineText.trimmed(lines[next].text),
            !Self.namesRecipient(line)
        {
            words.append(line)
            length += line.utf8.count
            next += 1
        }
        let text = words.filter { !$0.isEmpty }.joined(separator: " ")
        return String(text.prefix(Self.maximumDiagnostic))
    }

    /// Whether a line is there for its address: alone, in brackets or with a colon behind.
    private static func namesRecipient(_ line: String) -> Bool {
        guard let (address, rest) = address(in: line) else { return false }
        return line.hasPrefix("<") || line.hasPrefix("'") || (rest.isEmpty && line.hasPrefix(address))
    }

    /// The first word of a line that is an address, and what follows it.
    private static func address(in line: String) -> (String, rest: String)? {
        guard line.utf8.count < 4096, line.contains("@") else { return nil }
        let breaks: Set<Character> = [
            " ", "\t", "<", ">", "(", ")", "\"", "'", ",", ";", "«", "»", "[", "]", "\u{A0}",
        ]
        var cursor = line.startIndex
        while cursor < line.endIndex {
            guard let start = line[cursor...].firstIndex(where: { !breaks.contains($0) }) else { return nil }
            let end = line[start...].firstIndex(where: { breaks.contains($0) }) ?? line.endIndex
            cursor = end
            var word = line[start..<end]
            guard word.contains("@") else { continue }
            for prefix in ["mailto:", "smtp:", "rfc822:"] where word.lowercased().hasPrefix(prefix) {
                word = word.dropFirst(prefix.count)
            }
            while let last = word.last, last == ":" || last == "." || last == "!" || last == "?" {
                word.removeLast()
            }
            guard let address = EmailAddress(word), address.domain.contains(".") else { continue }
            var rest = line[end...]
            while let first = rest.first, breaks.contains(first) || first == ":" || first == "." {
                // A parenthesis around the reason belongs to it.
                if first == "(" { break }
                rest.removeFirst()
            }
            return (address.addrSpec, ContentLineText.trimmed(String(rest)) ?? "")
        }
        return nil
    }

    // MARK: - The message that came back

    /// From the header that the bounce quotes.
    private func original(from quote: Int) -> ReportedMessage? {
        guard quote < lines.count else { return nil }
        var header = ""
        for line in lines[quote...] {
            // Quote marks in front of the fields.
            let text = line.text.drop { $0 == ">" || $0 == "|" || $0 == " " }
            let isField = text.prefix(40).contains(":") && text.first?.isLetter == true
            let isFold =
                !header.isEmpty && (line.text.first == " " || line.text.first == "\t") && !text.isEmpty
            if isField {
                header += text + "\n"
            } else if isFold {
                header += " " + text + "\n"
            } else if !header.isEmpty {
                break
            }
        }
        return Array(header.utf8).withUnsafeBytes { ReportedMessage(returned: $0, limits: .standard) }
    }
}
