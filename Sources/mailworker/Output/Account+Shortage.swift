import Archive
import MailModel
import Worker

extension Account {
    /// As it is shown while the disk has too little room for mail to be fetched: no error of its own can be mended before
    /// that. Nothing of it is stored, so that it goes with the shortage.
    func held(by shortage: MailFailure?) -> Account {
        guard let shortage, settings.kind == .mailbox, settings.isEnabled else { return self }
        var held = self
        held.status.failure = shortage
        return held
    }
}

extension Workplace {
    /// Why no mail is fetched now; nil when there is room, or nobody can say.
    var shortage: MailFailure? {
        guard let space = try? archive.diskSpace() else { return nil }
        return configuration.space.shortage(in: space)
    }
}
