/// Aligned columns for people. The last column is not padded, and may be long.
struct TextTable {
    private var rows: [[String]]

    init(_ header: [String]) { rows = [header] }

    mutating func add(_ row: [String]) { rows.append(row) }

    var isEmpty: Bool { rows.count == 1 }

    var text: String {
        let columns = rows.map(\.count).max() ?? 0
        var widths = Array(repeating: 0, count: columns)
        let clean = rows.map { row in
            row.map { Terminal.sanitized($0).replacing("\n", with: " ").replacing("\t", with: " ") }
        }
        for row in clean {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        return clean.map { row in
            row.enumerated().map { index, cell in
                index == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[index] - cell.count + 2)
            }
            .joined()
        }
        .joined(separator: "\n")
    }
}
