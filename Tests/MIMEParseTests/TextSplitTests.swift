import MIMEParse
import MailModel
import Testing

private func message(_ text: String) -> ParsedMessage {
    reading("Content-Type: text/plain; charset=utf-8\n\n\(text)")
}

private func own(_ text: String) -> String? {
    let message = message(text)
    return message.split?.ownText(in: message.text ?? "")
}

private func signature(_ text: String) -> String? {
    let message = message(text)
    return message.split?.signatureText(in: message.text ?? "")
}

@Suite struct TextSplitTests {
    @Test(
        arguments: [
            "Просто письмо.\n\nБез всего.", "He wrote:\n\nnothing at all.",
            "From: the very start, to: the end",
            "Смета:\n- пункт\n- пункт", "a - b\n-----\nc", "В 10:00 он пишет: приезжайте",
            "С уважением отношусь к вам.",
            "On 10:00 we wrote:\nour own words", "Сроки поставки на 2026 год, 10:00:\nпонедельник",
            "1 < 2\n2 > 1",
            "From: Moscow\nTo: Paris\nby train", ">From here on, mbox put the mark", "",
            "С уважением,\nИван",
            "Буквы:\nА> альфа\nА> аз",
            // A web form's report.
            "От: Иван Петров\nДата: 5 марта\nТема: Доставка\n\nКогда привезут?",
            // A divider, no signature.
            "Заказ:\n--\n" + String(repeating: "позиция\n", count: 30) + "\nЖдём.",
        ])
    func theAuthorsOwnWordsAreNeverTakenAway(_ text: String) {
        #expect(message(text).split == nil)
    }

    @Test(
        arguments: [
            "Да.\n\n> Согласны?\n> Иван",
            "Да.\n\nOn Mon, 1 Jun 2026 at 10:00, Ivan <i@x.example> wrote:\n> Agreed?",
            "Да.\n\nOn Mon, 1 Jun 2026 at 10:00, Ivan Petrov\n<i@x.example> wrote:\n\n> Agreed?",
            "Да.\n\nпн, 1 июн. 2026 г. в 10:00, Иван <i@x.example>:\n\n> Согласны?",
            "Да.\n\nПонедельник, 1 июня 2026, 10:00 +03:00 от Иван <i@x.example>:\n\nСогласны?\nИван",
            "Да.\n\n01.06.2026, 10:00, \"Иван\" <i@x.example>:\nСогласны?",
            "Да.\n\nИван Петров писал(а) 2026-06-01 10:00:\n> Согласны?",
            "Да.\n\n1 июня 2026 г., 10:00, Иван пишет:\n> Согласны?",
            "Да.\n\n-----Original Message-----\nFrom: Ivan\nSent: Monday\nTo: Anna\nSubject: x\n\nAgreed?",
            "Да.\n\n-----Исходное сообщение-----\nОт: Иван\n\nСогласны?",
            "Да.\n\n-------- Пересылаемое сообщение --------\n01.06.2026, Иван\n\nСогласны?",
            "Да.\n\n________________________________\nОт: Иван <i@x.example>\nОтправлено: 1 июня 2026 г.\nКому: Анна\nТема: x\n\nСогласны?",
            "Да.\n\nFrom: Ivan <i@x.example>\nSent: Monday, June 1, 2026\nTo: Anna\nSubject: x\n\nAgreed?",
            "Да.\n\n*От:* Иван <i@x.example>\n*Дата:* 1 июня\n*Кому:* Анна\n*Тема:* x\n\nСогласны?",
            "Да.\n\nВы писали 1 июня 2026 г., 10:00:00:\n\nАП> Согласны?\nАП> Анна\n",
            "Да.\n\nBegin forwarded message:\n\nFrom: Ivan\n\nAgreed?",
            "Да.\n\nКонец:\n\n> a\n>\n\n> b".replacing("Конец:\n\n", with: ""),
        ])
    func quotationsOfAllProgramsAreFound(_ text: String) {
        #expect(own(text) == "Да.")
    }

    @Test func answersBetweenTheLinesAreTheAuthors() {
        let text = "Ivan wrote on 1 Jun:\n> One?\nYes.\n> Two?\nNo."
        #expect(own(text) == "Yes.\nNo.")
        #expect(message(text).split?.quoted.count == 2)
    }

    @Test(
        arguments: [
            ("Текст.\n\n-- \nИван\nООО", "-- \nИван\nООО"), ("Текст.\n--\nИван", "--\nИван"),
            (
                "Текст.\n\nС уважением,\nИван Петров\n+7 495 000-00-00",
                "С уважением,\nИван Петров\n+7 495 000-00-00"
            ),
            ("Text.\n\nBest regards,\nIvan", "Best regards,\nIvan"),
            ("Текст.\n\nС уважением, Иван", "С уважением, Иван"),
            ("Текст.\n\nОтправлено с iPhone", "Отправлено с iPhone"),
            ("Text.\nSent from my iPhone", "Sent from my iPhone"),
            ("Текст.\n\n-- \nИван\n\n> Согласны?", "-- \nИван"),
        ])
    func signaturesAreFound(_ text: String, _ wanted: String) {
        #expect(signature(text) == wanted)
        #expect(own(text).map { $0 == "Текст." || $0 == "Text." } == true)
    }

    @Test func aSignatureBelowAQuotationIsFound() {
        let text = "> Согласны?\n> Да или нет?\nДа.\n\nС уважением,\nИван"
        #expect(own(text) == "Да.")
        #expect(signature(text) == "С уважением,\nИван")
    }

    @Test func theTextStaysWhole() {
        let text = "Да.\n\n> Согласны?\n\n-- \nИван"
        #expect(message(text).text == text)
    }

    @Test func theReadingShowsTheParts() {
        let reading = MessageReading(path: "", message: message("Да.\n\n> Согласны?\n\n-- \nИван"))
        #expect(reading.ownText == "Да.")
        #expect(reading.quotedText == "> Согласны?")
        #expect(reading.signature == "-- \nИван")
    }

    /// Whatever lines come together, the parts lie within the text and apart from each other.
    @Test func anyMixtureOfLinesGivesPartsInOrder() throws {
        let kinds = [
            "Да.", "", "> a", ">> b", "-- ", "С уважением,", "Иван",
            "On 1 Jun 2026 10:00, a@b.example wrote:",
            "-----Original Message-----", "From: a@b.example", "Sent: now", "To: me", "____________________",
            "Отправлено с iPhone", "01.06.2026, 10:00, a <a@b.example>:", "Begin forwarded message:", ":",
            ">From x",
        ]
        var state: UInt64 = 42
        for _ in 0..<400 {
            var lines: [String] = []
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                lines.append(kinds[Int(state >> 33) % kinds.count])
            }
            let message = message(lines.joined(separator: "\n"))
            guard let split = message.split, let text = message.text else { continue }
            let parts = (split.quoted + (split.signature.map { [$0] } ?? [])).sorted {
                $0.lowerBound < $1.lowerBound
            }
            var end = 0
            for part in parts {
                #expect(part.lowerBound >= end, "\(text)")
                end = part.upperBound
            }
            #expect(end <= text.utf8.count)
        }
    }

    @Test(arguments: ["x:\n", "> \n", "From:\n", "\n", "----\n", "On 1 Jun 2026 10:00 a@b:\n", "> a\nb\n"])
    func hugeTextsTakeLinearTime(_ line: String) {
        let text = String(repeating: line, count: 40_000)
        #expect(message(text).text != nil)
    }
}
