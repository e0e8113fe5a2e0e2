// An ELF64 image, read through libelf and checked rule by rule before anything of it is used.
//
// The file is hostile: every offset and size is checked against the file, every address against overflow. It is read
// with pread and never mapped, so that a file which shrinks meanwhile is an error and not a SIGBUS.
// Read next: ELFRelocation.swift, ELFSymbols.swift, RingThree.swift.

import CElf
import Glibc
import GuestMemory
import X86

/// A loadable segment, page-rounded addresses as the image has them (before a PIE's bias).
public struct ELFSegment: Equatable, Sendable {
    public var address: UInt64
    public var memorySize: UInt64
    public var offset: UInt64
    public var fileSize: UInt64
    public var flags: PageFlags
    /// A power of two; 1 for none.
    public var alignment: UInt64 = 1

    /// The pages it lies on.
    public var pages: Range<UInt64> {
        let mask = AddressMap.pageSize - 1
        return (address & ~mask)..<((address + memorySize + mask) & ~mask)
    }
}

/// The loadable segments, sorted by address: sixteen are more than any linker makes without being asked to.
public typealias ELFSegments = ShortList<ELFSegment, 16>

/// A checked image. The descriptor is the caller's and must stay open.
@safe public struct ELFImage: ~Copyable {
    let elf: OpaquePointer
    let fd: Int32
    let fileSize: UInt64
    public let isPositionIndependent: Bool
    public let entry: UInt64
    /// Sorted by address.
    public let segments: ELFSegments
    /// Nil in an image that is not for Swiftlet.
    public let swiftletNote: SwiftletNote?
    /// Whether there is a note of a device.
    public let declaresDevices: Bool
    let dynamic: (offset: UInt64, size: UInt64)?

    /// Reads and checks headers, segments and notes.
    public init(fd: Int32, fileSize: UInt64) throws(ImageError) {
        if fileSize == 0 { throw .empty }
        elf_version(UInt32(EV_CURRENT))
        try checkIdentity(fd, fileSize)
        guard let elf = unsafe elf_begin(fd, ELF_C_READ, nil) else { throw .malformed(elfError()) }
        let header: GElf_Ehdr
        let table: ProgramHeaders
        do throws(ImageError) {
            header = try unsafe checkedHeader(elf, fileSize)
            table = try unsafe ProgramHeaders(elf, count: Int(header.e_phnum), fileSize)
            try checkLayout(table.segments, header.e_entry)
        } catch {
            unsafe elf_end(elf)
            throw error
        }
        unsafe self.elf = elf
        self.fd = fd
        self.fileSize = fileSize
        isPositionIndependent = header.e_type == UInt16(ET_DYN)
        entry = header.e_entry
        segments = table.segments
        swiftletNote = table.swiftletNote
        declaresDevices = table.declaresDevices
        dynamic = table.dynamic
    }

    deinit { unsafe elf_end(elf) }

    /// Reads the file's head again: for messages, not for start-up.
    public var kind: ImageKind {
        let head = try? readHead(fd, fileSize, limit: 32768)
        let type = UInt16(isPositionIndependent ? ET_DYN : ET_EXEC)
        return ImageKind.recognise(notes: notes, head: head ?? [], type: type)
    }

    /// The lowest and highest address of the image's pages.
    public var pages: Range<UInt64> {
        let start = segments.first?.pages.lowerBound ?? 0
        return start..<segments.reduce(start) { max($0, $1.pages.upperBound) }
    }

    /// What is added to every address when loading: 0, or for a position-independent image what brings it to `start`.
    /// It is a multiple of every segment's alignment.
    public func bias(start: UInt64) -> UInt64 {
        if !isPositionIndependent { return 0 }
        let alignment = segments.reduce(AddressMap.pageSize) { max($0, $1.alignment) }
        let lowest = pages.lowerBound & ~(alignment - 1)
        let place = (start + alignment - 1) & ~(alignment - 1)
        return place &- lowest
    }

    /// Copies the segments into memory, but those whose bit is set in `mapped`: they are there. The rest of each segment's
    /// pages must be zero already.
    public func load(
        into memory: borrowing GuestMemory, bias: UInt64, mapped: UInt32 = 0
    ) throws(ImageError) {
        for (index, segment) in segments.enumerated() where mapped >> UInt32(index) & 1 == 0 {
            let start = GuestAddress(segment.address &+ bias)
            guard let target = unsafe memory.pointer(start, segment.memorySize) else {
                throw .memoryTooSmall(
                    needed: segment.address &+ bias &+ segment.memorySize, given: memory.low.upperBound)
            }
            // Sound: the gate has granted memorySize bytes, and fileSize is at most that (checked).
            try unsafe readExactly(fd, into: target, Int(segment.fileSize), at: segment.offset, fileSize)
        }
        try relocate(in: memory, bias: bias)
    }
}

/// The file's first bytes.
func readHead(_ fd: Int32, _ fileSize: UInt64, limit: UInt64 = 8192) throws(ImageError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(min(fileSize, limit))) { buffer, count in
        let read = unsafe pread(fd, buffer.baseAddress, buffer.count, 0)
        if read < 0 { failure = errno }
        count = max(0, read)
    }
    if failure != 0 { throw .read(errno: failure) }
    return bytes
}

func readExactly(
    _ fd: Int32, into target: UnsafeMutableRawPointer, _ count: Int, at offset: UInt64, _ fileSize: UInt64
) throws(ImageError) {
    var done = 0
    while done < count {
        let read = unsafe pread(fd, target + done, count - done, off_t(offset) + off_t(done))
        if read < 0 && errno == EINTR { continue }
        if read < 0 { throw .read(errno: errno) }
        if read == 0 {
            throw .truncated(what: "a segment", needed: offset + UInt64(count), size: offset + UInt64(done))
        }
        done += read
    }
}

/// ELF identification (gABI, figure 4-4), before libelf sees the file.
private func checkIdentity(_ fd: Int32, _ fileSize: UInt64) throws(ImageError) {
    var header = Elf64_Ehdr()
    let size = unsafe pread(fd, &header, MemoryLayout<Elf64_Ehdr>.size, 0)
    if size < 0 { throw .read(errno: errno) }
    let identity = header.e_ident
    guard size > 3, identity.0 == 0x7f, identity.1 == 0x45, identity.2 == 0x4c, identity.3 == 0x46 else {
        throw .notELF(ImageKind.recognise(head: try readHead(fd, fileSize)))
    }
    if size < MemoryLayout<Elf64_Ehdr>.size {
        if identity.4 == UInt8(ELFCLASS32) { throw .not64Bit }
        throw .truncated(what: "the ELF header", needed: 64, size: fileSize)
    }
    if identity.4 != UInt8(ELFCLASS64) { throw .not64Bit }
    if identity.5 != UInt8(ELFDATA2LSB) { throw .notLittleEndian }
    if identity.6 != UInt8(EV_CURRENT) { throw .malformed("ELF version \(identity.6)") }
}

private func checkedHeader(_ elf: OpaquePointer, _ fileSize: UInt64) throws(ImageError) -> GElf_Ehdr {
    var header = GElf_Ehdr()
    guard unsafe gelf_getehdr(elf, &header) != nil else { throw .malformed(elfError()) }
    if header.e_machine != UInt16(EM_X86_64) { throw .wrongMachine(header.e_machine) }
    if header.e_type != UInt16(ET_EXEC) && header.e_type != UInt16(ET_DYN) {
        throw .notExecutable(type: header.e_type)
    }
    if header.e_phnum == 0 { throw .noSegments }
    if header.e_phentsize != 56 { throw .malformed("program headers of \(header.e_phentsize) bytes, not 56") }
    let size = UInt64(header.e_phnum) * 56
    let (end, overflow) = header.e_phoff.addingReportingOverflow(size)
    if overflow { throw .malformed("program headers at \(hex(header.e_phoff))") }
    if end > fileSize { throw .truncated(what: "the program header table", needed: end, size: fileSize) }
    return header
}

/// Rules about segments together: order, pages of their own, an entry that can be executed.
private func checkLayout(_ segments: ELFSegments, _ entry: UInt64) throws(ImageError) {
    if segments.isEmpty { throw .noSegments }
    for (lower, upper) in zip(segments, segments.dropFirst()) where lower.pages.upperBound > upper.pages.lowerBound {
        throw .segmentOverlap(upper.pages.lowerBound)
    }
    let executable = segments.contains {
        !$0.flags.contains(.noExecute) && entry >= $0.address && entry - $0.address < $0.memorySize
    }
    if !executable { throw .entryOutside(entry) }
}

func elfError() -> String {
    guard let text = unsafe elf_errmsg(-1) else { return "unknown" }
    return unsafe String(cString: text)
}
