// swift-tools-version: 6.2
// What is built from what. Imports point down only: commands -> VMM -> {Boot, KVM, Host, ...} -> C shims.
// Every target is strict about memory safety and treats warnings as errors; every dependency is pinned exactly.

import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "swiftlet",
    products: [
        .library(name: "VMM", targets: ["VMM"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
    ],
    targets: [
        // C: header-only shims, and libelf.
        .target(name: "CKVM", path: "CShims/CKVM"),
        .target(name: "CHost", path: "CShims/CHost"),
        .target(name: "CABI", path: "CShims/CABI"),
        .systemLibrary(name: "CElf", path: "CShims/CElf", pkgConfig: "libelf", providers: [.apt(["libelf-dev"])]),

        // The ground: each of these imports nothing of ours but its own shim.
        .target(name: "GuestMemory", swiftSettings: strict),
        .target(name: "X86", swiftSettings: strict),
        .target(name: "KVM", dependencies: ["CKVM"], swiftSettings: strict),
        .target(name: "Host", dependencies: ["CHost"], swiftSettings: strict),

        // The machine.
        .target(name: "Boot", dependencies: ["GuestMemory", "X86", "CElf", "CABI"], swiftSettings: strict),
        .target(
            name: "VMM", dependencies: ["Boot", "KVM", "GuestMemory", "X86", "Host", "CABI"], swiftSettings: strict),

        // The commands.
        .executableTarget(name: "swiftlet", dependencies: ["VMM"], swiftSettings: strict),
        .executableTarget(name: "swiftlet-check", dependencies: ["GuestCases", "Host"], swiftSettings: strict),

        // Guests under test. GuestCases is a library, because swiftlet-check runs the cases inside the labs.
        .target(
            name: "GuestCases", dependencies: ["Host", "CHost"], path: "Tests/GuestCases", swiftSettings: strict),
        .testTarget(name: "GuestTests", dependencies: ["GuestCases", "Host"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
