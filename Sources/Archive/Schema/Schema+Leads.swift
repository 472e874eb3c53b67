extension Schema {
    /// Leads that were made without a person's asking.
    static let automaticLeads = """
        -- Why there is such a contact.
        CREATE TABLE automatic_leads(
            contact INTEGER PRIMARY KEY REFERENCES contacts(id) ON DELETE CASCADE,
            reason TEXT NOT NULL CHECK (reason IN ('correspondent', 'sender')),
            message INTEGER REFERENCES messages(id) ON DELETE SET NULL
        ) STRICT;
        CREATE INDEX automatic_leads_message ON automatic_leads(message) WHERE message IS NOT NULL;

        -- A person has taken such a lead back: its address makes none again.
        CREATE TABLE declined_leads(
            address INTEGER PRIMARY KEY REFERENCES addresses(id) ON DELETE CASCADE,
            at INTEGER NOT NULL
        ) STRICT;
        """
}
