import Archive
import Foundation
import MailFetch
import MailModel
import MailTransport
import Worker

/// What a command works with: the configuration, the open archive, and whatever
/// else it asks for.
struct Workplace {
    let configuration: Configuration
    /// As the person may see it who acts.
    let archive: Archive

    /// Whether a command handles the accounts' passwords.
    enum Secrets {
        /// Everything that is read or reviewed goes on without the key.
        case unused
        case needed
    }

    /// What `--as USER` must be allowed.
    enum Access {
        /// Everything: what the command shows or changes is not limited to what a user may see.
        case administration
        /// As much as the user's rights give: all that the command does goes through reads and
        /// changes of the archive that keep to them.
        case rights
    }

    /// Opens the archive as the person may see it who acts, and brings declared users and accounts up to the configuration;
    /// their passwords too when the command needs secrets.
    ///
    /// Without `--as` that is the operating system's administrator, from whom nothing is kept.
    init(
        _ common: CommonOptions, secrets: Secrets = .unused, as access: Access = .administration
    ) throws(MailFailure) {
        configuration = try common.loadConfiguration()
        let key = secrets == .needed ? try configuration.key() : nil
        var options = ArchiveOptions()
        options.packBytes = configuration.packBytes
        options.undoDays = configuration.undoDays
        options.undoBytes = configuration.undoBytes
        options.bounces = configuration.bounces
        options.matching = configuration.matching
        options.trial = try StepTrial.fromEnvironment()
        options.whileWaiting = { processes in
            let names = processes.map { "process \($0)" }.joined(separator: ", ")
            Terminal.complain(
                "waiting until another mailworker has brought the archive up to date"
                    + (names.isEmpty ? "" : " (\(names))"))
        }
        let opened = try Archive.open(
            directory: configuration.archiveDirectory, key: key, options: options)
        do {
            // What the configuration declares is nobody's action.
            try Act.$current.withValue(nil) { [configuration] in
                try configuration.declareUsersAndAccounts(in: opened, secrets)
            }
        } catch let failure as MailFailure {
            throw failure
        } catch {
            throw MailFailure(.configuration, kind: .needsPerson, "The configuration could not be applied")
        }
        guard let person = common.person else {
            archive = opened
            return
        }
        archive = opened.seen(by: try opened.viewer(named: person))
        if access == .administration { try archive.demand(.administer, .all) }
    }

    /// - Throws: when a client secret cannot be read.
    func pollSettings() throws(MailFailure) -> PollSettings {
        var settings = PollSettings(
            limits: configuration.limits, allowedNetworks: configuration.allowedNetworks,
            concurrency: configuration.pollConcurrency)
        for declared in configuration.oauthClients {
            settings.oauthClients[declared.provider] = try declared.client()
        }
        settings.space = configuration.space
        settings.compression = configuration.compression
        settings.hostConnections = configuration.pollHostConnections
        settings.hostWatches = configuration.pollHostWatches
        return settings
    }

    func makePipeline() -> IngestPipeline {
        var limits = IngestPipeline.Limits()
        limits.receivingBytes = configuration.receivingBytes
        limits.commitMessages = configuration.commitMessages
        limits.space = configuration.space
        return IngestPipeline(
            archive: archive, parsing: configuration.parsing(), limits: limits)
    }

    func searchIndexing() -> SearchIndexing {
        SearchIndexing(archive: archive, parsing: configuration.parsing(atMost: 2))
    }

    /// Reads again what an older version could not read; nil when there was nothing.
    func rereadInWords() async throws(MailFailure) -> String? {
        let (read, count) = try await Rereading(archive: archive, parsing: configuration.parsing(atMost: 1))
            .run()
        guard count > 0 else { return nil }
        return "\(read) of \(count) messages that an older version could not read have been read now"
    }

    func makeSyncPass(settings: PollSettings) throws(MailFailure) -> SyncPass {
        let poller = MailboxPoller(
            archive: archive, loop: try NetworkLoop(), pipeline: makePipeline(), settings: settings)
        return SyncPass(archive: archive, poller: poller, settings: settings)
    }
}

extension Configuration {
    fileprivate func declareUsersAndAccounts(
        in archive: Archive, _ secrets: Workplace.Secrets
    ) throws(MailFailure) {
        for declared in users {
            let email = try declared.email.map { text throws(MailFailure) in try EmailAddress(typed: text) }
            if let user = try archive.users().first(where: { $0.name == declared.name }) {
                guard user.email != email else { continue }
                try archive.editUser(user.id, displayName: user.displayName, email: email)
            } else {
                _ = try archive.addUser(name: declared.name, email: email)
            }
        }
        try AccountDeclaration(archive: archive, configuration: self)
            .applyAll(withPasswords: secrets == .needed)
    }

    /// The key that seals secrets: from the environment, else from the file.
    func key() throws(MailFailure) -> SecretKey {
        if let key = try keyFromEnvironment() { return key }
        return try SecretKey(file: keyFile)
    }

    /// The key of $MAILWORKER_KEY, which overrides the file; nil when it is not set.
    func keyFromEnvironment() throws(MailFailure) -> SecretKey? {
        guard let text = ProcessInfo.processInfo.environment["MAILWORKER_KEY"], !text.isEmpty else {
            return nil
        }
        return try SecretKey(text: text)
    }
}

extension EmailAddress {
    /// An address that a person typed.
    init(typed text: String) throws(MailFailure) {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        guard let address = EmailAddress(trimmed) else {
            throw .usage(
                "This is not an e-mail address", detail: text,
                remedy: "Write it as local@domain, without a name.")
        }
        self = address
    }
}
