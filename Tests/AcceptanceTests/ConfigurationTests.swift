import Foundation
import Testing

/// Every refused configuration of Fixtures/config: exit code, place and remedy.
@Suite(.timeLimit(.minutes(20)))
struct ConfigurationTests {
    static let fixtures = Program.root.appendingPathComponent("Fixtures/config")

    @Test func eachMistakeIsNamedByFileLineAndKey() async throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures.path)
            .filter { $0.hasSuffix(".toml") }.sorted()
        #expect(files.count >= 15, "fixtures are missing in \(Self.fixtures.path)")
        let scratch = FileManager.default.temporaryDirectory
            .appendingPathComponent("mailworker-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }

        for name in files {
            let file = scratch.appendingPathComponent(name)
            try FileManager.default.copyItem(at: Self.fixtures.appendingPathComponent(name), to: file)
            let (line, words) = try Self.expectation(of: file)
            let outcome = try await Program.run(
                Program.executable, ["--config", file.path, "queue", "list"], in: scratch)
            #expect(outcome.status == 78, "\(name): \(outcome.errors)")
            #expect(outcome.errors.contains("\(file.path):\(line)"), "\(name): \(outcome.errors)")
            #expect(outcome.errors.contains(words), "\(name): \(outcome.errors)")
            #expect(!outcome.errors.contains("a secret"), "\(name): \(outcome.errors)")
            #expect(outcome.output.isEmpty)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted()
        #expect(left == files, "a refused configuration left files")
    }

    /// Reads the first line: `# expected: line 3, poll.minutes`.
    private static func expectation(of file: URL) throws -> (line: Int, words: String) {
        let text = try String(contentsOf: file, encoding: .utf8)
        let first = text.prefix { $0 != "\n" }
        let parts = first.split(separator: ",", maxSplits: 1)
        guard parts.count == 2, parts[0].hasPrefix("# expected: line "),
            let line = Int(parts[0].dropFirst("# expected: line ".count))
        else { throw Program.Unexpected("\(file.lastPathComponent) does not say what is expected") }
        return (line, parts[1].trimmingCharacters(in: .whitespaces))
    }
}
