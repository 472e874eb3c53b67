/// "1 message", "2 messages"; where more than the noun depends on the number, both are given.
func amount(_ number: some BinaryInteger, _ one: String, _ several: String? = nil) -> String {
    "\(number) \(number == 1 ? one : several ?? one + "s")"
}
