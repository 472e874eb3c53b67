import Worker

extension IngestTally.Counts {
    /// What to tell of messages that ended their reader; nil when there were none.
    var lossesInWords: String? {
        guard parserLosses > 0 else { return nil }
        let unread =
            quarantined > 0
            ? "\(quarantined) could not be read and wait in the queue" : "all were read more carefully"
        return "\(parserLosses) of the messages ended the process that read them; \(unread)"
    }
}
