// swift-tools-version: 6.2
// What is built from what. Imports point down only: commands -> VMM -> {Boot, KVM, Host, ...} -> C shims.
// Every target is strict about memory safety and treats warnings as errors; every dependency is pinned exactly.

import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// Tests look at memory as they like.
let testing: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "swiftlet",
    products: [
        .library(name: "VMM", targets: ["VMM"]),
        .library(name: "Snapshot", targets: ["Snapshot"]),
        .library(name: "Deprivileged", targets: ["Deprivileged"]),
        .library(name: "Debugger", targets: ["Debugger"]),
        .library(name: "Service", targets: ["Service"]),
        .library(name: "Rings", targets: ["Rings", "Devices", "Virtio"]),
        .library(name: "Hosting", targets: ["Hosting", "Catalogue"]),
        // All that a program needs which runs guests itself: docs/library.md.
        .library(name: "Swiftlet", targets: ["VMM", "Snapshot", "Host"]),
        .library(name: "ImageBuilder", targets: ["ImageBuilder"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    ],
    targets: [
        // C: header-only shims, and libelf.
        .target(name: "CKVM", path: "CShims/CKVM"),
        .target(name: "CHost", path: "CShims/CHost"),
        .target(name: "CABI", path: "CShims/CABI"),
        .target(name: "CBacking", path: "CShims/CBacking"),
        .target(name: "CDevices", path: "CShims/CDevices"),
        .target(name: "CDeprivileged", path: "CShims/CDeprivileged"),
        // One DWARF version in the program, the Swift compiler's: old debuggers and valgrind cannot take two.
        .target(
            name: "CStart", path: "CShims/CStart", exclude: ["start-order"],
            cSettings: [.unsafeFlags(["-gdwarf-4"])]),
        .target(name: "CSnapshot", path: "CShims/CSnapshot"),
        .systemLibrary(name: "CElf", path: "CShims/CElf", pkgConfig: "libelf", providers: [.apt(["libelf-dev"])]),

        // The disassembler of crash reports.
        .systemLibrary(
            name: "CCapstone", path: "CShims/CCapstone", pkgConfig: "capstone", providers: [.apt(["libcapstone-dev"])]),
        .target(name: "Disassembly", dependencies: ["CCapstone"], swiftSettings: strict),

        // The sandbox's filters: compiled by libseccomp when we are built, which nothing else links.
        .systemLibrary(
            name: "CSeccomp", path: "CShims/CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .executableTarget(name: "filter-compiler", dependencies: ["CSeccomp"], cSettings: [.define("_GNU_SOURCE")]),
        .plugin(name: "CompileFilter", capability: .buildTool(), dependencies: ["filter-compiler"]),
        .target(name: "CSandbox", path: "CShims/CSandbox"),

        // The ground: each of these imports nothing of ours but its own shim.
        .target(name: "GuestMemory", swiftSettings: strict),
        .target(name: "X86", swiftSettings: strict),
        .target(name: "KVM", dependencies: ["CKVM"], swiftSettings: strict),
        .target(name: "Host", dependencies: ["CHost"], swiftSettings: strict),
        .target(
            name: "Sandbox", dependencies: ["CSandbox", "Host"], swiftSettings: strict, plugins: ["CompileFilter"]),

        .target(name: "Measure", swiftSettings: strict),
        // What watches a run: it knows an exit and a machine's memory, but no machine.
        .target(name: "Observe", dependencies: ["KVM", "Host", "X86"], swiftSettings: strict),

        // Guest memory other than the default's, and what is said about all of it.
        .target(
            name: "Backing", dependencies: ["Boot", "GuestMemory", "KVM", "Host", "X86", "CABI", "CBacking"],
            swiftSettings: strict),

        // Ring-0 images in ring 3.
        .target(
            name: "Deprivileged", dependencies: ["KVM", "GuestMemory", "X86", "Host", "CDeprivileged"],
            swiftSettings: strict),

        // Disks and network interfaces of the host. Knows no machine.
        .target(name: "Devices", dependencies: ["Host", "CDevices"], swiftSettings: strict),

        // Rings in guest memory, and the threads that serve them.
        .target(
            name: "Rings", dependencies: ["Devices", "GuestMemory", "Host", "KVM", "CABI", "CDevices"],
            swiftSettings: strict),

        // The devices that other people's kernels have drivers for.
        .target(name: "Virtio", dependencies: ["Rings", "Devices", "GuestMemory", "Host"], swiftSettings: strict),

        // The machine.
        .target(name: "Boot", dependencies: ["GuestMemory", "X86", "CElf", "CABI"], swiftSettings: strict),
        .target(
            name: "VMM",
            dependencies: [
                "Boot", "KVM", "GuestMemory", "Backing", "Deprivileged", "Devices", "Disassembly", "Rings", "Virtio",
                "X86",
                "Host", "Observe", "CABI", "CDevices",
            ],
            swiftSettings: strict),

        // A machine's way into a file and back.
        .target(
            name: "Snapshot",
            dependencies: [
                "VMM", "Boot", "Backing", "Devices", "KVM", "GuestMemory", "X86", "Host", "Sandbox", "Observe", "CABI",
                "CSnapshot",
            ],
            swiftSettings: strict),

        // gdb's and lldb's way into a machine.
        .target(
            name: "Debugger",
            dependencies: ["VMM", "KVM", "Host", "X86", "Deprivileged", "Backing", "Disassembly", "Observe"],
            swiftSettings: strict),

        // Calls over a socket: protocol, server, client. It knows no guest.
        .target(name: "Service", dependencies: ["Host"], swiftSettings: strict),

        // Many machines of one server, each a process, and who looks after them at terminals and sockets. It knows no guest.
        .target(name: "Hosting", dependencies: ["Host", "Service"], swiftSettings: strict),
        // Their definitions: files that people write.
        .target(
            name: "Catalogue",
            dependencies: ["Hosting", "VMM", "Boot", "Deprivileged", "Devices", "Host"],
            swiftSettings: strict),

        // Throw-away machines that measure this host's KVM.
        .target(
            name: "Rig", dependencies: ["VMM", "KVM", "GuestMemory", "X86", "Host"], swiftSettings: strict),

        // The commands.
        .executableTarget(
            name: "swiftlet",
            dependencies: [
                "VMM", "Snapshot", "Backing", "Debugger", "Deprivileged", "Devices", "Boot", "Rig", "Observe", "CStart",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "swiftlet-check", dependencies: ["GuestCases", "Snapshot", "VMM", "Host"], swiftSettings: strict),
        .target(name: "Subcommand", dependencies: [argumentParser, "Host", "VMM"], swiftSettings: strict),
        .executableTarget(
            name: "swiftlet-doctor",
            dependencies: ["Subcommand", "Measure", "Rig", "Sandbox", "VMM", "KVM", "Host", "X86"],
            swiftSettings: strict),
        .executableTarget(
            name: "swiftlet-snapshot", dependencies: ["Subcommand", "Snapshot", "Host"], swiftSettings: strict),
        .executableTarget(
            name: "swiftlet-serve", dependencies: ["Subcommand", "Service", "Snapshot", "VMM", "Host", histogram],
            swiftSettings: strict),
        .executableTarget(
            name: "swiftlet-call", dependencies: ["Subcommand", "Service", "Measure", "Host"], swiftSettings: strict),
        .executableTarget(
            name: "swiftlet-clone", dependencies: ["Subcommand", "Snapshot", "Measure", "VMM", "Host"],
            swiftSettings: strict),
        .executableTarget(
            name: "swiftlet-host",
            dependencies: ["Subcommand", "Catalogue", "Devices", "Hosting", "Service", "Host"],
            swiftSettings: strict),
        .executableTarget(
            name: "swiftlet-inspect",
            dependencies: [
                "Subcommand", "Snapshot", "VMM", "Boot", "Backing", "Devices", "GuestMemory", "Host", "X86",
            ],
            swiftSettings: strict),

        .executableTarget(
            name: "swiftlet-walk",
            dependencies: ["Subcommand", "Snapshot", "VMM", "Boot", "Host", "X86"], swiftSettings: strict),

        .executableTarget(
            name: "swiftlet-bench",
            dependencies: [
                "Subcommand", "Measure", "Rig", "Snapshot", "Backing", "VMM", "KVM", "GuestMemory", "Devices", "Host",
                "CABI", histogram,
            ],
            swiftSettings: strict),

        // Guests under test. GuestCases is a library, because swiftlet-check runs the cases inside the labs.
        .target(
            name: "GuestCases", dependencies: ["Host", "CHost"], path: "Tests/GuestCases", swiftSettings: strict),
        .testTarget(
            name: "GuestTests", dependencies: ["GuestCases", "Host", "Hosting", "TestSupport"], swiftSettings: strict),

        // Each module's own tests. ImageBuilder is a library, because the fuzzers' seeds are made with it too.
        .target(name: "ImageBuilder", path: "Tests/ImageBuilder", swiftSettings: strict),
        .executableTarget(
            name: "faulty-disk", dependencies: ["Host", "CHost"], path: "Tests/faulty-disk", swiftSettings: testing),
        .testTarget(
            name: "TestSupport",
            dependencies: ["GuestCases", "GuestMemory", "Devices", "Host", "CHost", "faulty-disk"],
            swiftSettings: testing),
        .testTarget(name: "X86Tests", dependencies: ["X86", "TestSupport"], swiftSettings: testing),
        .testTarget(
            name: "GuestMemoryTests", dependencies: ["GuestMemory", "TestSupport"], swiftSettings: testing),
        .testTarget(
            name: "BackingTests",
            dependencies: ["Backing", "Boot", "X86", "GuestMemory", "Host", "CABI", "TestSupport"],
            swiftSettings: testing),
        .testTarget(
            name: "DevicesTests", dependencies: ["Devices", "CDevices", "Host", "TestSupport"], swiftSettings: testing),
        .testTarget(
            name: "RingsTests", dependencies: ["Rings", "Devices", "GuestMemory", "Host", "CABI", "TestSupport"],
            swiftSettings: testing),
        .testTarget(
            name: "VirtioTests", dependencies: ["Virtio", "Rings", "Devices", "GuestMemory", "Host", "TestSupport"],
            swiftSettings: testing),
        .testTarget(name: "HostTests", dependencies: ["Host", "KVM", "TestSupport"], swiftSettings: testing),
        .target(name: "CForbidden", dependencies: ["CSandbox"], path: "Tests/CForbidden"),
        .testTarget(
            name: "SandboxTests", dependencies: ["Sandbox", "CSandbox", "CForbidden", "Host", "TestSupport"],
            swiftSettings: testing),
        .testTarget(name: "KVMTests", dependencies: ["KVM", "Host", "TestSupport"], swiftSettings: testing),
        .testTarget(
            name: "DeprivilegedTests",
            dependencies: ["Deprivileged", "CDeprivileged", "KVM", "GuestMemory", "Host", "X86", "TestSupport"],
            swiftSettings: testing),
        .testTarget(name: "DisassemblyTests", dependencies: ["Disassembly"], swiftSettings: testing),
        .testTarget(name: "ObserveTests", dependencies: ["Observe", "KVM", "TestSupport"], swiftSettings: testing),
        .testTarget(name: "MeasureTests", dependencies: ["Measure"], swiftSettings: testing),
        .testTarget(
            name: "RigTests", dependencies: ["Rig", "GuestMemory", "KVM", "Host", "TestSupport"], swiftSettings: testing
        ),
        .testTarget(name: "BootTests", dependencies: ["Boot", "ImageBuilder", "TestSupport"], swiftSettings: testing),
        .testTarget(
            name: "VMMTests",
            dependencies: ["VMM", "Backing", "Devices", "Rings", "Observe", "ImageBuilder", "TestSupport"],
            swiftSettings: testing),
        .testTarget(
            name: "SnapshotTests",
            dependencies: ["Snapshot", "VMM", "Backing", "CSnapshot", "GuestCases", "ImageBuilder", "TestSupport"],
            swiftSettings: testing),
        .testTarget(
            name: "swiftlet-cloneTests", dependencies: ["swiftlet-clone", "Subcommand", "Host"],
            swiftSettings: testing),
        .testTarget(
            name: "swiftlet-snapshotTests", dependencies: ["swiftlet-snapshot"], swiftSettings: testing),
        .testTarget(
            name: "swiftletTests", dependencies: ["swiftlet", "Backing", "Devices", "TestSupport"],
            swiftSettings: testing),
        .testTarget(
            name: "DebuggerTests", dependencies: ["Debugger", "VMM", "KVM"], swiftSettings: testing),
        .testTarget(name: "ServiceTests", dependencies: ["Service", "Host", "TestSupport"], swiftSettings: testing),
        .testTarget(name: "HostingTests", dependencies: ["Hosting"], swiftSettings: testing),
        .testTarget(
            name: "CatalogueTests", dependencies: ["Catalogue", "Devices", "Hosting", "TestSupport"],
            swiftSettings: testing),
        .testTarget(name: "SubcommandTests", dependencies: ["Subcommand"], swiftSettings: testing),
        .testTarget(
            name: "swiftlet-doctorTests", dependencies: ["swiftlet-doctor", "Rig", "VMM", "KVM", "TestSupport"],
            swiftSettings: testing),
        .testTarget(
            name: "swiftlet-benchTests",
            dependencies: ["swiftlet-bench", "Subcommand", "Measure", "Rig", "KVM", "Host", "TestSupport"],
            swiftSettings: testing),
        .testTarget(
            name: "swiftlet-inspectTests",
            dependencies: ["swiftlet-inspect", "Boot", "Backing", "Subcommand", "X86", "ImageBuilder", "TestSupport"],
            swiftSettings: testing),
    ],
    swiftLanguageModes: [.v6]
)
