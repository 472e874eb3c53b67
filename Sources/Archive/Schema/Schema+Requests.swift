extension Schema {
    /// Who asks for mail, and for what.
    static let requests = """
        -- SHA-256 of what was asked for under an idempotency key: another mail under it is a mistake of its sender.
        ALTER TABLE outbox ADD COLUMN request_digest BLOB CHECK (length(request_digest) = 32);
        -- The hourly number of recipients is that of whoever asks, too.
        CREATE INDEX outbox_requested ON outbox(requested_by, created_at);
        """
}
