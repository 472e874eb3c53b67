import MailModel
import Testing

@Suite struct MessageBytesTests {
    private struct Failed: Error {}

    /// Freed twice, the storage ended the process: of a class, `deinit` runs after a throwing initializer too.
    @Test func `bytes that could not be filled are freed once`() {
        for size in [0, 1, 4_096, 1 << 20] {
            #expect(throws: Failed.self) { try MessageBytes(count: size) { _ in throw Failed() } }
        }
    }
}
