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

extension InitCommand: HumanAction { static let action = "init" }
// With --again, when the next poll asks for what the server withheld.
extension AccountWithheldCommand: HumanAction { static let action = "account withheld" }
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
extension AccountAuthorizeCommand: HumanAction { static let action = "account authorize" }
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
        let actor = Actor.present
        return Act(
            person: common.person ?? actor.person, systemUser: actor.systemUser, origin: actor.origin,
            action: Self.action)
    }
}
