import CSandbox
import Glibc
import MIMEParse

/// How a child has ended.
enum ChildEnd: Hashable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    /// Ends a child that has not ended by itself, and waits for it.
    init(of process: pid_t) {
        var value: Int32 = 0
        self =
            mw_child_finish(process, &value) == MW_CHILD_EXITED ? .exited(value) : .signalled(value)
    }

    /// What this says about the message that was being read.
    var loss: ParserLoss {
        switch self {
        case .exited(ParseService.overrunExitCode): .overran
        case .exited: .crashed
        case .signalled(SIGKILL): .killed
        case .signalled(SIGSYS): .escaped
        case .signalled: .crashed
        }
    }

    var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}
