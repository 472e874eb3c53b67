/// What times of the outbox mean to a clock that may have been wrong when they were set. As SQL.
enum SendingClock {
    /// Nothing that the worker decides by itself waits for longer, in seconds: what seems to was decided by a clock that was
    /// ahead. Only a person puts mail off for longer.
    private static let furthest = 2 * 86_400

    /// Whether a time that the worker has set has come.
    static func hasCome(_ time: String, at now: String) -> String {
        "(\(time) <= \(now) OR \(time) > \(now) + \(furthest))"
    }

    /// Whether the mail of a row of `outbox` is due, in a state in which it is to be tried.
    ///
    /// Mail that was queued by a clock that was ahead is put off by nobody, where it was to go within the hour.
    static func isDue(_ mail: String, at now: String) -> String {
        """
        (\(mail).next_try <= \(now) OR (\(hasCome("\(mail).next_try", at: now)) AND (\(mail).not_before <= \(now)
            OR (\(mail).created_at > \(now) AND \(mail).not_before <= \(mail).created_at + 3600))))
        """
    }
}
