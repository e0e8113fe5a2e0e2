// The ways in which a kernel that was not made for Swiftlet is started: recognised from its file, or named by `--boot`.
//
// Each is a file of its own, a pure function from an image, a memory and the user's wishes to a plan: what lies where, and
// the CPU's first state. Read next: ../X86/AML.swift.

import X86

/// A boot protocol, or none: flat images are copied to an address and jumped to.
public enum BootMethod: Equatable, Sendable {
    case multiboot
    case pvh
    case linux
    /// 512 bytes at 0x7c00 in real mode, as a BIOS does it.
    case bootSector
    case flat(KernelState.Mode, address: UInt64)

    public static let usage = "multiboot, pvh, linux, boot-sector, or flat16, flat32 or flat64 with @ADDRESS"

    /// The value of `--boot`; nil when it is none. An address is decimal, or hexadecimal behind 0x.
    public init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let address = parts.count == 2 ? bootAddress(parts[1]) : nil
        if parts.count == 2, address == nil { return nil }
        switch parts[0] {
        case "flat16": self = .flat(.real, address: address ?? FlatImage.bootSectorAddress)
        case "flat32": self = .flat(.protected, address: address ?? 1 << 20)
        case "flat64": self = .flat(.long, address: address ?? 1 << 20)
        case "multiboot" where address == nil: self = .multiboot
        case "pvh" where address == nil: self = .pvh
        case "linux" where address == nil: self = .linux
        case "boot-sector" where address == nil: self = .bootSector
        default: return nil
        }
    }

    /// How an image of that kind starts; nil for one that does not, or not so.
    public init?(_ kind: ImageKind) {
        switch kind {
        case .multiboot: self = .multiboot
        case .pvh: self = .pvh
        case .linux: self = .linux
        case .bootSector: self = .bootSector
        default: return nil
        }
    }

    public var name: String {
        switch self {
        case .multiboot: "Multiboot"
        case .pvh: "Xen PVH"
        case .linux: "Linux's 64-bit boot protocol"
        case .bootSector: "a boot sector, as a BIOS starts it"
        case .flat(let mode, let address): "a flat image at \(hex(address)), in \(mode.rawValue)"
        }
    }

    /// Whether such a kernel expects interrupt controllers and a timer. One without them ends by HLT.
    public var expectsInterrupts: Bool { self == .pvh || self == .linux }

    /// Whether it is told of modules.
    var takesModules: Bool { self == .multiboot || self == .pvh }
    var takesCommandLine: Bool { takesModules || self == .linux }
}

private func bootAddress(_ text: Substring) -> UInt64? {
    if text.hasPrefix("0x") || text.hasPrefix("0X") { return UInt64(text.dropFirst(2), radix: 16) }
    return UInt64(text)
}

/// What the user gives a kernel beside its image.
public struct BootWishes: Sendable {
    /// A file that is put into memory.
    public struct Module: Sendable {
        public var path: String
        /// Text for the kernel.
        public var arguments: String
        /// Bytes.
        public var size: UInt64

        public init(path: String, arguments: String = "", size: UInt64) {
            (self.path, self.arguments, self.size) = (path, arguments, size)
        }
    }

    public var image: String
    /// Without the image's name.
    public var commandLine: String
    /// An initial RAM disk is the first of them.
    public var modules: [Module]
    public var hasInitialDisk: Bool
    /// What ACPI's tables say; nil for none.
    public var machine: ACPIMachine?

    public init(
        image: String, commandLine: String = "", modules: [Module] = [], hasInitialDisk: Bool = false,
        machine: ACPIMachine? = nil
    ) {
        (self.image, self.commandLine) = (image, commandLine)
        (self.modules, self.hasInitialDisk, self.machine) = (modules, hasInitialDisk, machine)
    }
}
