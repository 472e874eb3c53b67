import Foundation
public import MailModel

/// The limits as one word of a child's command line: what its pool was set to, the child keeps to.
extension MailLimits {
    /// Nil for a word that no pool of this version writes.
    public init?(wireText: String) {
        guard let limits = try? JSONDecoder().decode(MailLimits.self, from: Data(wireText.utf8)) else {
            return nil
        }
        self = limits
    }

    var wireText: String {
        // Integers under fixed names: there is nothing in them that JSON cannot say.
        guard let json = try? JSONEncoder().encode(self) else { preconditionFailure("no JSON") }
        return String(decoding: json, as: UTF8.self)
    }
}
