import Foundation

/// Programs that the build has put beside the tests.
enum BuiltProgram {
    static func url(_ name: String) -> URL { directory.appendingPathComponent(name) }

    private static let directory: URL = {
        // The tests run inside the bundle's own executable, or inside a helper of
        // the toolchain that was given the bundle's path.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        if let bundle { return URL(fileURLWithPath: bundle).deletingLastPathComponent() }
        return URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }()
}

/// The children of this process that read mail.
enum RunningChildren {
    static var all: [pid_t] {
        let own = getpid()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { process in
            guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                let command = try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)
            else { return false }
            // After the name in parentheses: state, parent.
            let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            return fields.count > 2 && fields[2] == "\(own)" && command.contains("parse-worker")
        }
    }
}
