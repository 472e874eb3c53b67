import Archive
import MailFetch
import MailModel

/// Turns what a person said of an account into the settings that are stored: the
/// preset's values, then the defaults of the configuration, fill what was left out.
struct AccountDeclaration {
    let archive: Archive
    let configuration: Configuration

    /// The settings of a new account.
    func settings(for options: AccountOptions) throws(MailFailure) -> AccountSettings {
        guard let name = options.name, !name.isEmpty else {
            throw .usage("The account has no name", remedy: "Give it one with --name.")
        }
        guard let text = options.email else {
            throw .usage("The account has no address", detail: name, remedy: "Give it with --email.")
        }
        let email = try EmailAddress(typed: text)
        let preset = try Self.preset(options.preset)
        var settings = AccountSettings(name: name, email: email, login: preset.login(for: email))
        settings.preset = preset.rawValue
        settings.imap = preset.imap
        settings.smtp = preset.smtp
        settings.pollMinutes = configuration.pollMinutes
        settings.timeoutSeconds = configuration.timeoutSeconds
        // The user last, so that an account that is refused has made none.
        var others = options
        others.user = nil
        try change(&settings, by: others)
        guard settings.imap != nil else {
            throw .usage(
                "The account has no IMAP server", detail: name,
                remedy: "Name it with --imap-host, or use a preset.")
        }
        var owner = options.user
        if owner == nil { owner = try self.owner(of: email) }
        settings.user = try user(named: owner ?? name, email: email)
        return settings
    }

    /// Changes what the options name, and nothing else.
    func change(_ settings: inout AccountSettings, by options: AccountOptions) throws(MailFailure) {
        if let email = options.email {
            let address = try EmailAddress(typed: email)
            // The login follows the address as long as it is the address.
            if settings.login == settings.email?.addrSpec { settings.login = address.addrSpec }
            settings.email = address
        }
        if let name = options.preset, try Self.preset(name).rawValue != settings.preset {
            let preset = try Self.preset(name)
            settings.preset = preset.rawValue
            settings.imap = preset.imap ?? settings.imap
            settings.smtp = preset.smtp ?? settings.smtp
        }
        if let login = options.login { settings.login = login }
        settings.imap = try Self.endpoint(
            settings.imap, host: options.imapHost, port: options.imapPort, security: options.imapSecurity,
            standardPort: { $0 == .tls ? 993 : 143 }, hostOption: "--imap-host")
        settings.smtp = try Self.endpoint(
            settings.smtp, host: options.smtpHost, port: options.smtpPort, security: options.smtpSecurity,
            standardPort: { $0 == .tls ? 465 : 587 }, hostOption: "--smtp-host")
        if let minutes = options.pollMinutes { settings.pollMinutes = minutes }
        if let minutes = options.timeoutMinutes { settings.timeoutSeconds = minutes * 60 }
        if let folder = options.sentFolder { settings.sentFolder = folder.isEmpty ? nil : FolderName(folder) }
        if let folders = options.folders { settings.furtherFolders = Self.named(folders) }
        if let who = options.sentCopy { settings.sentCopy = SentCopy(rawValue: who) }
        if let since = options.since { settings.since = since }
        if options.fetchesOlder { settings.since = nil }
        if let pins = options.pins { settings.pins = pins }
        let isBare = [settings.imap, settings.smtp].contains { $0?.security == TransportSecurity.none }
        guard settings.pins.isEmpty || !isBare else {
            throw .usage(
                "A pin needs TLS", detail: settings.name,
                remedy: "Use tls or starttls for both servers, or take the pins away with --pin ''.")
        }
        if let file = options.caFile { settings.caFile = file.isEmpty ? nil : file }
        if let proxy = options.proxy { settings.proxy = proxy.isEmpty ? nil : proxy }
        if let push = options.push { settings.isWatched = push }
        if let shown = options.colleaguesSee { settings.colleaguesSee = shown }
        // Last, so that what is refused above has made no user.
        if let user = options.user { settings.user = try self.user(named: user, email: settings.email) }
    }

    /// Makes the account of an `[[account]]`, or brings it up to the file's values.
    ///
    /// - Parameter withPassword: also reads its password; without, a stored one stays.
    ///   - account: the one of that name, where there is one.
    func apply(
        _ declared: Configuration.DeclaredAccount, to account: Account?, withPassword: Bool = true
    ) throws(MailFailure) {
        var secret: Secret?
        if !withPassword {
            secret = nil
        } else if let file = declared.passwordFile {
            secret = try PasswordInput.read(file)
        } else if let name = declared.passwordEnvironment {
            secret = try PasswordInput.read(environment: name)
        }
        var wanted = try settings(for: declared.options)
        wanted.isDeclared = true
        guard let account else {
            try archive.addAccount(wanted, secret: secret)
            return
        }
        // A declared one is switched off only by leaving the file; it is back now.
        wanted.isEnabled = account.settings.isEnabled || account.settings.isDeclared
        if account.settings != wanted { try archive.editAccount(account.id, wanted) }
        if let secret, try archive.secret(of: account.id) != secret {
            try archive.setSecret(secret, of: account.id)
        }
    }

    /// Brings the accounts of the configuration up to its values, and stops polling those
    /// that it no longer has.
    func applyAll(withPasswords: Bool = true) throws(MailFailure) {
        let accounts = try archive.accounts()
        // Names may look the same and differ in their bytes: the same bytes go first.
        let exact = Dictionary(accounts.map { (Array($0.settings.name.utf8), $0) }) { first, _ in first }
        let alike = Dictionary(accounts.map { ($0.settings.name, $0) }) { first, _ in first }
        for declared in configuration.accounts {
            let account = declared.options.name.flatMap { exact[Array($0.utf8)] ?? alike[$0] }
            try apply(declared, to: account, withPassword: withPasswords)
        }
        let names = Set(configuration.accounts.compactMap(\.options.name))
        for account in accounts
        where account.settings.isDeclared && account.settings.isEnabled
            && !names.contains(account.settings.name)
        {
            var settings = account.settings
            settings.isEnabled = false
            try archive.editAccount(account.id, settings)
        }
    }

    /// Refuses to change by hand what the configuration would change back.
    func demandUndeclared(_ account: Account) throws(MailFailure) {
        let name = account.settings.name
        guard configuration.accounts.contains(where: { $0.options.name == name }) else { return }
        throw .usage(
            "The account is declared in the configuration", detail: configuration.path,
            remedy: "Change or remove its [[account]] there.")
    }

    /// Refuses to authorize what the configuration would give its password again.
    func demandNoDeclaredPassword(_ account: Account) throws(MailFailure) {
        let declared = configuration.accounts.first { $0.options.name == account.settings.name }
        guard let declared, declared.passwordFile != nil || declared.passwordEnvironment != nil else {
            return
        }
        throw .usage(
            "The configuration gives this account a password", detail: configuration.path,
            remedy: "Remove password_file or password_env from its [[account]], and authorize it then.")
    }

    /// Who has this address as their own, where that is one user.
    private func owner(of email: EmailAddress) throws(MailFailure) -> String? {
        let owners = try archive.users().filter { $0.email?.lowercased == email.lowercased }
        return owners.count == 1 ? owners[0].name : nil
    }

    /// The user of that name, made when there is none yet.
    private func user(named name: String, email: EmailAddress?) throws(MailFailure) -> UserID {
        do throws(MailFailure) {
            return try archive.user(named: name).id
        } catch  where error.code == .unknownUser {
            return try archive.addUser(name: name, email: email)
        }
    }

    /// An empty name is none: by it alone all are taken away.
    private static func named(_ folders: [String]) -> [FolderName] {
        folders.filter { !$0.isEmpty }.map { FolderName($0) }
    }

    private static func preset(_ name: String?) throws(MailFailure) -> ProviderPreset {
        guard let name else { return .custom }
        guard let preset = ProviderPreset(rawValue: name) else {
            throw .usage(
                "There is no such preset", detail: name,
                remedy: "Use one of: \(ProviderPreset.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return preset
    }

    private static func endpoint(
        _ present: ServerEndpoint?, host: String?, port: Int?, security: TransportSecurity?,
        standardPort: (TransportSecurity) -> UInt16, hostOption: String
    ) throws(MailFailure) -> ServerEndpoint? {
        guard host != nil || port != nil || security != nil else { return present }
        guard let host = host ?? present?.host else {
            throw .usage(
                "A port or security is given for a server that is not named",
                remedy: "Name the server with \(hostOption), or use a preset.")
        }
        let newSecurity = security ?? present?.security ?? .tls
        // A stated port counts; a kept one only while the security stays as it was.
        let kept = present?.security == newSecurity ? present?.port : nil
        return ServerEndpoint(
            host: host, port: port.map { UInt16($0) } ?? kept ?? standardPort(newSecurity),
            security: newSecurity)
    }
}
