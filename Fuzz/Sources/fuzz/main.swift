import CLibFuzzer

#if canImport(Glibc)
    import Glibc
#endif

// fuzz TARGET [libFuzzer option or corpus folder]…
//
// In its fork mode libFuzzer starts this program again, with options only: the
// target's name reaches those children through the environment.

let variable = "FUZZ_TARGET"
let arguments = CommandLine.arguments
let isNamed = arguments.count > 1 && !arguments[1].hasPrefix("-")
let name = isNamed ? arguments[1] : getenv(variable).map { String(cString: $0) }

/// The target of this process; libFuzzer's callback can capture nothing.
nonisolated(unsafe) var current = FuzzTarget.all[0]

guard let name, let target = FuzzTarget.all.first(where: { $0.name == name }) else {
    for target in FuzzTarget.all { print("\(target.name)\t\(target.maximumLength)\t\(target.summary)") }
    exit(isNamed ? 64 : 0)
}
current = target
setenv(variable, name, 1)

// The driver sees the program's name and the options.
var count = CommandLine.argc
var driverArguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
if isNamed {
    CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
    driverArguments = CommandLine.unsafeArgv + 1
    count -= 1
}
exit(
    withUnsafeMutablePointer(to: &driverArguments) { arguments in
        LLVMFuzzerRunDriver(&count, arguments) { bytes, length in
            current.run(UnsafeRawBufferPointer(start: bytes, count: length))
            return 0
        }
    })
