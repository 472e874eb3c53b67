public import MailModel

extension ParsePool {
    /// What children are given, each limit with its reason.
    public struct Settings: Sendable {
        /// Children at a time.
        public var processes: Int
        /// The program that has the `parse-worker` command. The running one, whatever an upgrade
        /// has put in its place meanwhile.
        public var program = "/proc/self/exe"
        /// Memory for reading, beyond what the program itself needs. Ten times what the mail of
        /// our measurements takes; a large message is given more, for its decoded parts.
        public var memoryBytes = 128 << 20
        /// Processor time for one message, which honest mail needs milliseconds of. It costs
        /// three times this to find out that a message cannot be read.
        public var cpuMilliseconds = 5_000
        /// A large message is given a millisecond more for so many of its bytes; the slowest
        /// reading does five times as many.
        public var bytesPerMillisecond = 20_000
        /// Time without an answer after which a child counts as hanging, however busy the
        /// machine is.
        public var silenceMilliseconds = 60_000
        /// Time in which a child must be ready.
        public var startMilliseconds = 20_000
        /// Time without work after which a child is let go.
        public var idleMilliseconds = 30_000
        /// Messages that one child reads at most: one that was taken over by a mail can lie
        /// about those that it reads later, and no longer than this.
        public var messagesPerChild = 5_000
        /// A child that has grown beyond this is replaced.
        public var residentBytes = 96 << 20
        /// What the children keep to while they read.
        public var limits: MailLimits
        /// Larger messages go over as a file.
        public var inlineBytes: Int

        public init(processes: Int, limits: MailLimits = .standard) {
            self.processes = max(1, processes)
            self.limits = limits
            inlineBytes = limits.heapMessageBytes
        }

        func cpuMilliseconds(for byteCount: Int) -> UInt32 {
            UInt32(clamping: cpuMilliseconds + byteCount / bytesPerMillisecond)
        }

        func silence(for byteCount: Int) -> Duration {
            .milliseconds(silenceMilliseconds + 4 * (byteCount / bytesPerMillisecond))
        }

        /// The content of an attachment stands in memory twice, and may have grown to half
        /// as much again before.
        func furtherMemory(for byteCount: Int) -> Int64 {
            byteCount > inlineBytes ? 3 * Int64(byteCount) : 0
        }
    }
}

/// What keeps a hostile mail inside its child.
public struct ParseIsolation: Sendable, Hashable {
    /// The system call filter is in force: no files, no network, no programs.
    public var isFiltered: Bool
    /// Memory and all else that setrlimit bounds is bounded.
    public var isLimited: Bool
}

/// One question about one message.
struct ParseRequest: Sendable {
    var question: ParseFrame.Question
    var message: MessageBytes
}
