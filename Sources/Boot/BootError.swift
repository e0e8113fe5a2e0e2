// Why a kernel of another's making cannot be started, each with what to do about it.
//
// Read next: ../VMM/Devices/KernelMachine.swift.

/// What is wrong with a kernel or with what it is given, beyond what is wrong with any image.
public enum BootError: Error, Equatable, Sendable {
    case notSuch(BootMethod)
    /// Flags of a Multiboot header that a loader must understand or refuse.
    case multibootFlags(UInt32)
    case multibootAddresses
    case noEntry
    case entry(UInt64)
    case notFixed
    case outside(what: String, start: UInt64, end: UInt64, memory: UInt64)
    case overlap(String, String)
    case noRoom(what: String, size: UInt64)
    case pvhNote(size: Int)
    case linuxTooOld(UInt32)
    case linuxNot64Bit
    case bootSectorSize(UInt64)
    case realModeAddress(UInt64)
    case noModules
    case noInitialDisk
    case onlyInitialDisk
    case noCommandLine
    case firmwareItemSize(UInt64, limit: UInt64)
    /// An option of `swiftlet run` that is about guests of another kind.
    case option(String)
    /// A template of `--cpu`; line 0: the file as a whole.
    case cpuTemplate(line: Int, String)
    /// More vCPUs than there is room for.
    case tooManyCPUs(most: Int)
    /// An option about kernels, given to a guest that is none.
    case notAKernel(String)

    /// One line: what, and what to do.
    public var message: String {
        switch self {
        case .notSuch(let method): Self.notSuch(method)
        case .multibootFlags(let flags):
            "its Multiboot header asks for what there is not (flags \(hex(UInt64(flags)))"
                + (flags & 4 != 0 ? ", a video mode): clear bit 2, and print to the serial port" : ")")
        case .multibootAddresses: "a damaged Multiboot header: its addresses do not fit the file or each other"
        case .noEntry: "its ELF header names no entry point: link it with -e"
        case .entry(let address): "the entry point \(hex(address)) lies in nothing that is loaded"
        case .notFixed: "a position-independent kernel: link it at a fixed address (-no-pie)"
        case .outside(let what, let start, let end, let memory):
            "\(what) would lie at \(hex(start)) to \(hex(end)), but memory ends at \(hex(memory)): use a larger --mem"
        case .overlap(let one, let other): "\(one) and \(other) would lie in the same place: link the kernel elsewhere"
        case .noRoom(let what, let size):
            "no room in memory for \(what) (\(mebibytes(size))): use a larger --mem, or less of it"
        case .pvhNote(let size): "its PVH note has \(size) bytes, not 4 or 8: build the kernel again"
        case .linuxTooOld(let version):
            "a Linux kernel with boot protocol \(version >> 8).\(version & 0xff), which has no 64-bit entry: use 3.8 or newer"
        case .linuxNot64Bit: "a Linux kernel without a 64-bit entry: use one for x86-64"
        case .bootSectorSize(let size):
            "\(size) bytes, of which a boot sector has 512: there is no disk to load more from; try --boot flat16@0x7c00"
        case .realModeAddress(let address): "\(hex(address)) cannot be reached in real mode: use one below 0x100000"
        case .noModules: "such a kernel takes no modules: leave out --module"
        case .noInitialDisk: "such a kernel takes no initial RAM disk: leave out --initrd"
        case .onlyInitialDisk: "Linux takes one initial RAM disk and no modules: use --initrd instead of --module"
        case .noCommandLine: "a flat image gets no command line: leave out --append and the arguments"
        case .firmwareItemSize(let size, let limit):
            "\(mebibytes(size)) for the firmware configuration, whose items have at most \(mebibytes(limit)): use --module or --initrd"
        case .option(let name): "a kernel for the bare CPU, for which there is no \(name)"
        case .cpuTemplate(0, let what): what
        case .cpuTemplate(let line, let what): "line \(line): \(what)"
        case .tooManyCPUs(let most): "a guest of at most \(most) vCPUs: use a smaller --cpus"
        case .notAKernel(let option): "a guest of Swiftlet's own kind or Solo5's: \(option) is for other kernels"
        }
    }

    private static func notSuch(_ method: BootMethod) -> String {
        switch method {
        case .multiboot: "no Multiboot header in its first 8 KiB, on 4 bytes and with a checksum that is right"
        case .pvh: "no PVH entry: an ELF file with a note of type 18 by Xen has one"
        case .linux: "no bzImage, which has HdrS at 0x202, and no vmlinux, which is an ELF file"
        case .bootSector: "no boot sector: one ends with the bytes 55 aa at 510"
        case .flat: "empty"
        }
    }
}
