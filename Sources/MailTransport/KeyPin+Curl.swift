import MailModel

extension KeyPin {
    var curlForm: String { "sha256//\(base64)" }
}
