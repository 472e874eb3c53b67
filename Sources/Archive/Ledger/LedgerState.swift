/// What became of one UID: the terminal states, and `review`, which waits for a person.
public enum LedgerState: String, Sendable, Codable, CaseIterable {
    case archived, review, ignored, `private`, duplicate
    case tooLarge = "too-large"
    case quarantined, gone

    init(_ state: MessageState) {
        switch state {
        case .archived: self = .archived
        case .review: self = .review
        case .ignored: self = .ignored
        case .private: self = .private
        case .quarantined: self = .quarantined
        }
    }
}
