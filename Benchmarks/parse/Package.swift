// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "parse-benchmark",
    dependencies: [.package(name: "mailworker", path: "../..")],
    targets: [
        .executableTarget(
            name: "parse-loop", dependencies: [.product(name: "MIMEParse", package: "mailworker")]),
        .executableTarget(
            name: "pool-loop",
            dependencies: [
                .product(name: "MIMEParse", package: "mailworker"),
                .product(name: "ParsePool", package: "mailworker"),
            ]),
    ],
    cxxLanguageStandard: .cxx14
)
