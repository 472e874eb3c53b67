/// Which columns a table of contacts may have, and the names under which address books write them: data, to be added to.
enum ContactColumns {
    static let all = [
        "external_id", "kind", "name", "emails", "organisation", "owner", "do_not_email", "notify_owner",
        "private", "type", "tags", "phones", "users", "given_name", "middle_name", "family_name",
    ]
    /// One of these is needed.
    static let naming: Set<String> = ["name", "emails", "given_name", "family_name"]
    /// These may stand in a file several times, and have several values in one cell.
    static let severalFold: Set<String> = ["emails", "phones", "tags", "users"]

    /// The column that each name of a header, in lower case, means. A name that means none stays as it is.
    static func meant(by names: [String], _ mapped: [String: String]) -> [String] {
        // With a family name beside it, it is the given one.
        let hasFamilyName = names.contains { synonyms[$0] == "family_name" }
        return names.map { name in
            if let column = mapped[name] { return column }
            if name == "имя", hasFamilyName { return "given_name" }
            return synonyms[name] ?? numbered(name) ?? name
        }
    }

    /// `E-mail 1 - Value` and `Phone 2 - Value` (Google), `E-mail 2 Address` (Outlook).
    private static func numbered(_ name: String) -> String? {
        if name.wholeMatch(of: #/e-?mail \d+( - value| address)?/#) != nil { return "emails" }
        if name.wholeMatch(of: #/phone \d+( - value)?/#) != nil { return "phones" }
        return nil
    }

    private static let synonyms = [
        "id": "external_id",
        "full name": "name", "display name": "name", "имя": "name", "название": "name",
        "наименование": "name",
        "фио": "name", "ф.и.о.": "name", "контакт": "name",
        "first name": "given_name", "given name": "given_name", "firstname": "given_name",
        "middle name": "middle_name", "additional name": "middle_name", "отчество": "middle_name",
        "last name": "family_name", "family name": "family_name", "lastname": "family_name",
        "surname": "family_name", "фамилия": "family_name",
        "email": "emails", "e-mail": "emails", "mail": "emails", "email address": "emails",
        "e-mail address": "emails", "почта": "emails", "электронная почта": "emails", "эл. почта": "emails",
        "адрес электронной почты": "emails",
        "тип": "kind",
        "organization": "organisation", "organization name": "organisation",
        "organization 1 - name": "organisation", "company": "organisation", "организация": "organisation",
        "компания": "organisation", "фирма": "organisation",
        "ответственный": "owner",
        "phone": "phones", "phone number": "phones", "mobile phone": "phones", "business phone": "phones",
        "home phone": "phones", "телефон": "phones", "мобильный телефон": "phones",
        "рабочий телефон": "phones", "домашний телефон": "phones",
        "tag": "tags", "метки": "tags", "user": "users",
    ]
}
