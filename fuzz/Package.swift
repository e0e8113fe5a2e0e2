// swift-tools-version: 6.2
// libFuzzer on what is hostile: image files, the arguments of calls, rings, ports, requests to a server, debuggers, the traps of deprivileged
// guests. `make fuzz` builds and runs it.
//
// A package of its own, because every module in it is compiled with -sanitize=fuzzer, the VMM's too.

import PackageDescription

let checked: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let harness: [Target.Dependency] = ["Harness"]

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "swiftlet", path: "..")],
    targets: [
        .target(name: "CFuzz"),
        .target(
            name: "Harness",
            dependencies: [
                "CFuzz", .product(name: "VMM", package: "swiftlet"),
                .product(name: "Snapshot", package: "swiftlet"),
                .product(name: "ImageBuilder", package: "swiftlet"),
                .product(name: "Deprivileged", package: "swiftlet"),
                .product(name: "Debugger", package: "swiftlet"),
                .product(name: "Service", package: "swiftlet"),
                .product(name: "Rings", package: "swiftlet"),
                .product(name: "Hosting", package: "swiftlet"),
            ],
            swiftSettings: checked),
        .executableTarget(name: "fuzz-elf", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-solo5", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-multiboot", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-pvh", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-linux", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-flat", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-snapshot", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-calls", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-traps", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-unikernels", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-requests", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-host", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-identities", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-xen", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-ports", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-rings", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-virtio", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-gdb", dependencies: harness, swiftSettings: checked),
        .executableTarget(name: "fuzz-planted", dependencies: harness, swiftSettings: checked),
    ],
    swiftLanguageModes: [.v6]
)
