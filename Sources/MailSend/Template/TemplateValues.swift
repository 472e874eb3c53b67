import Mustache

/// What a template can name, as `group.name`. A variable without a value is left out of `values`, and is empty
/// in a mail.
public struct TemplateValues: Sendable, Hashable {
    /// Every variable, with words that stand for it when a template is checked.
    static let known: [(name: String, sample: String)] = [
        ("contact.name", "Мария Петрова"), ("contact.email", "maria@client.example"),
        ("contact.external_id", "C-17"),
        ("organisation.name", "Client & Co"), ("organisation.email", "office@client.example"),
        ("organisation.external_id", "O-3"),
        ("user.name", "Anna"), ("user.email", "anna@firma.example"), ("account.email", "anna@firma.example"),
        ("date", "31.01.2026"),
    ]

    public static var names: [String] { known.map(\.name) }

    /// With a sample for every variable.
    static let everything = TemplateValues(
        Dictionary(uniqueKeysWithValues: known.map { ($0.name, $0.sample) }))

    public private(set) var values: [String: String]

    public init(_ values: [String: String] = [:]) { self.values = values }

    /// - Parameter value: an empty one is none.
    public subscript(_ name: String) -> String? {
        get { values[name] }
        set { values[name] = newValue?.isEmpty == false ? newValue : nil }
    }
}

/// The values as the library asks for them, and a record of what it asked for in vain.
final class TemplateLookup: MustacheParent {
    private let values: TemplateValues
    private(set) var unknown: [String] = []

    init(_ values: TemplateValues) { self.values = values }

    func child(named name: String) -> Any? {
        if let found = find(name) { return found }
        unknown.append(name)
        return nil
    }

    private func find(_ path: String) -> Node? {
        if TemplateValues.names.contains(path) { return Node(path: path, lookup: self, isGroup: false) }
        guard TemplateValues.names.contains(where: { $0.hasPrefix(path + ".") }) else { return nil }
        return Node(path: path, lookup: self, isGroup: true)
    }

    /// A variable, or a group of them such as `contact`.
    private struct Node: MustacheParent, MustacheCustomRenderable {
        let path: String
        let lookup: TemplateLookup
        let isGroup: Bool

        func child(named name: String) -> Any? {
            if let found = lookup.find("\(path).\(name)") { return found }
            // Within a section what is further out is named too: the library looks there next.
            if lookup.find(name) == nil { lookup.unknown.append("\(path).\(name)") }
            return nil
        }

        var renderText: String {
            if isGroup { lookup.unknown.append(path) }
            return lookup.values[path] ?? ""
        }

        /// A group is there when any of its variables has a value.
        var isNull: Bool {
            isGroup
                ? !lookup.values.values.keys.contains { $0.hasPrefix(path + ".") }
                : lookup.values[path] == nil
        }
    }
}
