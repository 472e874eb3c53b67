// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the main one stays light: the parser's sources
// (symbolic links into ../Sources) once more, instrumented for libFuzzer.

/// The counters and comparisons that libFuzzer follows; its own `main` stays out.
let instrumented: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-sanitize=fuzzer", "-enforce-exclusivity=checked"]),
]

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0")
    ],
    targets: [
        .target(
            name: "CMimetic", cxxSettings: [.unsafeFlags(["-fsanitize=fuzzer-no-link"])],
            linkerSettings: [.linkedLibrary("mimetic")]),
        .systemLibrary(
            name: "CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(
            name: "CUchardet", pkgConfig: "uchardet", providers: [.apt(["libuchardet-dev"])]),
        .target(name: "CLibFuzzer"),
        .target(name: "MailModel", swiftSettings: instrumented),
        .target(
            name: "MIMEParse",
            dependencies: [
                "CMimetic", "CUchardet", "CXML2", "MailModel",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: instrumented + [.unsafeFlags(["-enable-testing"])]),
        .executableTarget(
            name: "fuzz", dependencies: ["CLibFuzzer", "CMimetic", "MIMEParse", "MailModel"],
            swiftSettings: instrumented, linkerSettings: [.linkedLibrary("stdc++")]),
    ],
    cxxLanguageStandard: .cxx14
)
