// The file of a kernel, ELF or not, of 32 or 64 bits: what it is, its segments by physical address, and its symbols.
//
// As hostile as any image, but under fewer rules than a Swiftlet guest's: kernels bring page tables of their own, so that
// segments may be writable and executable, and lie at one address and believe in another. Headers and notes are read as
// `swiftlet inspect` reads them (ELFSurvey), and what is loaded is checked here. Read next: KernelMemory.swift.

import CElf
import GuestMemory

/// The descriptor is the caller's and must stay open.
public struct KernelImage: Sendable {
    let fd: Int32
    public let fileSize: UInt64
    /// The first 32 KiB.
    let head: [UInt8]
    /// Nil when it is no ELF.
    let survey: ELFSurvey?
    private let elf: OpenELF?

    public init(fd: Int32, fileSize: UInt64) throws(ImageError) {
        if fileSize == 0 { throw .empty }
        (self.fd, self.fileSize) = (fd, fileSize)
        head = try readHead(fd, fileSize, limit: 32768)
        survey = ELFSurvey(fd: fd, fileSize: fileSize)
        elf = OpenELF(fd)
    }

    public var is32Bit: Bool { survey?.is64Bit == false }

    public var kind: ImageKind { survey?.kind ?? ImageKind.recognise(head: head) }

    /// Bytes of the file into memory that the plan has found room in.
    func read(
        _ offset: UInt64, _ size: UInt64, into memory: borrowing GuestMemory, at start: GuestAddress
    ) throws(ImageError) {
        guard let target = unsafe memory.pointer(start, size) else { return }
        // Sound: the gate has granted as many bytes.
        try unsafe readExactly(fd, into: target, Int(size), at: offset, fileSize)
    }

    /// A little-endian number of the head; 0 where the file has ended.
    func number(_ offset: Int, _ size: Int) -> UInt64 { head.number(offset, size) }
}

/// A segment as a boot loader sees it.
struct KernelSegment: Equatable {
    var physical: UInt64
    var virtual: UInt64
    var offset: UInt64
    var fileSize: UInt64
    var memorySize: UInt64
}

extension KernelImage {
    /// What is to be loaded; throws when it is no static ELF for x86.
    func segments() throws(ImageError) -> [KernelSegment] {
        guard let survey else { throw .notELF(kind) }
        if !survey.isLittleEndian { throw .notLittleEndian }
        let (i386, x86): (UInt16, UInt16) = (3, 62)
        if survey.machine != i386, survey.machine != x86 { throw .wrongMachine(survey.machine) }
        if survey.type == UInt16(ET_DYN) { throw .boot(.notFixed) }
        if survey.type != UInt16(ET_EXEC) { throw .notExecutable(type: survey.type) }
        if survey.headers.count < survey.headerCount {
            throw .malformed("\(survey.headerCount) program headers, of which \(survey.headers.count) can be read")
        }
        var list: [KernelSegment] = []
        for (index, header) in survey.headers.enumerated()
        where Int32(bitPattern: header.type) == PT_LOAD && header.memorySize > 0 {
            list.append(try segment(header, index))
        }
        if list.isEmpty { throw .noSegments }
        return list
    }

    private func segment(_ header: ELFProgramHeader, _ index: Int) throws(ImageError) -> KernelSegment {
        if header.fileSize > header.memorySize {
            throw .malformed("segment \(index) is longer in the file than in memory")
        }
        let (end, overflow) = header.offset.addingReportingOverflow(header.fileSize)
        if header.fileSize > 0, overflow { throw .malformed("segment \(index) at file offset \(hex(header.offset))") }
        if header.fileSize > 0, end > fileSize {
            throw .truncated(what: "segment \(index)", needed: end, size: fileSize)
        }
        return KernelSegment(
            physical: header.physicalAddress, virtual: header.address, offset: header.offset,
            fileSize: header.fileSize, memorySize: header.memorySize)
    }

    /// What a 32-bit ELF lacks that ends before its headers or its segments do; nil when nothing.
    public var truncation: ImageError? {
        let headerSize: UInt64 = 52  // Elf32_Ehdr
        if fileSize < headerSize { return .truncated(what: "the ELF header", needed: headerSize, size: fileSize) }
        do throws(ImageError) { _ = try segments() } catch {
            switch error {
            case .truncated, .malformed: return error
            default: break
            }
        }
        return nil
    }

    /// The descriptor of the first such note.
    func note(_ owner: String, _ type: UInt32) -> [UInt8]? {
        survey?.notes.first { $0.owner == owner && $0.type == type }?.descriptor
    }

    /// The symbol that an address lies in. Before a kernel has its page tables it runs at addresses which its symbols do not
    /// have: then the segment there knows the other one.
    public func symbol(at address: UInt64) -> SymbolPlace? {
        guard let search = elf?.symbols else { return nil }
        if let place = search.symbol(at: address) { return place }
        let segment = try? segments().first { address >= $0.physical && address - $0.physical < $0.memorySize }
        guard let segment, segment.virtual != segment.physical else { return nil }
        return search.symbol(at: address - segment.physical &+ segment.virtual)
    }

    public func forEachSymbol(_ body: (_ address: UInt64, _ size: UInt64, _ name: String) -> Void) {
        elf?.symbols.forEach { body($0.st_value, $0.st_size, $1) }
    }
}

/// Opened with the image: libelf asks for a file's size then, which the sandbox later forbids. Used by one thread at a time:
/// before the guest starts, and when it has crashed.
@safe private final class OpenELF: @unchecked Sendable {
    private let elf: OpaquePointer

    init?(_ fd: Int32) {
        guard let elf = unsafe elf_begin(fd, ELF_C_READ, nil) else { return nil }
        unsafe self.elf = elf
    }

    deinit { unsafe elf_end(elf) }

    var symbols: SymbolSearch { unsafe SymbolSearch(elf) }
}

extension KernelPlan {
    /// Places the segments of an ELF image where they want to lie.
    mutating func place(_ segments: [KernelSegment]) throws(ImageError) {
        for (index, segment) in segments.enumerated() {
            try place(
                segment.physical, segment.memorySize, "segment \(index) of the image",
                .file(offset: segment.offset, size: segment.fileSize))
        }
    }

    /// An entry that must lie in the image, below 4 GiB.
    mutating func enter(at address: UInt64) throws(ImageError) {
        guard address <= UInt64(UInt32.max), pieces.contains(where: { $0.range.contains(address) && $0.isOfImage })
        else {
            throw .boot(.entry(address))
        }
        state.rip = address
    }
}

extension KernelPlan.Piece {
    var isOfImage: Bool { if case .file = content { true } else { false } }
}
