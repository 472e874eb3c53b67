import Matcher

/// How several contacts become one. Pure.
public struct ContactMerge: Sendable, Hashable {
    /// What one contact has once, and what of several can only be taken from one.
    public enum Field: String, Sendable, CaseIterable {
        case kind, name, organisation, owner, type
        case externalID = "external-id"
    }

    /// Decides field by field: what the kept contact has stays; what it lacks comes from the first of
    /// the others that has it; addresses, tags and telephone numbers are united. Whom one of them must not be
    /// written to, or shown to, stays protected.
    ///
    /// - Parameter taking: fields that come from the others although the kept contact has them.
    /// - Returns: nil when an organisation and a person are to become one.
    public static func draft(
        into kept: Contact, _ others: [Contact], taking: Set<Field> = []
    ) -> ContactDraft? {
        let isOrganisation = kept.kind == .organisation
        guard others.allSatisfy({ ($0.kind == .organisation) == isOrganisation }) else { return nil }
        func value<Value>(_ field: Field, _ read: (Contact) -> Value?) -> Value? {
            let theirs = others.lazy.compactMap(read).first
            return taking.contains(field) ? theirs ?? read(kept) : read(kept) ?? theirs
        }
        let all = [kept] + others
        var draft = ContactDraft(kept)
        draft.kind = value(.kind) { $0.kind } ?? kept.kind
        // A lead that turns out to be somebody known is that person.
        if !taking.contains(.kind), all.contains(where: { $0.kind == .person }) { draft.kind = .person }
        draft.name = value(.name) { $0.name } ?? kept.name
        let ids = Set(all.map(\.id))
        draft.organisation = value(.organisation) { $0.organisation.flatMap { ids.contains($0) ? nil : $0 } }
        draft.owner = value(.owner) { $0.owner }
        draft.externalID = value(.externalID) { $0.externalID }
        draft.details.type = value(.type) { $0.details.type }
        var known: Set<CanonicalAddress> = []
        draft.emails = all.flatMap(\.emails).filter { known.insert(CanonicalAddress($0)).inserted }
        draft.details.tags = Set(all.flatMap(\.details.tags)).sorted()
        var numbers: Set<String> = []
        draft.details.phones = all.flatMap(\.details.phones).filter {
            numbers.insert(PhoneNumber($0)?.digits ?? $0).inserted
        }
        draft.doNotEmail = all.contains(where: \.doNotEmail)
        draft.notifyOwner = all.contains(where: \.notifyOwner)
        draft.isPrivate = all.contains(where: \.isPrivate)
        // Nobody sees a private contact by its becoming part of another, and nobody comes to own it.
        let secrets = all.filter(\.isPrivate)
        let readers = secrets.map { Set($0.details.users + [$0.owner].compactMap(\.self)) }
        if let first = readers.first {
            let common = readers.dropFirst().reduce(first) { $0.intersection($1) }
            let owners = [draft.owner] + secrets.map(\.owner)
            draft.owner = owners.compactMap(\.self).first(where: common.contains)
            draft.details.users = common.filter { $0 != draft.owner }.sorted { $0.rawValue < $1.rawValue }
        } else {
            draft.details.users = Set(all.flatMap(\.details.users)).sorted { $0.rawValue < $1.rawValue }
        }
        return draft
    }
}

/// What merging has done, or would do.
public struct MergeOutcome: Sendable, Hashable {
    public var kept: Contact
    public var others: [Contact]
    public var result: Contact
    /// Messages of the others that entered the kept contact's history.
    public var movedMessages = 0
    /// Messages that stood in several of the histories, and stand once now.
    public var sharedMessages = 0
    public var gain = AddressGain()
}
