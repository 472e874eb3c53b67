public import MailModel

extension Archive {
    /// Packs of originals that are missing, or end before the database says they do; in words, the first of them first.
    /// Not a byte of them is read, so that it is no proof that the others are whole: `verify` is.
    public func brokenPacks() throws(MailFailure) -> [String] {
        let ends = try read { db in
            let query = try PreparedStatement(db, "SELECT id, committed_end FROM packs ORDER BY id")
            var ends: [(pack: Int64, end: Int64)] = []
            try query.forEachRow { ends.append(($0.int64(0), $0.int64(1))) }
            return ends
        }
        var broken: [String] = []
        for (pack, end) in ends {
            let path = originals.path(pack: pack)
            do throws(MailFailure) {
                let size = try PackFile(reading: path).size()
                if size < end { broken.append("\(path) has \(size) bytes of \(end)") }
            } catch {
                guard !error.isNoDamage else { throw error }
                broken.append(error.code == .archiveMissing ? "\(path) is missing" : error.revealed)
            }
        }
        return broken
    }
}
