import CSandbox
import Glibc
import MIMEParse
public import MailModel

/// What a parse child does: gives up what it does not need, then answers requests on
/// descriptor 0 until its parent closes the channel.
public enum ParseService {
    /// The exit code of a child that has used up a message's processor time.
    static let overrunExitCode: Int32 = 3
    /// The exit code of a child that was not started by a pool of ours.
    static let misuseExitCode: Int32 = 64

    /// - Parameters:
    ///   - memoryBytes: what reading may take beyond what the program itself needs.
    ///   - limits: what the reading keeps to.
    public static func run(memoryBytes: UInt64, limits: MailLimits) -> Never {
        let full = MIMEParser(limits: limits, mode: .full)
        let careful = MIMEParser(limits: limits, mode: .careful)
        full.prepare()
        ResidentPages.shared.prepare()
        var state = mw_sandbox_state()
        mw_sandbox_enter(memoryBytes, &state)
        var channel = ServiceChannel()
        channel.answers.frame(.ready) { writer in
            writer.write(state.filter_error)
            writer.write(state.limits_error)
        }
        do {
            while let request = try channel.next() {
                answer(request, with: request.mode == .full ? full : careful, on: &channel)
            }
        } catch {
            _exit(misuseExitCode)
        }
        _exit(0)
    }

    private static func answer(
        _ request: ServiceChannel.Request, with parser: MIMEParser, on channel: inout ServiceChannel
    ) {
        mw_watch_begin(request.cpuMilliseconds, overrunExitCode)
        defer { mw_watch_end() }
        switch request.question {
        case .reading:
            let message = request.message.withUnsafeBytes { parser.parse($0) }
            channel.answers.frame(.reading) { $0.write(message) }
        case .attachment(let index):
            let content = request.message.withUnsafeBytes { parser.attachmentContent(index, of: $0) }
            if let content {
                channel.answers.frame(.content) { writer in
                    content.withUnsafeBytes { writer.write(raw: $0) }
                }
            } else {
                channel.answers.frame(.noSuchAttachment) { _ in }
            }
        }
    }
}
