import MIMEParse
import MailModel
import Testing

@Suite struct HeaderTextTests {
    @Test func whatIsNoEncodedWordStaysAsItIs() {
        #expect(header("=?") == "=?")
        #expect(header("=??X?x?=") == "=??X?x?=")
        #expect(header("=?utf-8?X?abc?=") == "=?utf-8?X?abc?=")
        #expect(header("a =? b ?= c") == "a =? b ?= c")
    }

    @Test func damagedWordsGiveWhatTheyCan() {
        #expect(header("=?utf-8?B?0J/RgNC40LLQtdGC") == "Привет")
        #expect(header("=?utf-8?B?0J/RgNC40LLQtdGC\t0J/RgA?=") == "ПриветПр")
        #expect(header("=?utf-8?Q?a=ZZb?=") == "a=ZZb")
        #expect(header("=?utf-8?Q?two words?=") == "two words")
        #expect(header("=?no-such-charset?Q?=D0=9F?=") == "П")
    }

    @Test func charactersSplitBetweenWordsAreJoined() {
        #expect(header("=?utf-8?B?0J8=?= =?utf-8?B?0YA=?=") == "Пр")
        #expect(header("=?utf-8?Q?=D0?=\r\n =?UTF-8?Q?=9F?=") == "П")
        #expect(header("=?utf-8?B?0A==?= =?utf-8?Q?=9F?=") == "П")
    }

    @Test func base64CutOutsideItsGroupsIsRejoined() {
        #expect(header("=?utf-8?B?0J/RgNC4?= =?UTF-8?B?0LLQtdGC?=") == "Привет")
        #expect(header("=?utf-8?B?0J/Rg?=\n =?utf-8?B?NC40LLQtdGC?=") == "Привет")
        // Each word by itself makes sense: padding was left out, nothing was cut.
        #expect(header("=?utf-8?B?0J8?= =?utf-8?B?0YDQuA?=") == "При")
    }

    @Test func blanksBetweenWordsVanishAndOthersStay() {
        #expect(header("a =?utf-8?Q?b?= =?utf-8?Q?c?= d") == "a bc d")
        #expect(header("x=?utf-8?Q?b?=y") == "xby")
        #expect(header("=?utf-8?Q?a_b?=") == "a b")
        #expect(header("one\r\n\ttwo   three ") == "one two three")
    }

    @Test func languageTagsAreLeftOut() {
        #expect(header("=?utf-8*ru?Q?=D0=9F?=") == "П")
    }

    @Test func rawOctetsAreReadInTheirCharset() {
        let windows: [UInt8] = [0xCF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2, 0x20, 0xEC, 0xE8, 0xF0]
        let koi8: [UInt8] = [0xF0, 0xD2, 0xC9, 0xD7, 0xC5, 0xD4, 0x20, 0xCD, 0xC9, 0xD2]
        let dos: [UInt8] = [0x8F, 0xE0, 0xA8, 0xA2, 0xA5, 0xE2, 0x20, 0xAC, 0xA8, 0xE0]
        #expect(header(windows) == "Привет мир")
        #expect(header(koi8) == "Привет мир")
        #expect(header(dos) == "Привет мир")
        #expect(header(windows, fallback: "windows-1251") == "Привет мир")
        #expect(header([0x4D, 0xFC, 0x6C, 0x6C, 0x65, 0x72]) == "Müller")
        #expect(header("Привет") == "Привет")
    }
}
