import Testing

@Suite struct MailDateTests {
    @Test(arguments: [
        "", "yesterday", "Mon, 32 Jan 2024 00:00:00 +0000", "Fri, 30 Feb 2024 10:00:00 +0000",
        "1 Jan 2024 25:00:00 +0000", "1 Jan 2024 10:61:00 +0000", "29 Feb 2023 00:00:00 +0000", "Jan 2024",
        "99999999999 Jan 2024 00:00:00", "0 Jan 2024 00:00:00 +0000", "((((((((((",
    ])
    func impossibleDatesAreNil(_ text: String) {
        #expect(date(text) == nil)
    }

    @Test func theStandardForm() {
        #expect(date("Mon, 1 Jan 2024 00:00:00 +0000") == 1_704_067_200)
        #expect(date("Mon, 1 Jan 2024 03:00:00 +0300 (MSK)") == 1_704_067_200)
        #expect(date("1 Jan 2024 00:00 GMT") == 1_704_067_200)
        #expect(date("Fri, 29 Feb 2024 12:00:00 -0330") == 1_709_220_600)
        #expect(date("Thu, 13 Feb 1969 23:32:54 -0330") == -27_723_426)
    }

    @Test func obsoleteForms() {
        #expect(date("Mon, 1 Jan 24 00:00:00 GMT") == 1_704_067_200)
        #expect(date("1 Jan 124 00:00:00 Z") == 1_704_067_200)
        #expect(date("Thu , 1 Jan 2024 00 : 00 (x) : 00 UT") == 1_704_067_200)
        #expect(date("31 Dec 2023 19:00:00 EST") == 1_704_067_200)
        #expect(date("1 Jan 2024 03:00:00 MSK") == 1_704_067_200)
        #expect(date("1 Jan 2024 00:00:00 XYZ") == 1_704_067_200)
    }

    @Test func formsOfOtherPrograms() {
        #expect(date("Mon Jan  1 00:00:00 2024") == 1_704_067_200)
        #expect(date("2024-01-01T00:00:00Z") == 1_704_067_200)
        #expect(date("2024-01-01 03:00:00 +03:00") == 1_704_067_200)
        #expect(date("01.01.2024 00:00") == 1_704_067_200)
        #expect(date("1 Jan 2024 12:00:00 AM") == 1_704_067_200)
    }

    /// Zones that begin like months of some language, years in front of them and behind.
    @Test(arguments: [
        ("Tue Mar 5 18:00:00 MAGT 2024", 1_709_622_000),
        ("05 Mar 2024 10:00:00 Russian Standard Time", 1_709_622_000),
        ("10:00:00 05-Mar-2024 +0300", 1_709_622_000), ("07:00:00 05-Mar-2024", 1_709_622_000),
        ("Tue, 5 Mar 0024 10:00:00 +0300", 1_709_622_000), ("Tue, 5 Mar 2024 10:00:00 +03000", 1_709_622_000),
        ("Mon, 4 Mar 2024 24:00:00 -0700", 1_709_622_000),
        ("Tue Mar 5 07:00:00 Arab Uncertain Time 2024", 1_709_622_000),
    ])
    func zonesAndYearsThatLookLikeSomethingElse(_ text: String, _ wanted: Int64) {
        #expect(date(text) == wanted)
    }

    @Test func noMailIsOlderThanItsStandard() {
        #expect(date("5 Mar 1899 10:00:00 +0000") == nil)
        #expect(date("1 Jan 2024 24:00:01 +0000") == nil)
    }

    @Test func monthsInOtherLanguages() {
        #expect(date("Пн, 1 янв 2024 00:00:00 +0000") == 1_704_067_200)
        #expect(date("1 января 2024 г. 00:00:00 +0000") == 1_704_067_200)
        #expect(date("1 мая 2024 00:00:00 +0000") == 1_714_521_600)
        #expect(date("mar. 6 févr. 2024 00:00:00 +0000") == 1_707_177_600)
        #expect(date("Mi, 1 Mai 2024 00:00:00 +0000") == 1_714_521_600)
    }

    @Test(
        arguments: [
            "25/06/2025 10:00:00 +0300", "06/25/2025 10:00:00 +0300", "2025/06/25 10:00:00 +0300",
            "25-06-2025 10:00 +0300", "25.06.25 10:00 +0300", "20250625T100000+0300",
            "Wed, 25 Jun 2025 10:00:00 + 0300", "25 червня 2025 10:00 +0300", "25 чэрвеня 2025 10:00 +0300",
            "25 юни 2025 10:00 +0300", "25 маусым 2025 10:00 +0300", "25 Haziran 2025 10:00 +0300",
            "25 června 2025 10:00 +0300", "25 jún. 2025 10:00 +0300", "25 kesä 2025 10:00 +0300",
        ])
    func datesOfOtherCountriesAndPrograms(_ text: String) {
        #expect(date(text) == 1_750_834_800)
    }

    @Test(arguments: ["01/06/2025 10:00 +0300", "25/25/2025", "2025/13/01", "32-06-2025", "20251325T100000"])
    func datesThatCannotBeOrCouldBeTwoAreNone(_ text: String) {
        #expect(date(text) == nil)
    }
}
