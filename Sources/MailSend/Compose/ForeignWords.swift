extension String {
    /// One line of what somebody else wrote, for a header field: control characters and line separators, which a mail of
    /// ours must not have there, become blanks.
    public var asForeignLine: String {
        String(String.UnicodeScalarView(unicodeScalars.map { Grammar.isControl($0) ? " " : $0 }))
    }
}
