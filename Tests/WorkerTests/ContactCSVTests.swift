import Archive
import Foundation
import MailModel
import Testing

@testable import Worker

struct ContactCSVTests {
    private func read(_ text: String) throws -> ContactCSV { try ContactCSV(data: Data(text.utf8)) }

    private func addresses(_ csv: ContactCSV) -> [[String]] {
        csv.rows.map { $0.contact.emails.map(\.addrSpec) }
    }

    // MARK: Files of address books

    static let addressBooks: [(text: String, name: String, emails: [String], phones: [String])] = [
        (
            """
            First Name,Middle Name,Last Name,Organization Name,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Value,Phone 1 - Value
            Ivan,,Petrov,Firma,* Work,ivan@klient.example,petrov@klient.example,+7 495 1234567
            """, "Ivan Petrov", ["ivan@klient.example", "petrov@klient.example"], ["+7 495 1234567"]
        ),
        (
            """
            "First Name","Last Name","Company","E-mail Address","E-mail 2 Address","Mobile Phone","Business Phone"
            "Ivan","Petrov","Firma","ivan@klient.example","petrov@klient.example","+7 1","+7 2"
            """, "Ivan Petrov", ["ivan@klient.example", "petrov@klient.example"], ["+7 1", "+7 2"]
        ),
        (
            """
            Фамилия;Имя;Отчество;Электронная почта;Мобильный телефон
            Петров;Иван;Сергеевич;ivan@klient.example;+7 1
            """, "Иван Сергеевич Петров", ["ivan@klient.example"], ["+7 1"]
        ),
        ("Имя;Почта\nИван Петров;ivan@klient.example", "Иван Петров", ["ivan@klient.example"], []),
    ]

    @Test(arguments: addressBooks)
    func theColumnsOfAddressBooksAreUnderstood(
        text: String, name: String, emails: [String], phones: [String]
    ) throws {
        let row = try #require(try read(text).rows.first?.contact)
        #expect(row.name == name && row.emails.map(\.addrSpec) == emails)
        #expect(row.phones == phones)
    }

    @Test func aColumnThatNoContactHasIsNamedWhenSomethingStandsInIt() throws {
        let text = "name,City,Fax,Note\nA,Moscow,,\nB,,,x\n"
        #expect(try read(text).ignoredColumns == ["City", "Note"])
        let mapped = try ContactCSV(data: Data(text.utf8), map: ["note": "tags", "City": ""])
        #expect(mapped.ignoredColumns == [] && mapped.rows.last?.contact.tags == ["x"])
    }

    @Test(arguments: ["sep=;\r\n", "\u{FEFF}sep=;\n", "SEP=;\n", "\"sep=;\"\n"])
    func theSeparatorThatTheFirstLineSaysIsTakenAndRowsAreCountedWithIt(line: String) throws {
        let csv = try read(line + "name;emails\nA, B;x@x.example\nC;nobody\n")
        #expect(csv.rows.map(\.contact.name) == ["A, B"] && csv.rows.first?.number == 3)
        #expect(csv.refused.first?.detail?.hasPrefix("row 4: ") == true)
    }

    // MARK: Files that cannot be read

    @Test(arguments: ["", "\n", "phone,city\n1,2\n", "a@x.example\n", ";;;\n"])
    func aFileWithoutAKnownHeaderIsRefusedWithTheHeaderItNeeds(text: String) throws {
        let failure = try #require(throws: MailFailure.self) { try read(text) }
        #expect(failure.code == .csv)
        #expect(failure.remedy?.contains("external_id,kind,name,emails") == true)
    }

    static let brokenQuotes: [(text: String, row: Int)] = [
        ("name,emails\n\"Anna,a@x.example\nBerta,b@x.example\n", 2), ("name\n\"", 2), ("\"name\nAnna\n", 1),
        ("name\nAnna\n\n\"Berta\nClara\"\n\"Doris", 5), ("name,emails\n\"Anna\" B,\n", 2),
        ("name\r\nFirma \"X\"\r\n", 2), ("name\n5\"", 2), ("name\n\"Anna,a\n\"Berta\",b\n", 2),
    ]

    @Test(arguments: brokenQuotes)
    func aBrokenQuoteIsRefusedByItsRowAndSwallowsNoOthers(text: String, row: Int) throws {
        let failure = try #require(throws: MailFailure.self) { try read(text) }
        #expect(failure.code == .csv)
        #expect(failure.detail?.hasPrefix("row \(row): ") == true, "\(failure.revealed)")
        #expect(failure.remedy?.contains("quotes") == true)
    }

    static let goodQuotes: [(text: String, names: [String])] = [
        ("name\n\"A \"\"B\"\" C\"\n", ["A \"B\" C"]), ("name\n\"\"\n\"A\"", ["A"]),
        ("name;emails\n\"A;B\";x@x.example", ["A;B"]), ("name\nA\"\"B\n", ["A\"B"]),
        ("name\n \"A\" \nB\n", ["A", "B"]), ("name\r\n\"A\"\r\n\"B\"\r\n", ["A", "B"]),
    ]

    @Test(arguments: goodQuotes)
    func quotesAsTheyShouldBeAreTaken(text: String, names: [String]) throws {
        #expect(try read(text).rows.map(\.contact.name) == names)
    }

    @Test(arguments: [
        "name,name,emails\nA,B,x@x.example\n", "name,имя\nA,B\n", "id,external_id,name\n1,2,A\n",
    ])
    func aColumnThatStandsTwiceIsRefused(text: String) throws {
        let failure = try #require(throws: MailFailure.self) { try read(text) }
        #expect(failure.code == .csv && failure.detail?.contains("twice") == true)
        // Unless one of them is left out.
        let first = String(text.prefix { $0 != "," })
        if !text.hasPrefix("name,name") {
            #expect(try ContactCSV(data: Data(text.utf8), map: [first: ""]).rows.count == 1)
        }
    }

    @Test(arguments: [
        ("vip; north", ["vip", "north"]), ("a,\"b,c\"", ["a", "b,c"]),
        (" \"b;\"\"c\"\"\" ;d", ["b;\"c\"", "d"]),
        ("\"open,b", ["\"open", "b"]), ("\"a\"b,c", ["\"a\"b", "c"]), (",;,", []), ("\"\"", []),
    ])
    func aListInACellKeepsWhatStandsInQuotes(text: String, names: [String]) {
        #expect(ContactCSV.list(text) == names)
    }

    // MARK: Rows that cannot be read

    @Test func eachBadRowIsNamedByItsNumberAndTheOthersAreRead() throws {
        let csv = try read(
            """
            kind,name,emails,private
            person,Anna,a@x.example,yes
            robot,Berta,b@x.example,
            ,Clara,not an address,
            ,,,
            ,Doris,d@x.example,perhaps
            lead,,e@x.example,нет
            organisation,,,

            """)
        #expect(csv.rows.map(\.number) == [2, 7])
        #expect(csv.rows.map(\.contact.name) == ["Anna", nil])
        #expect(csv.rows.map(\.contact.isPrivate) == [true, false])
        #expect(
            csv.refused.map { $0.detail?.prefix { $0 != ":" } } == ["row 3", "row 4", "row 6", "row 8"])
        #expect(csv.refused.allSatisfy { $0.kind == .permanent && $0.remedy != nil })
    }

    @Test func cellsBeyondTheHeaderAreNotDroppedSilently() throws {
        let csv = try read("name,emails\nAnna,a@x.example,b@x.example\nBerta,b@x.example,,\n")
        #expect(csv.rows.map(\.number) == [3])
        #expect(csv.refused.count == 1)
        #expect(csv.refused.first?.detail?.hasPrefix("row 2: ") == true)
        #expect(csv.refused.first?.remedy?.contains("quotes") == true)
    }

    // MARK: What is read

    @Test func twoColumnsOfAddressesAreTakenTogether() throws {
        let csv = try read("name,email,E-Mail\nAnna,a@x.example,b@x.example\nBerta,,c@x.example\n")
        #expect(addresses(csv) == [["a@x.example", "b@x.example"], ["c@x.example"]])
    }

    @Test(arguments: [",", ";", "\t"], ["\n", "\r\n"])
    func theSeparatorIsFoundInTheHeader(separator: String, newline: String) throws {
        let lines = [["name", "emails", "owner"], ["Anna", "a@x.example", "anna"], ["Berta", "", ""]]
        let text = lines.map { $0.joined(separator: separator) }.joined(separator: newline)
        let csv = try read(text)
        #expect(csv.rows.map(\.contact.name) == ["Anna", "Berta"])
        #expect(csv.rows.map(\.contact.owner) == ["anna", nil])
        #expect(csv.refused.isEmpty)
    }

    @Test func addressesAreSeparatedByWhateverPeopleUse() throws {
        let csv = try read("name,emails\nAnna,\"a@x.example, b@x.example;c@x.example\nd@x.example\"\n")
        #expect(addresses(csv) == [["a@x.example", "b@x.example", "c@x.example", "d@x.example"]])
    }

    @Test func aSpreadsheetsRussianFileIsRead() throws {
        let text = "Название;Почта;Тип\r\nООО Ромашка;info@romashka.example;organisation\r\n"
        let data = try #require(text.data(using: .windowsCP1251))
        let csv = try ContactCSV(data: data)
        #expect(csv.rows.map(\.contact.name) == ["ООО Ромашка"])
        #expect(csv.rows.map(\.contact.kind) == [.organisation])
        #expect(addresses(csv) == [["info@romashka.example"]])
    }

    @Test func aByteOrderMarkIsNoPartOfTheFirstColumn() throws {
        let csv = try ContactCSV(data: Data([0xEF, 0xBB, 0xBF] + Array("name\nAnna\n".utf8)))
        #expect(csv.rows.map(\.contact.name) == ["Anna"])
    }

    @Test func everyColumnReachesItsField() throws {
        let csv = try read(
            """
            external_id,kind,name,emails,organisation,owner,do_not_email,notify_owner,private,phone,tags,type,city,users
            42,Lead,"Anna ""A"" B, C",a@x.example,Firma,anna,1,true,да,+7 495 1234567,"vip; north",customer,X,"otto, ruth"
            """)
        var expected = ContactImportRow(
            kind: .lead, name: "Anna \"A\" B, C", emails: [EmailAddress("a@x.example")!])
        expected.externalID = "42"
        expected.organisation = "Firma"
        expected.owner = "anna"
        expected.doNotEmail = true
        expected.notifyOwner = true
        expected.isPrivate = true
        expected.phones = ["+7 495 1234567"]
        expected.tags = ["vip", "north"]
        expected.type = "customer"
        expected.users = ["otto", "ruth"]
        #expect(csv.rows.map(\.contact) == [expected])
    }

    @Test func twentyThousandRowsAreRead() throws {
        var text = "external_id,name,emails\n"
        for number in 1...20_000 { text += "\(number),Имя \(number),c\(number)@x.example\n" }
        let csv = try read(text)
        #expect(csv.rows.count == 20_000)
        #expect(csv.rows.last?.number == 20_001)
        #expect(csv.refused.isEmpty)
    }

    @Test func aColumnOfAnyNameIsMappedAndAMissingOneIsSaid() throws {
        let data = Data("Фирма;Контакт;Ящик\nООО;Анна;a@x.example\n".utf8)
        let map = ["фирма": "organisation", "Контакт": "name", "Ящик": "emails"]
        let csv = try ContactCSV(data: data, map: map)
        #expect(csv.rows.map(\.contact.name) == ["Анна"])
        #expect(csv.rows.map(\.contact.organisation) == ["ООО"])
        #expect(addresses(csv) == [["a@x.example"]])
        let failure = try #require(throws: MailFailure.self) {
            try ContactCSV(data: data, map: ["Y": "name"])
        }
        #expect(failure.detail?.contains("\"Y\"") == true)
    }

    @Test func anEncodingThatIsNamedHolds() throws {
        let text = "name\nАнна\n"
        let cyrillic = try #require(text.data(using: .windowsCP1251))
        #expect(throws: MailFailure.self) { try ContactCSV(data: cyrillic, encoding: .utf8) }
        #expect(try ContactCSV(data: cyrillic, encoding: .windows1251).rows.first?.contact.name == "Анна")
        let wide = Data([0xFF, 0xFE]) + (try #require(text.data(using: .utf16LittleEndian)))
        #expect(try ContactCSV(data: wide).rows.first?.contact.name == "Анна")
    }
}
