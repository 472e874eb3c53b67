/// The words by which mail systems say that a message came back: data, to be added to. All in
/// lower case, and е for ё; each stands in a report of the system named beside it.
enum BouncePhrases {
    /// One of these makes a message of a mail system a bounce.
    static let openings: [String] = [
        // qmail
        "this is the qmail-send program", "i'm afraid i wasn't able to deliver your message",
        // Postfix
        "i'm sorry to have to inform you that your message could not",
        "could not be delivered to one or more recipients",
        // Exim
        "a message that you sent could not be delivered to one or more of its",
        "a message that you sent has not yet been delivered to one or more of its",
        "this message was created automatically by mail delivery software",
        // Sendmail
        "the following addresses had permanent fatal errors",
        "the following address had a permanent fatal error",
        "the following addresses had transient non-fatal errors", "the original message was received at",
        // Gmail
        "delivery to the following recipient failed", "address not found", "message wasn't delivered to",
        "your message wasn't delivered", "message not delivered",
        // Exchange and Outlook
        "your message did not reach some or all of the intended recipients",
        "delivery has failed to these recipients", "undeliverable message",
        "ваше сообщение не доставлено некоторым или всем",
        "не удалось выполнить доставку следующим получателям",
        "не удалось доставить сообщение следующим получателям",
        // Yandex
        "это письмо создано автоматически сервером", "к сожалению, ваше письмо не может быть доставлено",
        "письмо не может быть доставлено",
        // Mail.ru
        "ваше сообщение не принято", "ваше сообщение не было доставлено", "message was not accepted",
        "a message that you sent was rejected", "это письмо создано почтовым сервером mail.ru",
        // Others in Russian
        "письмо не доставлено", "сообщение не доставлено", "не было доставлено", "доставить не удалось",
        "доставка не удалась", "не удалось доставить", "не удается доставить", "невозможно доставить",
        "не может быть доставлено", "письмо было возвращено", "сообщение было возвращено",
        "возвращено отправителю", "сбой доставки",
        // IIS
        "доставка следующим получателям не выполнена", "доставка следующим получателям отложена",
        // Others in English
        "could not be delivered", "has not been delivered", "delivery failed", "delivery failure",
        "mail delivery failed", "undelivered mail returned", "returned mail",
    ]

    /// Subjects that say the same, for bounces whose text is only an address and a reason.
    static let subjects: [String] = [
        "failure notice", "mail delivery failed", "undelivered mail returned to sender", "returned mail",
        "undeliverable", "delivery status notification", "mail failure", "mail delivery failure",
        "delivery failure", "недоставленное сообщение", "не удается доставить", "не доставлено",
        "сообщение о недоставке", "ошибка доставки", "письмо не доставлено", "недоставлено", "сбой доставки",
        "возврат письма", "возвращено отправителю", "уведомление о состоянии доставки",
        "недоставленная почта",
    ]

    /// From here on a bounce quotes what was sent.
    static let quotes: [String] = [
        "--- below this line is a copy of the message", "this is a copy of the message",
        "------ this is a copy of your message", "message header follows", "--- original message",
        "unsent message follows", "original message follows",
        "original message header", "transcript of session follows",
        "returned message", "исходное письмо", "исходное сообщение", "начало письма", "текст письма",
        "копия письма", "копия вашего письма", "headers of the original", "заголовки исходного",
    ]

    /// What a reason without a code means. The first that fits counts.
    static let reasons: [(phrase: String, status: EnhancedStatus)] = [
        ("over quota", EnhancedStatus(5, 2, 2)), ("quota exceeded", EnhancedStatus(5, 2, 2)),
        ("mailbox is full", EnhancedStatus(5, 2, 2)), ("mailbox full", EnhancedStatus(5, 2, 2)),
        ("ящик переполнен", EnhancedStatus(5, 2, 2)), ("ящик получателя переполнен", EnhancedStatus(5, 2, 2)),
        ("превышен размер ящика", EnhancedStatus(5, 2, 2)),
        ("user unknown", EnhancedStatus(5, 1, 1)), ("unknown user", EnhancedStatus(5, 1, 1)),
        ("no such user", EnhancedStatus(5, 1, 1)), ("no mailbox here", EnhancedStatus(5, 1, 1)),
        ("invalid mailbox", EnhancedStatus(5, 1, 1)), ("user not found", EnhancedStatus(5, 1, 1)),
        ("mailbox unavailable", EnhancedStatus(5, 1, 1)), ("does not exist", EnhancedStatus(5, 1, 1)),
        ("address could not be found", EnhancedStatus(5, 1, 1)),
        ("couldn't be found", EnhancedStatus(5, 1, 1)), ("wasn't found at", EnhancedStatus(5, 1, 1)),
        ("mailbox not found", EnhancedStatus(5, 1, 1)),
        ("recipient rejected", EnhancedStatus(5, 1, 1)), ("mailbox is closed", EnhancedStatus(5, 2, 1)),
        ("не существует", EnhancedStatus(5, 1, 1)), ("не найден", EnhancedStatus(5, 1, 1)),
        ("нет такого пользователя", EnhancedStatus(5, 1, 1)), ("отключен", EnhancedStatus(5, 2, 1)),
        ("заблокирован", EnhancedStatus(5, 2, 1)), ("недоступен", EnhancedStatus(5, 2, 1)),
        ("account is disabled", EnhancedStatus(5, 2, 1)),
        ("account that you tried to reach is disabled", EnhancedStatus(5, 2, 1)),
        ("unrouteable address", EnhancedStatus(5, 1, 2)), ("host not found", EnhancedStatus(5, 1, 2)),
        ("domain name not found", EnhancedStatus(5, 1, 2)),
        ("host or domain name not found", EnhancedStatus(5, 1, 2)),
        ("домен не найден", EnhancedStatus(5, 1, 2)),
        ("retry timeout exceeded", EnhancedStatus(5, 4, 7)),
        ("connection timed out", EnhancedStatus(4, 4, 1)),
        ("connection refused", EnhancedStatus(4, 4, 1)), ("temporarily deferred", EnhancedStatus(4, 2, 0)),
        ("message size exceeds", EnhancedStatus(5, 3, 4)), ("too large", EnhancedStatus(5, 3, 4)),
        ("spam", EnhancedStatus(5, 7, 1)), ("спам", EnhancedStatus(5, 7, 1)),
        ("blocked", EnhancedStatus(5, 7, 1)), ("access denied", EnhancedStatus(5, 7, 1)),
    ]

    /// The message is only late.
    static let delays: [String] = [
        "has not yet been delivered", "delivery attempts will continue", "will continue to try",
        "could not send message for past", "you do not need to resend", "delayed", "еще не доставлено",
        "попытки доставки будут продолжены", "отложена",
        // Gmail
        "gmail will retry", "delivery status notification (delay)", "возникла временная проблема",
        "gmail будет повторять",
    ]
}
