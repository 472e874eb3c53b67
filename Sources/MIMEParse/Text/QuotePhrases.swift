/// The words by which mail programs introduce quotations and people close their letters,
/// in lower case.
enum QuotePhrases {
    /// At the end of a line such as "On …, Ivan <…> wrote:", before the colon.
    static let wrote = [
        "wrote", "writes", "schrieb", "a écrit", "escribió", "ha scritto", "escreveu", "napisał",
        "написал", "написала", "написал(а)", "писал", "писала", "писали", "писал(а)", "пишет", "пише",
        "написав",
        "написала(а)", "napsal", "yazdı",
    ]

    /// Lines between dashes behind which everything is another message.
    static let separators = PhraseList([
        "original message", "original appointment", "forwarded message", "reply message",
        "исходное сообщение",
        "пересылаемое сообщение", "перенаправленное сообщение", "пересланное сообщение",
        "пересылаемое письмо", "оригинальное сообщение", "конец пересылаемого сообщения",
        "ursprüngliche nachricht", "message d'origine", "вихідне повідомлення", "исходное письмо",
    ])

    /// Whole lines with the same meaning, without dashes.
    static let introductions = PhraseList(["begin forwarded message:", "начало переадресованного сообщения:"])

    /// The first field of a header quoted within a text, and those that follow it.
    static let firstFields = PhraseList(["from:", "от:", "от кого:", "von:", "de:", "від:"])
    static let furtherFields = PhraseList([
        "sent:", "date:", "to:", "cc:", "subject:", "отправлено:", "дата:", "кому:", "копия:", "тема:",
        "gesendet:", "datum:", "an:", "betreff:", "надіслано:", "envoyé :", "objet :", "к:", "reply-to:",
    ])

    /// How a letter closes; a name and what belongs to it follow.
    static let closings = PhraseList([
        "с уважением", "с наилучшими пожеланиями", "с искренним уважением",
        "с уважением и наилучшими пожеланиями",
        "всего доброго", "всего наилучшего", "з повагою", "best regards", "kind regards", "regards",
        "warm regards", "best wishes", "yours sincerely", "sincerely", "yours faithfully", "sincerely yours",
        "mit freundlichen grüßen", "mit freundlichem gruß", "cordialement", "saludos cordiales", "br", "rgds",
    ])

    /// What programs put under a letter by themselves.
    static let programs = PhraseList([
        "отправлено с iphone", "отправлено с ipad", "отправлено из", "отправлено с моего",
        "отправлено с устройства",
        "отправлено с телефона", "отправлено с galaxy", "отправлено с samsung", "отправлено с android",
        "отправлено с планшета", "отправлено с мобильного", "sent from my", "sent from mail for",
        "sent from yahoo", "get outlook for", "получить outlook для", "скачать outlook для",
        "послано из", "von meinem iphone gesendet", "envoyé de mon",
    ])
}
