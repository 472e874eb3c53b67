import Foundation
import MailModel
import Matcher
import Synchronization
import Testing

@testable import Archive

/// Nobody reads or changes what no right gives them, whichever way they ask, and everybody
/// gets what theirs do: the archive's answers against the policy, in companies made by chance.
@Suite struct RightsPropertyTests {
    /// More of them, and more than 100,000 checks: MAILWORKER_RIGHTS_WORLDS=20.
    private static let worlds =
        ProcessInfo.processInfo.environment["MAILWORKER_RIGHTS_WORLDS"].flatMap { UInt64($0) } ?? 8
    private static let checks = Atomic<Int>(0)

    @Test(arguments: 1...worlds)
    func `nobody reads what no right gives`(seed: UInt64) throws {
        let fixture = try ArchiveFixture()
        let world = try RightsWorld(fixture, seed: seed, messages: 40)
        let eye = Eye(world: world, administrator: fixture.archive, archive: fixture.archive)
        for user in world.users {
            eye.rights = user.rights
            eye.archive = fixture.archive.seen(by: try fixture.archive.viewer(named: user.name))
            #expect(try eye.archive.rights() == user.rights.withoutNone)
            try eye.looksAtContacts()
            try eye.looksAtHistories()
            try eye.looksAtMessages()
            try eye.looksAtTheQueue()
            try eye.looksAtEvents()
            try eye.triesWhatIsNotAllowed()
        }
        // What changes the world comes last.
        for (number, user) in world.users.enumerated() {
            eye.rights = user.rights
            eye.archive = fixture.archive.seen(by: try fixture.archive.viewer(named: user.name))
            try eye.makesContacts(fixture, as: user.name, number)
        }
        // A look must see something, or nothing was proven.
        #expect(eye.seen > 0 && eye.hidden > 0)
        let total = Self.checks.add(eye.checks, ordering: .relaxed).newValue
        if total > 0 { print("rights: \(total) checks in \(Self.worlds) worlds at most") }
    }
}

extension Rights {
    fileprivate var withoutNone: Rights {
        var rights = self
        rights.scopes = scopes.filter { $0.value != .none }
        return rights
    }
}

/// One user who asks for everything.
private final class Eye {
    let world: RightsWorld
    let administrator: Archive
    var archive: Archive
    var rights = Rights(user: UserID(rawValue: 0), department: nil, scopes: [:])
    var checks = 0
    var seen = 0
    var hidden = 0

    init(world: RightsWorld, administrator: Archive, archive: Archive) {
        self.world = world
        self.administrator = administrator
        self.archive = archive
    }

    private func check(
        _ holds: Bool, _ comment: @autoclosure () -> Comment, _ location: SourceLocation = #_sourceLocation
    ) {
        checks += 1
        if !holds { Issue.record(comment(), sourceLocation: location) }
    }

    /// The code with which something is refused; nil when it is not.
    private func refusal(_ body: () throws -> Void) -> MailFailure.Code? {
        do {
            try body()
            return nil
        } catch let failure as MailFailure {
            return failure.code
        } catch {
            return MailFailure.Code("other")
        }
    }

    func looksAtContacts() throws {
        let expected = Set(world.contacts.filter { Policy.sees($0.facts, rights) }.map(\.id))
        check(Set(try archive.contacts().map(\.id)) == expected, "the list of \(rights)")
        for (number, contact) in world.contacts.enumerated() {
            let sees = expected.contains(contact.id)
            if sees { seen += 1 } else { hidden += 1 }
            for text in [
                contact.id.description, "x\(number)", "c\(number)@client\(number).example",
                "contact \(number)",
            ] {
                let found = try? archive.findContact(text)
                check((found?.id == contact.id) == sees, "contact \(contact.id) as \(text) to \(rights)")
            }
            guard let found = try? archive.contact(contact.id) else { continue }
            let organisation = contact.organisation.map { world.contacts[$0] }
            let mayKnow = organisation.map { Policy.sees($0.facts, rights) } ?? false
            check(
                found.organisation == (mayKnow ? organisation?.id : nil)
                    && (found.organisationName == nil) == !mayKnow, "the organisation of \(contact.id)")
        }
    }

    func looksAtHistories() throws {
        for (number, contact) in world.contacts.enumerated() {
            guard Policy.sees(contact.facts, rights) else {
                check(
                    refusal { _ = try archive.history(of: contact.id) } == .unknownContact,
                    "the history of \(contact.id)")
                continue
            }
            let people = world.contacts.indices.filter { index in
                (index == number || world.contacts[index].organisation == number)
                    && Policy.reaches(.read, world.contacts[index].facts, rights)
            }
            // What stands with a private contact hidden from them, too, is that one's.
            let expected = world.messages.filter {
                !$0.contacts.isDisjoint(with: people) && Policy.disclosure(of: $0.facts, to: rights) != nil
            }
            let entries = try archive.history(of: contact.id)
            check(Set(entries.map(\.message)) == Set(expected.map(\.id)), "whose mail is in \(contact.id)")
            check(try archive.historyCount(of: contact.id) == expected.count, "the count of \(contact.id)")
            for entry in entries {
                guard let message = expected.first(where: { $0.id == entry.message }) else { continue }
                let disclosure = Policy.disclosure(of: message.facts, to: rights)
                check(entry.disclosure == disclosure, "what \(rights) sees of \(message)")
                check((entry.subject != nil) == (entry.disclosure >= .people), "the subject")
                check((entry.snippet != nil) == (entry.disclosure == .everything), "the text")
                check(entry.disclosure > .presence || (entry.from == nil && entry.to.isEmpty), "the people")
            }
        }
    }

    func looksAtMessages() throws {
        for message in world.messages {
            let disclosure = Policy.disclosure(of: message.facts, to: rights)
            if disclosure == nil { hidden += 1 } else { seen += 1 }
            let found = try? archive.message(message.id)
            check(found?.disclosure == disclosure, "what \(rights) sees of \(message)")
            check((found?.subject == message.word) == ((disclosure ?? .presence) >= .people), "the subject")
            check((found?.snippet != nil) == (disclosure == .everything), "the text")
            let blind = found?.participants.contains { $0.role == .bcc } ?? false
            check(
                !blind || Policy.disclosesBlindRecipients(message.facts, to: rights),
                "blind recipients of \(message) to \(rights)")
            let linked = Set((found?.links ?? []).map(\.contact))
            check(
                linked.allSatisfy { id in
                    world.contacts.contains { $0.id == id && Policy.sees($0.facts, rights) }
                }, "links of \(message)")
            let id = MessageID(rawValue: "\(message.word)@client.example")
            check(
                try archive.messages(withID: id).isEmpty == ((disclosure ?? .presence) < .people),
                "by Message-ID")
            try looksAtOriginals(message, disclosure)
            try looksAtReasons(message, disclosure)
        }
    }

    private func looksAtOriginals(
        _ message: RightsWorld.Message, _ disclosure: Disclosure?
    ) throws {
        let shown: MailFailure.Code? =
            switch disclosure {
            case nil: .unknownMessage
            case .everything?: nil
            default: .undisclosed
            }
        let facts = message.facts
        let hasOriginal = facts.copies.contains { Policy.disclosesOriginal(of: $0, in: facts, to: rights) }
        let code = shown ?? (hasOriginal ? nil : .undisclosed)
        check(refusal { _ = try archive.original(of: message.id) } == code, "the original of \(message)")
        check(refusal { _ = try archive.readable(message.id) } == shown, "the words of \(message)")
        let edited = try? archive.message(message.id).edited
        check(
            (edited != nil) == (facts.isEdited && (disclosure ?? .presence) >= .people)
                && (edited?.mayReadOriginal ?? hasOriginal) == hasOriginal, "the edit of \(message)")
        for copy in try administrator.message(message.id).copies {
            // The folder's name tells which of the facts this copy is.
            let sees = message.facts.copies.contains { facts in
                facts.isSenders == (copy.folder == "Sent")
                    && copy.account.hasPrefix("box \(index(of: facts)) ")
                    && Policy.disclosesOriginal(of: facts, in: message.facts, to: rights)
            }
            let bytes = try? archive.original(copy.original)
            check(bytes == nil || sees, "the copy in \(copy.account) of \(message) to \(rights)")
            check(sees == (bytes != nil) || isAmbiguous(copy, message), "a copy that a right gives")
        }
    }

    /// What explains a message names nobody whom the viewer does not see, and says the same of a contact as why-not.
    private func looksAtReasons(_ message: RightsWorld.Message, _ disclosure: Disclosure?) throws {
        let code: MailFailure.Code? =
            switch disclosure {
            case nil: .unknownMessage
            case .presence?: .undisclosed
            default: nil
            }
        check(refusal { _ = try archive.explanation(of: message.id) } == code, "why \(message) is there")
        let explanation = try? archive.explanation(of: message.id)
        let words = (explanation?.decisions ?? []).flatMap { [$0.about, $0.outcome] + $0.because }
        for (number, contact) in world.contacts.enumerated() {
            let sees = Policy.sees(contact.facts, rights)
            let isNamed = words.contains { $0.contains("contact \(number) (") }
            check(sees || !isNamed, "contact \(contact.id) is named to \(rights)")
            if number == 0 { checkWords(words, "why \(message) is there") }
            guard sees, code == nil else { continue }
            let absence = try archive.absence(of: message.id, from: contact.id)
            let isLinked = explanation?.message.links.contains {
                $0.contact == contact.id && $0.removedAt == nil
            }
            check(absence.isLinked == isLinked, "why-not of \(contact.id) and \(message)")
        }
    }

    /// No address or domain of a contact whom the viewer does not see, unless the message names it itself.
    private func checkWords(_ words: [String], _ comment: Comment) {
        for (number, contact) in world.contacts.enumerated() where !Policy.sees(contact.facts, rights) {
            check(!words.contains { $0.hasSuffix(" client\(number).example") }, comment)
        }
    }

    /// Two copies in boxes of one user that show different things to colleagues.
    private func isAmbiguous(_ copy: ArchivedMessage.Copy, _ message: RightsWorld.Message) -> Bool {
        message.facts.copies.filter { copy.account.hasPrefix("box \(index(of: $0)) ") }.count > 1
    }

    private func index(of copy: Policy.CopyFacts) -> Int {
        world.users.firstIndex { $0.rights.user == copy.mailbox?.user } ?? -1
    }

    func looksAtTheQueue() throws {
        let waiting = world.messages.filter(\.facts.isWaiting)
        let expected = waiting.filter { Policy.mayReview($0.facts, rights) }
        let items = try archive.reviewItems()
        check(Set(items.map(\.message)) == Set(expected.map(\.id)), "the queue of \(rights)")
        check(try archive.openReviewCount() == expected.count, "the count of the queue")
        for item in items {
            let known = item.suggestions.allSatisfy { suggestion in
                world.contacts.contains { $0.id == suggestion.contact && Policy.sees($0.facts, rights) }
            }
            check(known, "suggestions")
            checkWords([item.reason], "a warning of \(item.address ?? "-")")
        }
        for item in try administrator.reviewItems(withSuggestions: false) {
            let isOurs = expected.contains { $0.id == item.message }
            let code = refusal { _ = try archive.reviewItem(item.id) }
            check(code == (isOurs ? nil : .unknownReviewItem), "item \(item.id)")
        }
    }

    func looksAtEvents() throws {
        let events = try archive.events()
        let expected = world.events.filter { event in
            event.user == rights.user && Policy.reaches(.read, world.contacts[event.contact].facts, rights)
                && Policy.disclosure(of: world.messages[event.message].facts, to: rights) != nil
        }
        check(
            Set(events.map { "\($0.contact) \($0.message)" })
                == Set(expected.map { "\(world.contacts[$0.contact].id) \(world.messages[$0.message].id)" }),
            "the events of \(rights)")
        for event in events {
            guard let message = world.messages.first(where: { $0.id == event.message }) else { continue }
            let disclosure = Policy.disclosure(of: message.facts, to: rights) ?? .presence
            check((event.subject == message.word) == (disclosure >= .people), "the subject of an event")
            check((event.from != nil) == (disclosure >= .people), "the sender of an event")
            check(event.senderCheck == nil, "nobody checked it")
        }
    }

    /// Gives a contact of theirs every address that somebody hidden from them has, and every stranger's: they see no
    /// more than before, though mail of these addresses keeps coming, and colleagues' queues are what they were. Then it is
    /// taken back.
    func makesContacts(_ fixture: ArchiveFixture, as name: String, _ number: Int) throws {
        let waiting = Set(try administrator.reviewItems(withSuggestions: false).map(\.message))
        let before = try glimpses()
        let hidden = world.contacts.indices.filter { !Policy.sees(world.contacts[$0].facts, rights) }
        var draft = ContactDraft(name: "made by \(name)")
        draft.emails =
            hidden.map { EmailAddress("c\($0)@client\($0).example")! }
            + world.messages.indices.map { EmailAddress(RightsWorld.strangers($0))! }
        var made: ContactID?
        var action: UndoID?
        let code = refusal {
            action = try fixture.act("contact add", as: name) { made = try archive.addContact(draft).id }
        }
        check(
            code == (rights.scope(.contacts) > .none ? nil : .rightMissing), "making a contact as \(rights)")
        guard let made, let action else { return }
        let after = try glimpses()
        let entries = (try? archive.history(of: made)) ?? []
        for message in world.messages {
            guard let was = before[message.id], let isNow = after[message.id] else { continue }
            check(isNow.isWithin(was), "\(message) as \(rights), who made a contact of its addresses")
            let stays = waiting.contains(message.id) && !Policy.mayFollow(message.facts, by: rights)
            check(
                !stays || (try? administrator.message(message.id).state) == .review,
                "the queue has \(message)")
            guard let entry = entries.first(where: { $0.message == message.id }) else { continue }
            check(
                entry.disclosure <= was.disclosure ?? .presence && was.disclosure != nil, "in the new history"
            )
        }
        // A colleague's mail that comes later is no private contact's to whoever does not see that contact.
        let later = try arrivals(fixture, for: hidden, number)
        for (contact, message) in later where world.contacts[contact].facts.isPrivate {
            check((try? archive.message(message)) == nil, "later mail of a private contact to \(rights)")
            check(
                !((try? archive.history(of: made)) ?? []).contains { $0.message == message }, "nor its entry")
        }
        check(refusal { try archive.undo(action, by: name) } == nil, "taking a contact back as \(rights)")
        let last = try glimpses()
        check(world.messages.allSatisfy { last[$0.id] == before[$0.id] }, "what \(rights) sees is as it was")
        check(
            waiting.isSubset(of: Set(try administrator.reviewItems(withSuggestions: false).map(\.message))),
            "what waited waits again")
    }

    /// One message of each contact, in a mailbox of somebody else's.
    private func arrivals(
        _ fixture: ArchiveFixture, for contacts: [Int], _ number: Int
    ) throws -> [(contact: Int, message: ArchivedMessageID)] {
        try contacts.map { contact in
            let text = "later\(number)x\(contact)"
            _ = try fixture.archive.ingest([
                fixture.arrival(
                    UInt32(100_000 + number * 100 + contact), from: "c\(contact)@client\(contact).example",
                    text: text)
            ])
            return (
                contact, try administrator.messages(withID: MessageID(rawValue: "\(text)@client.example"))[0]
            )
        }
    }

    /// What somebody can learn of one message.
    private struct Glimpse: Equatable {
        var disclosure: Disclosure?
        var hasBlind = false
        var copies: Set<String> = []
        var originals = 0

        func isWithin(_ other: Self) -> Bool {
            (disclosure?.rawValue ?? 0) <= (other.disclosure?.rawValue ?? 0) && (!hasBlind || other.hasBlind)
                && copies.isSubset(of: other.copies)
        }
    }

    private func glimpses() throws -> [ArchivedMessageID: Glimpse] {
        try world.messages.reduce(into: [:]) { glimpses, message in
            var glimpse = Glimpse()
            if let found = try? archive.message(message.id) {
                glimpse.disclosure = found.disclosure
                glimpse.hasBlind = found.participants.contains { $0.role == .bcc }
                glimpse.copies = Set(found.copies.map { "\($0.account) \($0.folder)" })
            }
            for copy in try administrator.message(message.id).copies
            where (try? archive.original(copy.original)) != nil { glimpse.originals += 1 }
            glimpses[message.id] = glimpse
        }
    }

    /// Only what must be refused, so that the next user finds everything as it was.
    func triesWhatIsNotAllowed() throws {
        let target = world.contacts.first { Policy.sees($0.facts, rights) }
        for item in try administrator.reviewItems(withSuggestions: false) {
            let message = world.messages.first { $0.id == item.message }!
            if Policy.mayReview(message.facts, rights) { continue }
            let codes = [
                refusal { try archive.ignore(.items([item.id]), by: "x") },
                refusal {
                    try archive.link(.items([item.id]), to: [(target ?? world.contacts[0]).id], by: "x")
                },
            ]
            check(
                codes.allSatisfy { $0 == .unknownReviewItem || $0 == .rightMissing || $0 == .unknownContact },
                "deciding about item \(item.id)")
        }
        if rights.scope(.review) < .all, let item = try administrator.reviewItems(limit: 1).first {
            let code = refusal { try archive.ignore(.items([item.id]), .address, by: "x") }
            check(code == .rightMissing, "a rule for everybody")
        }
        for contact in world.contacts where !Policy.reaches(.contacts, contact.facts, rights) {
            let hides = !Policy.sees(contact.facts, rights)
            let expected: MailFailure.Code = hides ? .unknownContact : .rightMissing
            let draft = ContactDraft(name: "x")
            let code = refusal { try archive.changeContact(contact.id) { $0 = draft } }
            check(code == expected, "changing a contact")
            let address = EmailAddress("x@x.example")!
            check(
                refusal { try archive.addAddress(address, to: contact.id) } == expected, "adding an address")
            check(refusal { try archive.erase(contact.id) } == .rightMissing, "erasing a contact")
        }
        for message in world.messages {
            for index in message.contacts {
                let contact = world.contacts[index]
                guard
                    !Policy.reaches(.read, contact.facts, rights)
                        || !Policy.mayReview(message.facts, rights)
                else { continue }
                let code = refusal { try archive.unlink(message.id, from: contact.id, by: "x") }
                check(code == .unknownMessage || code == .rightMissing, "unlinking \(message)")
            }
            if Policy.disclosure(of: message.facts, to: rights) != .everything
                || !Policy.mayReviewAll(message.facts, rights)
            {
                let codes = [
                    refusal {
                        try archive.edit(message.id, EditedWords(subject: "x", text: nil), by: "x")
                    }, refusal { try archive.revertEdit(of: message.id, signature: nil) },
                ]
                check(
                    codes.allSatisfy { $0 == .unknownMessage || $0 == .rightMissing || $0 == .undisclosed },
                    "editing \(message)")
            }
            if Policy.disclosure(of: message.facts, to: rights) == nil {
                let code = refusal { try archive.makePrivate(message.id) }
                check(code == .unknownMessage || code == .rightMissing, "erasing \(message)")
            }
        }
        check(refusal { try archive.addRole(name: "x", [:]) } == .rightMissing, "making a role")
        check(refusal { try archive.addUser(name: "x") } == .rightMissing, "making a user")
    }
}
