/// 128 bits that stand for a value within this process, where the values themselves would take too much memory. The
/// key of the hashes is drawn when the process starts: nobody can look for two values that share them.
struct Fingerprint: Hashable {
    private let first, second: Int

    init(_ value: some Hashable) {
        var hasher = Hasher()
        hasher.combine(value)
        var other = hasher
        other.combine(true)
        first = hasher.finalize()
        second = other.finalize()
    }
}
