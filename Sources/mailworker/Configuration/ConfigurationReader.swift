import MailModel
import TOMLKit

/// Takes typed values out of one table of a configuration file, and complains
/// with file, line and key when a value is not of its type or range.
struct ConfigurationReader {
    private let source: TOMLSource
    private let table: TOMLTable
    private let name: String
    private let entry: Int

    private init(_ source: TOMLSource, table: TOMLTable, name: String, entry: Int) {
        self.source = source
        self.table = table
        self.name = name
        self.entry = entry
    }

    /// Reads `[table]`; an absent table is an empty one.
    init(_ source: TOMLSource, table name: String) throws(MailFailure) {
        var found = TOMLTable()
        if let value = source.root[name] {
            guard let table = value.table else {
                throw source.complaint(
                    about: name, in: "", "is a \(value.type), not a table",
                    remedy: "Write it as [\(name)] with its keys on the lines below.")
            }
            found = table
        }
        self.init(source, table: found, name: name, entry: 0)
    }

    /// Reads each `[table.name]`, by its name.
    static func named(
        _ source: TOMLSource, table name: String
    ) throws(MailFailure) -> [String: ConfigurationReader] {
        let names = ConfigurationKey.namedTables[name] ?? []
        let outer = try ConfigurationReader(source, table: name)
        var readers: [String: ConfigurationReader] = [:]
        for key in outer.table.keys {
            let remedy = "Use one of: \(names.map { "[\(name).\($0)]" }.joined(separator: ", "))."
            guard names.contains(key) else {
                throw source.complaint(about: key, in: name, "there is no such table", remedy: remedy)
            }
            guard let table = outer.table[key]?.table else {
                throw source.complaint(about: key, in: name, "is not a table", remedy: remedy)
            }
            readers[key] = ConfigurationReader(source, table: table, name: "\(name).\(key)", entry: 0)
        }
        return readers
    }

    /// Reads every `[[table]]`.
    static func list(_ source: TOMLSource, table name: String) throws(MailFailure) -> [ConfigurationReader] {
        guard let value = source.root[name] else { return [] }
        let wrong = source.complaint(
            about: name, in: "", "is not a list of tables",
            remedy: "Write each entry under a line of its own: [[\(name)]].")
        guard let array = value.array else { throw wrong }
        var readers: [ConfigurationReader] = []
        for index in array.indices {
            guard let table = array[index].table else { throw wrong }
            readers.append(ConfigurationReader(source, table: table, name: name, entry: index))
        }
        return readers
    }

    /// A misspelt key would silently leave its default in force: it is refused instead.
    static func refuseUnknownKeys(in source: TOMLSource) throws(MailFailure) {
        for table in source.root.keys {
            guard ConfigurationKey.tables.contains(table) else {
                throw source.complaint(
                    about: table, in: "", "there is no such table",
                    remedy:
                        "Remove it, or use one of: \(ConfigurationKey.tables.sorted().joined(separator: ", "))."
                )
            }
            let readers =
                ConfigurationKey.namedTables[table] != nil
                ? Array(try named(source, table: table).values)
                : ConfigurationKey.listTables.contains(table)
                    ? try list(source, table: table) : [try ConfigurationReader(source, table: table)]
            let known = ConfigurationKey.allCases.filter { $0.table == table }.map(\.name)
            for reader in readers {
                for key in reader.table.keys where !known.contains(key) {
                    throw source.complaint(
                        about: key, in: reader.name, entry: reader.entry, "there is no such key",
                        remedy: "Remove it, or use one of: \(known.joined(separator: ", ")).")
                }
            }
        }
    }

    func complaint(_ key: ConfigurationKey, _ problem: String, remedy: String) -> MailFailure {
        source.complaint(about: key.name, in: name, entry: entry, problem, remedy: remedy)
    }

    func string(_ key: ConfigurationKey, oneOf choices: [String]? = nil) throws(MailFailure) -> String? {
        guard let value = table[key.name] else { return nil }
        guard let text = value.string else {
            throw complaint(
                key, "is \(value.type.rawValue), not text", remedy: "Put the value in double quotes.")
        }
        if let choices, !choices.contains(text) {
            throw complaint(
                key, "\"\(text)\" is not known", remedy: "Use one of: \(choices.joined(separator: ", ")).")
        }
        return text
    }

    /// The address of a web service; an empty text stands for none.
    func webAddress(_ key: ConfigurationKey) throws(MailFailure) -> String? {
        guard let text = try string(key), !text.isEmpty else { return try string(key) }
        guard ["https://", "http://"].contains(where: text.hasPrefix),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else {
            throw complaint(
                key, "is not the address of a web service", remedy: "Write it as https://HOST/PATH.")
        }
        return text
    }

    func required(_ key: ConfigurationKey) throws(MailFailure) -> String {
        guard let text = try string(key), !text.isEmpty else {
            throw complaint(key, "is missing", remedy: "Every [[\(name)]] needs it.")
        }
        return text
    }

    /// A bare e-mail address, as text.
    func address(_ key: ConfigurationKey) throws(MailFailure) -> String? {
        guard let text = try string(key) else { return nil }
        guard EmailAddress(text) != nil else {
            throw complaint(
                key, "\"\(text)\" is not an e-mail address",
                remedy: "Write it as local@domain, without a name.")
        }
        return text
    }

    func declaredTwice(_ key: ConfigurationKey, _ text: String) -> MailFailure {
        complaint(
            key, "\"\(text)\" stands here for the second time", remedy: "Declare each [[\(name)]] once.")
    }

    func integer(_ key: ConfigurationKey, in range: ClosedRange<Int>) throws(MailFailure) -> Int? {
        guard let value = table[key.name] else { return nil }
        guard let number = value.int, range.contains(number) else {
            throw complaint(
                key, "is not a whole number from \(range.lowerBound) to \(range.upperBound)",
                remedy: "Give one, without quotes.")
        }
        return number
    }

    func boolean(_ key: ConfigurationKey) throws(MailFailure) -> Bool? {
        guard let value = table[key.name] else { return nil }
        guard let answer = value.bool else {
            throw complaint(
                key, "is neither true nor false", remedy: "Write \(key.name) = true, without quotes.")
        }
        return answer
    }

    func integers(_ key: ConfigurationKey, in range: ClosedRange<Int>) throws(MailFailure) -> [Int]? {
        guard let value = table[key.name] else { return nil }
        let wrong = complaint(
            key, "is not a list of whole numbers from \(range.lowerBound) to \(range.upperBound)",
            remedy: "Write it as \(key.name) = [143, 993], without quotes.")
        guard let array = value.array else { throw wrong }
        var numbers: [Int] = []
        for element in array {
            guard let number = element.int, range.contains(number) else { throw wrong }
            numbers.append(number)
        }
        return numbers
    }

    func strings(_ key: ConfigurationKey) throws(MailFailure) -> [String]? {
        guard let value = table[key.name] else { return nil }
        let wrong = complaint(
            key, "is not a list of texts", remedy: "Write it as \(key.name) = [\"one\", \"two\"].")
        guard let array = value.array else { throw wrong }
        var texts: [String] = []
        for element in array {
            guard let text = element.string else { throw wrong }
            texts.append(text)
        }
        return texts
    }
}
