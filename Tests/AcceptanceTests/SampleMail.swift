import Foundation

/// A message to deliver, written out with CRLF, so that the server changes none of its bytes.
struct SampleMail {
    var from: String
    var to: [String]
    var cc: [String] = []
    var subject: String
    var messageID: String
    var date = "Mon, 12 Jan 2026 10:00:00 +0300"
    var body = "Здравствуйте!\r\nПисьмо на проверку.\r\n"
    /// Name and content of one attachment.
    var attachment: (name: String, content: Data)?
    /// Header lines of the way it took; another copy has others.
    var trace: [String] = []

    var bytes: Data {
        var lines = trace
        lines += ["From: \(from)", "To: \(to.joined(separator: ", "))"]
        if !cc.isEmpty { lines.append("Cc: \(cc.joined(separator: ", "))") }
        lines += [
            "Subject: =?utf-8?B?\(Data(subject.utf8).base64EncodedString())?=",
            "Date: \(date)", "Message-ID: <\(messageID)>", "MIME-Version: 1.0",
        ]
        let text = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", body]
        if let attachment {
            lines += ["Content-Type: multipart/mixed; boundary=\"edge\"", "", "--edge"]
            lines += text
            lines += [
                "--edge", "Content-Type: application/pdf", "Content-Transfer-Encoding: base64",
                "Content-Disposition: attachment; filename*=utf-8''\(percentEncoded(attachment.name))", "",
                attachment.content.base64EncodedString(), "--edge--", "",
            ]
        } else {
            lines += text
        }
        return Data(lines.joined(separator: "\r\n").utf8)
    }

    private func percentEncoded(_ name: String) -> String {
        name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? name
    }
}
