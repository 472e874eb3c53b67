import Archive
import ArgumentParser
import MailModel
import MailTransport
import Testing
import Worker

@testable import mailworker

/// Scripts and service managers decide by these numbers: they are a contract.
struct ExitStatusTests {
    @Test(arguments: [
        MailFailure.Code.configuration, .passwordUnavailable, .keyUnreadable, .keyOpenToOthers,
        .keyMalformed, .keyWrong, .keyMissing, .archiveMissing, .archiveNewer, .archiveUnreadable,
        .archiveReadOnly,
    ])
    func whatTheAdministratorMendsIs78WhateverItsKind(code: MailFailure.Code) {
        for kind in [FailureKind.transient, .credential, .needsPerson, .permanent] {
            #expect(ExitStatus.code(for: MailFailure(code, kind: kind, "x")).rawValue == 78)
        }
    }

    @Test(arguments: [
        MailFailure.Code.usage, .unknownUser, .unknownAccount, .unknownFolder, .unknownContact,
        .ambiguousContact, .unknownReviewItem, .unknownMessage, .nameTaken, .invalidValue, .archiveExists,
        .noSuchPath, .csv,
    ])
    func whatIsTypedDifferentlyIs64WhateverItsKind(code: MailFailure.Code) {
        for kind in [FailureKind.transient, .credential, .needsPerson, .permanent] {
            #expect(ExitStatus.code(for: MailFailure(code, kind: kind, "x")).rawValue == 64)
        }
    }

    static let others: [(code: MailFailure.Code, kind: FailureKind, status: Int32)] = [
        (.archiveBusy, .transient, 75), (.timedOut, .transient, 75), (.accountBusy, .transient, 75),
        (.connectionLost, .transient, 75), (.loginRefused, .credential, 69), (.unknownHost, .needsPerson, 69),
        (.certificate, .needsPerson, 69), (.archiveRefused, .permanent, 1), (.emptyFile, .permanent, 1),
        (.messageTooLarge, .permanent, 1),
    ]

    @Test(arguments: others)
    func everyOtherFailureIsJudgedByItsKind(code: MailFailure.Code, kind: FailureKind, status: Int32) {
        #expect(ExitStatus.code(for: MailFailure(code, kind: kind, "x")).rawValue == status)
    }
}
