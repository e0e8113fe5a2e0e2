// swift-tools-version: 6.2
// A program of its own that uses Swiftlet as a library.

import PackageDescription

let package = Package(
    name: "call",
    dependencies: [.package(name: "swiftlet", path: "../..")],
    targets: [
        .executableTarget(name: "call", dependencies: [.product(name: "Swiftlet", package: "swiftlet")])
    ]
)
