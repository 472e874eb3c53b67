import Archive
import ArgumentParser
import MailModel
import OAuth
import Worker

/// The exit codes of the program (after sysexits.h).
enum ExitStatus {
    static let someItemsFailed = ExitCode(1)
    static let usage = ExitCode(64)
    static let serviceUnavailable = ExitCode(69)
    static let tryAgainLater = ExitCode(75)
    static let configuration = ExitCode(78)

    /// What the administrator mends in the configuration, the key or the archive's place.
    private static let configurationCodes: Set<MailFailure.Code> = [
        .configuration, .passwordUnavailable, .keyUnreadable, .keyOpenToOthers, .keyMalformed, .keyWrong,
        .keyMissing, .oauthConfiguration, .redirectPort, .archiveMissing, .archiveNewer, .archiveUnreadable,
        .archiveReadOnly,
    ]
    /// What the person at the command line types differently.
    private static let usageCodes: Set<MailFailure.Code> = [
        .usage, .unknownUser, .unknownAccount, .unknownFolder, .unknownContact, .ambiguousContact,
        .unknownReviewItem, .unknownMessage,
        .unknownRole, .unknownDepartment, .unknownToken, .unknownRule, .unknownTemplate, .unknownUndo, .inUse,
        .nameTaken,
        .invalidValue, .archiveExists, .noSuchPath, .csv,
        .backupMissing, .unknownOutboxItem, .outboxState, .sendIdentity, .accountCannotSend, .noSMTPServer,
        .mailOverLimit, .noTimeToSend, .answersAutomatic, .recipientSuppressed, .contactWithoutAddress,
    ]

    /// The code that a failure ends the program with when it ends it.
    static func code(for failure: MailFailure) -> ExitCode {
        if configurationCodes.contains(failure.code) { return configuration }
        if usageCodes.contains(failure.code) { return usage }
        switch failure.kind {
        case .transient: return tryAgainLater
        case .credential, .needsPerson: return serviceUnavailable
        case .permanent: return someItemsFailed
        }
    }
}

extension MailFailure.Code {
    /// The command line asks for something that does not exist or does not fit.
    static let usage = Self("usage")
}

extension MailFailure {
    /// A request that cannot be carried out as it was typed.
    static func usage(_ summary: String, detail: String? = nil, remedy: String) -> MailFailure {
        MailFailure(.usage, kind: .needsPerson, summary, detail: detail, remedy: remedy)
    }
}
