import Archive
import Foundation
import MailModel

extension StepTrial {
    /// The trial that $MAILWORKER_STOP_AT asks for; nil, at no cost, without it.
    ///
    /// - Throws: `configuration` when it says neither where to stop nor `never`.
    static func fromEnvironment() throws(MailFailure) -> StepTrial? {
        guard let text = ProcessInfo.processInfo.environment["MAILWORKER_STOP_AT"], !text.isEmpty else {
            return nil
        }
        let stopPoint = StopPoint(text)
        guard stopPoint != nil || text == "never" else {
            throw MailFailure(
                .configuration, kind: .needsPerson, "MAILWORKER_STOP_AT cannot be read", detail: text,
                remedy:
                    "It is for proofs (docs/RELIABILITY.md): give N:before, N:after or never, or unset it.")
        }
        return StepTrial(stopAt: stopPoint) { number, step in
            FileHandle.standardError.write(Data("durable step \(number): \(step.rawValue)\n".utf8))
        }
    }
}
