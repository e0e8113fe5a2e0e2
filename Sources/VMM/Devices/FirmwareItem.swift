// What `--fw-cfg NAME=...` says, and how it comes into the firmware configuration: a file by its name, or what a loader of
// Linux kernels asks for by number.
//
// Read next: KernelRegisters.swift.

import Host

/// A named piece of the firmware configuration.
public struct FirmwareItem: Equatable, Sendable {
    enum Source: Equatable {
        case file(path: String)
        case text(String)
    }

    public let name: String
    let source: Source
    /// Of an item that is read from a file.
    package var path: String? { if case .file(let path) = source { path } else { nil } }

    public static let usage =
        "NAME=FILE or NAME=string:TEXT, with a NAME of 1 to \(longestName) letters, as opt/org.example/x"
    /// Bytes: the directory has 56, and a NUL ends them.
    static let longestName = 55
    /// Bytes of one: all of it lies in this process's memory.
    static let largestSize: UInt64 = 256 << 20
    /// Numbers from 0x20 up to those of an architecture.
    public static let most = 0x4000 - 0x20

    /// The option's value; nil when it is none.
    public init?(_ option: String) {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[1].isEmpty, (1...Self.longestName).contains(parts[0].utf8.count),
            parts[0].utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        name = parts[0]
        let text = "string:"
        source = parts[1].hasPrefix(text) ? .text(String(parts[1].dropFirst(text.count))) : .file(path: parts[1])
    }

    func content() throws(MachineError) -> [UInt8] {
        switch source {
        case .text(let text): return Array(text.utf8)
        case .file(let path):
            let file = try fromHost(try File.regular(path))
            let size = try fromHost(try file.size())
            if size > Self.largestSize { throw .image(path, .boot(.firmwareItemSize(size, limit: Self.largestSize))) }
            return try fromHost(try file.read(at: 0, Int(size)))
        }
    }
}

extension FirmwareConfiguration {
    init(_ items: [FirmwareItem], commandLine: String, memorySize: UInt64, cpus: Int = 1) throws(MachineError) {
        self.init(memorySize: memorySize, cpus: cpus)
        setCommandLine(Array(commandLine.utf8))
        for item in items { add(item, try item.content()) }
    }

    /// A loader's kernel, disk and command line have numbers; all others are files.
    private mutating func add(_ item: FirmwareItem, _ content: [UInt8]) {
        switch item.name {
        case "kernel": setKernel(content)
        case "initrd":
            put(Key.diskSize, UInt64(content.count))
            put(Key.diskData, content)
        case "cmdline": setCommandLine(content)
        default: add(file: item.name, content)
        }
    }

    /// With the NUL behind it.
    private mutating func setCommandLine(_ text: [UInt8]) {
        put(Key.commandLineSize, UInt64(text.count) + 1)
        put(Key.commandLineData, text + [0])
    }

    /// A bzImage in two parts, the real-mode setup and what is loaded at 1 MiB (Linux: Documentation/arch/x86/boot.rst);
    /// anything else in one.
    private mutating func setKernel(_ file: [UInt8]) {
        let isLinux = file.count > 0x206 && Array(file[0x202..<0x206]) == Array("HdrS".utf8)
        let sectors = isLinux ? (file[0x1f1] == 0 ? 4 : Int(file[0x1f1])) + 1 : 0
        let setup = min(sectors * 512, file.count)
        put(Key.setupSize, UInt64(setup))
        put(Key.setupData, Array(file[..<setup]))
        put(Key.kernelAddress, 1 << 20)
        put(Key.kernelSize, UInt64(file.count - setup))
        put(Key.kernelData, Array(file[setup...]))
    }
}
