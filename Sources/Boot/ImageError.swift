// Why a file cannot be run, each with what to do about it.
//
// Read next: ELFImage.swift.

/// What is wrong with an image, a machine size or a module.
public enum ImageError: Error, Equatable, Sendable {
    case empty
    case notELF(ImageKind)
    case not64Bit
    case notLittleEndian
    case wrongMachine(UInt16)
    case notExecutable(type: UInt16)
    case truncated(what: String, needed: UInt64, size: UInt64)
    case malformed(String)
    /// The notes that declare devices.
    case manifest(String)
    /// `--ring 0` for a guest that is none of those.
    case ringThree
    case dynamicallyLinked(String)
    case noSegments
    case segmentOverflow(index: Int)
    case segmentOverlap(UInt64)
    case writableAndExecutable(UInt64)
    case belowImageStart(UInt64, lowest: UInt64)
    case entryOutside(UInt64)
    case relocation(type: UInt32)
    case noNote(ImageKind)
    case newerABI(image: UInt32, ours: UInt32)
    case unknownFlags(UInt32)
    case memoryTooSmall(needed: UInt64, given: UInt64)
    case aboveLowMemory(imageEnd: UInt64, moduleSize: UInt64)
    case commandLineTooLong(size: Int, limit: Int)
    case read(errno: Int32)
    case solo5(Solo5Error)
    case boot(BootError)

    /// One line: what, and what to do.
    public var message: String {
        switch self {
        case .empty: "the file is empty"
        case .notELF(let kind): "not an ELF image but \(kind.words): Swiftlet runs ELF64 images with a Swiftlet note"
        case .not64Bit: "a 32-bit ELF: build the guest for x86-64 (-m64)"
        case .notLittleEndian: "a big-endian ELF: build the guest for x86-64"
        case .wrongMachine(let machine): "an ELF for another machine (e_machine \(machine)): build the guest for x86-64"
        case .notExecutable(let type): "not an executable (e_type \(type)): link it, with -static or -static-pie"
        case .truncated(let what, let needed, let size):
            "truncated: \(what) ends at byte \(needed), but the file has only \(size): build or copy it again"
        case .malformed(let what): "a damaged ELF: \(what)"
        case .manifest(let what): "its manifest of devices is wrong: \(what)"
        case .ringThree: "a guest for ring 3: leave out --ring 0"
        case .dynamicallyLinked(let what): "dynamically linked (\(what)): link with -static or -static-pie -nostdlib"
        case .noSegments: "nothing to load (no PT_LOAD segment): is it a stripped-down object or debug file?"
        case .segmentOverflow(let index): "segment \(index) reaches over the end of the address space"
        case .segmentOverlap(let address):
            "two segments share the page at \(hex(address)): align them to pages (-z max-page-size=4096 -z norelro)"
        case .writableAndExecutable(let address):
            "the segment at \(hex(address)) is writable and executable: separate code from data (-z separate-code)"
        case .belowImageStart(let address, let lowest):
            "the segment at \(hex(address)) lies below \(hex(lowest)), where the machine keeps its tables: link it higher"
        case .entryOutside(let address): "the entry point \(hex(address)) is in no executable segment"
        case .relocation(let type):
            "relocation type \(type): only R_X86_64_RELATIVE (8) is applied; link with -static-pie"
        case .noNote(let kind):
            "no Swiftlet note, so it is not a Swiftlet guest but \(kind.words): link guests/common/start.S into yours"
        case .newerABI(let image, let ours):
            "built for version \(image) of the guest interface, this swiftlet speaks \(ours): use a newer swiftlet"
        case .unknownFlags(let flags): "its note has flags \(hex(UInt64(flags))) that this swiftlet does not know"
        case .memoryTooSmall(let needed, let given):
            "needs at least \(mebibytes(needed)) of memory, the machine has \(mebibytes(given)): use --mem \(needed.mebibytes)"
        case .aboveLowMemory(let imageEnd, let moduleSize):
            "the image ends at \(hex(imageEnd)): with its stack, page tables and a module of \(mebibytes(moduleSize)) "
                + "behind it, it does not fit below 3 GiB: link it lower or use a smaller module"
        case .commandLineTooLong(let size, let limit): "guest arguments of \(size) bytes: at most \(limit) fit"
        case .read(let errno): "cannot be read (errno \(errno))"
        case .solo5(let error): error.message
        case .boot(let error): error.message
        }
    }
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

func mebibytes(_ bytes: UInt64) -> String { "\(bytes.mebibytes) MiB" }

extension UInt64 {
    /// Rounded up.
    fileprivate var mebibytes: UInt64 { self >> 20 + (self & 0xfffff == 0 ? 0 : 1) }
}
