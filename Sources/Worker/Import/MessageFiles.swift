import Archive
import Foundation
public import MailModel

/// Messages in files: single messages (.eml), mbox files and Maildir folders,
/// found below the paths a person names.
///
/// A directory with `cur` and `new` is a Maildir; any other is searched for
/// `.eml` and `.mbox` files and for Maildirs, following symbolic links to files
/// and none to directories. A file is an mbox when its name ends in `.mbox`, or when it
/// has no `.eml` ending and begins with a From_ line.
public struct MessageFiles: Sendable {
    /// One file that holds one message, or many.
    public struct File: Sendable, Hashable {
        public var path: String
        public var isMbox: Bool
    }

    public private(set) var files: [File] = []

    /// - Throws: `no-such-path` for a path that does not exist or cannot be listed.
    public init(paths: [String]) throws(MailFailure) {
        for path in paths {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                throw MailFailure(
                    .noSuchPath, kind: .needsPerson, "There is no such file or directory", detail: path,
                    remedy: "Check the spelling; relative paths start at the current directory.")
            }
            if isDirectory.boolValue {
                try search(path)
            } else {
                files.append(File(path: path, isMbox: Self.looksLikeMbox(path)))
            }
        }
    }

    /// Calls `body` with every message in turn: a name for people (the path, with
    /// `#n` behind it inside an mbox) and the bytes. A file that cannot be read goes to
    /// `unreadable`, and the others go on.
    public func forEachMessage(
        _ body: (String, MessageBytes) async throws -> Void,
        unreadable: (MailFailure) -> Void
    ) async rethrows {
        for file in files {
            let bytes: MessageBytes
            do {
                bytes = try Self.contents(of: file.path)
            } catch {
                unreadable(error)
                continue
            }
            guard file.isMbox else {
                try await body(file.path, bytes)
                continue
            }
            for (index, range) in MboxReader.messages(in: bytes).enumerated() {
                try await body("\(file.path)#\(index + 1)", MboxReader.message(range, of: bytes))
            }
        }
    }

    private mutating func search(_ directory: String) throws(MailFailure) {
        let manager = FileManager.default
        let base = directory.hasSuffix("/") && directory.count > 1 ? String(directory.dropLast()) : directory
        let names = try Self.names(in: directory)
        let isMaildir = names.contains("cur") && names.contains("new")
        for name in names.sorted() {
            let path = "\(base)/\(name)"
            guard var type = (try? manager.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
            else { continue }
            if type == .typeSymbolicLink {
                // A dangling one is named when it cannot be read. Links to directories could go round.
                var isDirectory: ObjCBool = false
                _ = manager.fileExists(atPath: path, isDirectory: &isDirectory)
                if isDirectory.boolValue { continue }
                type = .typeRegular
            }
            switch type {
            case .typeDirectory where isMaildir && (name == "cur" || name == "new"):
                files += try Self.names(in: path).filter { !$0.hasPrefix(".") }.sorted().map {
                    File(path: "\(path)/\($0)", isMbox: false)
                }
            case .typeDirectory where isMaildir && name == "tmp":
                continue
            case .typeDirectory:
                try search(path)
            case .typeRegular where name.lowercased().hasSuffix(".eml"):
                files.append(File(path: path, isMbox: false))
            case .typeRegular where name.lowercased().hasSuffix(".mbox"):
                files.append(File(path: path, isMbox: true))
            default:
                continue
            }
        }
    }

    private static func names(in directory: String) throws(MailFailure) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            if let cause, [EMFILE, ENFILE].map(Int.init).contains(cause.code) {
                throw MailFailure(
                    .archiveInputOutput, kind: .transient, "Too many files are open", detail: directory,
                    remedy: "Raise the limit of open files (LimitNOFILE).")
            }
            throw MailFailure(
                .noSuchPath, kind: .needsPerson, "The directory cannot be listed", detail: directory,
                remedy: "Check its permissions.")
        }
    }

    private static func looksLikeMbox(_ path: String) -> Bool {
        let name = path.lowercased()
        if name.hasSuffix(".eml") { return false }
        if name.hasSuffix(".mbox") { return true }
        guard let descriptor = try? open(path) else { return false }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        return (try? handle.read(upToCount: 5)) == Data("From ".utf8)
    }

    /// Opens a regular file, and no other: a pipe or a device could keep us waiting for ever.
    private static func open(_ path: String) throws(MailFailure) -> Int32 {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw unreadable(path)
        }
        return descriptor
    }

    /// The file's bytes, in a copy of our own: a mapped file that somebody shortens meanwhile
    /// would end the process. Large ones are copied to an unnamed file, not to the heap.
    private static func contents(of path: String) throws(MailFailure) -> MessageBytes {
        let source = try open(path)
        defer { close(source) }
        var status = stat()
        guard fstat(source, &status) == 0 else { throw unreadable(path) }
        if status.st_size <= MailLimits.standard.heapMessageBytes {
            let handle = FileHandle(fileDescriptor: source, closeOnDealloc: false)
            guard let data = try? handle.readToEnd() ?? Data() else { throw unreadable(path) }
            return MessageBytes(data)
        }
        guard let spool = UnnamedFile() else { throw unspoolable(path) }
        var total = 0
        while true {
            let count = sendfile(spool.descriptor, source, nil, 1 << 26)
            guard count >= 0 else { throw unspoolable(path) }
            if count == 0 { break }
            total += count
        }
        if total == 0 { return MessageBytes([]) }
        guard let bytes = MessageBytes(mapping: spool.descriptor, count: total) else {
            throw unspoolable(path)
        }
        return bytes
    }

    private static func unspoolable(_ path: String) -> MailFailure {
        MailFailure(
            .unreadableFile, kind: .needsPerson, "A large file cannot be copied for reading", detail: path,
            remedy: "Make room in \(UnnamedFile.usualDirectory), or set TMPDIR to a directory with room.")
    }

    private static func unreadable(_ path: String) -> MailFailure {
        MailFailure(
            .unreadableFile, kind: .needsPerson, "A file cannot be read", detail: path,
            remedy: "Check that it is a regular file that this user may read.")
    }
}

extension MailFailure.Code {
    /// A path named by a person does not exist.
    public static let noSuchPath = Self("no-such-path")
    /// A file exists and cannot be read.
    public static let unreadableFile = Self("unreadable-file")
}
