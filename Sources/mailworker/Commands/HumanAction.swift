import Archive
import ArgumentParser
import Foundation
import MailModel

/// A command by which a person changes something: it goes into the audit log.
protocol HumanAction: ParsableCommand {
    var common: CommonOptions { get }
    /// As the command is typed.
    static var action: String { get }
}

extension ContactAddCommand: HumanAction { static let action = "contact add" }
extension ContactEditCommand: HumanAction { static let action = "contact edit" }
extension ContactMergeCommand: HumanAction { static let action = "contact merge" }
extension ContactImportCommand: HumanAction { static let action = "contact import" }
extension ContactEraseCommand: HumanAction { static let action = "contact erase" }
extension MessagePrivateCommand: HumanAction { static let action = "message private" }
extension MessageLinkCommand: HumanAction { static let action = "message link" }
extension MessageEditCommand: HumanAction { static let action = "message edit" }
extension QueueEditCommand: HumanAction { static let action = "queue edit" }
extension MessageUnlinkCommand: HumanAction { static let action = "message unlink" }
extension QueueLinkCommand: HumanAction { static let action = "queue link" }
extension QueueIgnoreCommand: HumanAction { static let action = "queue ignore" }
extension QueueCreateContactCommand: HumanAction { static let action = "queue create-contact" }
extension QueuePrivateCommand: HumanAction { static let action = "queue private" }
extension QueueUndoCommand: HumanAction { static let action = "queue undo" }
extension RuleAddCommand: HumanAction { static let action = "rule add" }
extension RuleEditCommand: HumanAction { static let action = "rule edit" }
extension RuleRemoveCommand: HumanAction { static let action = "rule remove" }
extension UndoTakeBackCommand: HumanAction { static let action = "undo" }
extension UserAddCommand: HumanAction { static let action = "user add" }
extension UserEditCommand: HumanAction { static let action = "user edit" }
extension UserPasswdCommand: HumanAction { static let action = "user passwd" }
extension UserRemoveCommand: HumanAction { static let action = "user remove" }
extension UserTokenAddCommand: HumanAction { static let action = "user token add" }
extension UserTokenRevokeCommand: HumanAction { static let action = "user token revoke" }
extension DepartmentAddCommand: HumanAction { static let action = "department add" }
extension DepartmentEditCommand: HumanAction { static let action = "department edit" }
extension DepartmentRemoveCommand: HumanAction { static let action = "department remove" }
extension RoleAddCommand: HumanAction { static let action = "role add" }
extension RoleEditCommand: HumanAction { static let action = "role edit" }
extension RoleRemoveCommand: HumanAction { static let action = "role remove" }
extension AccountAddCommand: HumanAction { static let action = "account add" }
extension AccountEditCommand: HumanAction { static let action = "account edit" }
// With --send, when a mail leaves under the account's name.
extension AccountCheckCommand: HumanAction { static let action = "account check" }
extension AccountConfirmCommand: HumanAction { static let action = "account confirm" }
extension AccountRemoveCommand: HumanAction { static let action = "account remove" }
extension SendCommand: HumanAction { static let action = "send" }
extension OutboxRetryCommand: HumanAction { static let action = "outbox retry" }
extension OutboxCancelCommand: HumanAction { static let action = "outbox cancel" }
extension OutboxHoldCommand: HumanAction { static let action = "outbox hold" }
extension OutboxReleaseCommand: HumanAction { static let action = "outbox release" }
extension OutboxResolveCommand: HumanAction { static let action = "outbox resolve" }
extension OutboxLimitsCommand: HumanAction { static let action = "outbox limits" }
extension TemplateAddCommand: HumanAction { static let action = "template add" }
extension TemplateRemoveCommand: HumanAction { static let action = "template remove" }
extension AccountSMTPLoginCommand: HumanAction { static let action = "account smtp-login" }
extension AccountSignatureCommand: HumanAction { static let action = "account signature" }
extension SuppressionAddCommand: HumanAction { static let action = "suppression add" }
extension SuppressionRemoveCommand: HumanAction { static let action = "suppression remove" }
// Its messages are recorded by the pipeline, not by the command's own transactions.
extension ImportCommand: HumanAction { static let action = "import" }
extension BackupCommand: HumanAction { static let action = "backup" }
extension RestoreCommand: HumanAction { static let action = "restore" }

extension HumanAction {
    var act: Act {
        Act(
            person: common.person ?? Actor.systemUser, systemUser: Actor.systemUser, origin: Actor.origin,
            action: Self.action)
    }
}

/// Who acts: the person at this terminal.
enum Actor {
    /// The name that stands with a decision: the CRM's user when one was named.
    static var name: String { Act.current?.person ?? systemUser }

    /// How what was just done is taken back, for the end of a sentence; empty when it cannot be.
    static var wayBack: String {
        if let undo = Act.current?.undo { return "; to take it back: mailworker undo \(undo)" }
        return Act.current?.isTooLargeToUndo == true ? "; it is too large to be taken back" : ""
    }

    static var systemUser: String {
        let user = ProcessInfo.processInfo.environment["SUDO_USER"] ?? NSUserName()
        return user.isEmpty ? "uid \(getuid())" : user
    }

    /// The machine from which a person is signed in, else the terminal.
    static var origin: String {
        if let connection = ProcessInfo.processInfo.environment["SSH_CONNECTION"],
            let address = connection.split(separator: " ").first
        {
            return "ssh from \(address)"
        }
        return ttyname(STDIN_FILENO).map { String(cString: $0) } ?? "no terminal"
    }
}
