import Foundation
import MIMEParse
import MailModel

// parse-loop SECONDS DIR…: reads every message (NAME.eml, or a Maildir's TIME.…) below the folders into memory, parses
// all of them once to warm up, then round after round until SECONDS have passed, and
// prints messages, octets, attachments and octets of content of one round, the rounds, and
// the seconds of the quickest one.

let arguments = CommandLine.arguments.dropFirst()
guard let seconds = arguments.first.flatMap(Double.init), arguments.count > 1 else {
    FileHandle.standardError.write(Data("usage: parse-loop SECONDS DIR…\n".utf8))
    exit(64)
}

func isMessage(_ path: String) -> Bool {
    path.hasSuffix(".eml") || path.split(separator: "/").last?.first?.isNumber == true
}

var messages: [MessageBytes] = []
for folder in arguments.dropFirst() {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    for name in names.sorted() where isMessage(name) {
        guard let data = FileManager.default.contents(atPath: folder + "/" + name) else { continue }
        messages.append(MessageBytes(data))
    }
}
guard !messages.isEmpty else {
    FileHandle.standardError.write(Data("error: no message there\n".utf8))
    exit(66)
}

let parser = MIMEParser()
var attachments = 0
var contentOctets = 0

@MainActor func round() {
    attachments = 0
    contentOctets = 0
    for message in messages {
        let parsed = parser.parse(message)
        attachments += parsed.attachments.count
        contentOctets += parsed.attachments.reduce(0) { $0 + $1.size }
        contentOctets += parsed.text?.utf8.count ?? 0
    }
}

let clock = ContinuousClock()
round()
let start = clock.now
var rounds = 0
var quickest = Duration.seconds(1_000_000)
repeat {
    let time = clock.measure { round() }
    quickest = min(quickest, time)
    rounds += 1
} while clock.now - start < .seconds(seconds)
let octets = messages.reduce(0) { $0 + $1.count }
print(
    messages.count, octets, attachments, contentOctets, rounds,
    Double(quickest.components.seconds) + Double(quickest.components.attoseconds) / 1e18)
