import Foundation

/// What one action is about, each thing once: some by their names, many by how many they are and their numbers.
struct ActSubjects {
    /// As many as are named one by one.
    private static let namedLimit = 20
    private static let rangeLimit = 20

    private var named: [String] = []
    private var isNumerous = false
    /// What has a number, as "contact 4", by its kind.
    private var numbers: [(kind: String, numbers: IndexSet)] = []

    mutating func add(_ subject: String) {
        let words = subject.split(separator: " ")
        if words.count == 2, let number = Int(words[1]), number >= 0 {
            let kind = String(words[0])
            let index = numbers.firstIndex { $0.kind == kind } ?? numbers.count
            if index == numbers.count { numbers.append((kind, [])) }
            numbers[index].numbers.insert(number)
        }
        guard !isNumerous, !named.contains(subject) else { return }
        isNumerous = named.count == Self.namedLimit
        if !isNumerous { named.append(subject) }
    }

    /// Nil without any.
    var text: String? {
        guard isNumerous else { return named.isEmpty ? nil : named.joined(separator: ", ") }
        let others = named.filter { name in
            !numbers.contains {
                name.hasPrefix($0.kind + " ") && Int(name.dropFirst($0.kind.count + 1)) != nil
            }
        }
        let counted = numbers.map { kind, numbers in
            let ranges = numbers.rangeView.prefix(Self.rangeLimit).map {
                $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound - 1)"
            }
            let isCut = numbers.rangeView.count > Self.rangeLimit
            return "\(kind) " + ranges.joined(separator: ", ") + (isCut ? " and more" : "")
                + (numbers.count == 1 ? "" : " (\(numbers.count))")
        }
        return (others + counted).joined(separator: ", ") + (numbers.isEmpty ? " and more" : "")
    }
}
