extension ParsedMessage {
    /// The same message with other words in place of its own. Values that were read out of the text, such as the
    /// events of a calendar, go with the text; header fields and attachments stay.
    ///
    /// - Parameters:
    ///   - subject: nil leaves it; `.some(nil)` takes it away.
    ///   - text: nil leaves it.
    public func showing(subject: String??, text: String?) -> ParsedMessage {
        var message = self
        if let subject { message.subject = subject }
        guard let text else { return message }
        message.text = text.isEmpty ? nil : text
        message.furtherText = nil
        message.split = TextSplitter.split(text)
        message.textSource = text.isEmpty ? .none : .plain
        message.hasHTML = false
        message.special = nil
        return message
    }
}
