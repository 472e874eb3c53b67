// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target of ours: the strict language mode, explicit
/// import visibility, and no warning left standing.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "mailworker",
    products: [
        .executable(name: "mailworker", targets: ["mailworker"]),
        // For the packages in Benchmarks/ and Fuzz/.
        .library(name: "MIMEParse", targets: ["MIMEParse", "MailModel"]),
        .library(name: "ParsePool", targets: ["ParsePool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
    ],
    targets: [
        // Shims on C and C++ libraries.
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl"), .linkedLibrary("ssl")]),
        .target(
            name: "CMimetic",
            linkerSettings: [.linkedLibrary("mimetic")]),
        .target(
            name: "CSnowball", linkerSettings: [.linkedLibrary("stemmer"), .linkedLibrary("sqlite3")]),
        .target(name: "CChangesets", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CPageSums", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CSandbox", linkerSettings: [.linkedLibrary("seccomp")]),
        .systemLibrary(
            name: "CUchardet", pkgConfig: "uchardet", providers: [.apt(["libuchardet-dev"])]),
        .systemLibrary(
            name: "CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),

        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),

        // Values everybody speaks.
        .target(name: "MailModel", swiftSettings: strict),

        // Pure: bytes and facts in, values out.
        .target(
            name: "MIMEParse",
            dependencies: [
                "CMimetic", "CUchardet", "CXML2", "MailModel",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(name: "Matcher", dependencies: ["MailModel"], swiftSettings: strict),

        // Adapters: the network, the disk, and processes that read mail.
        .target(name: "MailTransport", dependencies: ["CCurl", "MailModel"], swiftSettings: strict),
        .target(
            name: "MailFetch", dependencies: ["CXML2", "CZlib", "MailModel", "MailTransport"],
            swiftSettings: strict),
        .target(
            name: "MailSend",
            dependencies: [
                "MIMEParse", "MailModel", "MailTransport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Mustache", package: "swift-mustache"),
            ],
            swiftSettings: strict),
        .target(
            name: "OAuth",
            dependencies: [
                "MailModel", "MailTransport",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(
            name: "Archive",
            dependencies: [
                "CChangesets", "CPageSums", "CSnowball", "MailModel", "Matcher",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),

        .target(
            name: "ParsePool", dependencies: ["CSandbox", "MIMEParse", "MailModel"],
            swiftSettings: strict),

        // Use cases, and the program.
        .target(
            name: "Worker",
            dependencies: [
                "Archive", "MIMEParse", "MailFetch", "MailModel", "MailSend", "MailTransport", "Matcher",
                "OAuth",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SwiftCSV", package: "SwiftCSV"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "mailworker",
            dependencies: [
                "Archive", "MIMEParse", "MailFetch", "MailModel", "MailSend", "MailTransport", "Matcher",
                "OAuth", "ParsePool",
                "Worker",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "TOMLKit", package: "TOMLKit"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // Scripted servers and golden files, for tests only.
        .target(name: "MailTestKit", dependencies: ["MailModel"], swiftSettings: strict),

        .testTarget(name: "MailModelTests", dependencies: ["MailModel"], swiftSettings: strict),
        .testTarget(
            name: "MIMEParseTests", dependencies: ["MIMEParse", "MailModel", "MailTestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "ParsePoolTests",
            dependencies: ["CSandbox", "MIMEParse", "MailModel", "ParsePool", "SandboxProbe", "mailworker"],
            swiftSettings: strict),
        .executableTarget(
            name: "SandboxProbe", dependencies: ["CSandbox"], path: "Tests/SandboxProbe"),
        .testTarget(
            name: "MatcherTests", dependencies: ["MailModel", "Matcher"], swiftSettings: strict),
        .testTarget(
            name: "MailTransportTests", dependencies: ["CCurl", "MailModel", "MailTestKit", "MailTransport"],
            swiftSettings: strict),
        .testTarget(
            name: "MailFetchTests",
            dependencies: ["MailFetch", "MailModel", "MailTestKit", "MailTransport"],
            swiftSettings: strict),
        .testTarget(
            name: "MailSendTests",
            dependencies: ["MIMEParse", "MailModel", "MailSend", "MailTestKit", "MailTransport"],
            swiftSettings: strict),
        .testTarget(
            name: "OAuthTests", dependencies: ["MailModel", "MailTestKit", "MailTransport", "OAuth"],
            swiftSettings: strict),
        .testTarget(
            name: "ArchiveTests",
            dependencies: [
                "Archive", "CPageSums", "MailModel", "Matcher",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Archive", "MIMEParse", "MailFetch", "MailModel", "MailSend", "MailTestKit", "MailTransport",
                "Matcher", "OAuth", "Worker",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: [
                "Archive", "MailFetch", "MailModel", "MailTransport", "Matcher", "OAuth", "Worker",
                "mailworker",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "AcceptanceTests", dependencies: ["MailTestKit", "mailworker"],
            swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx14
)
