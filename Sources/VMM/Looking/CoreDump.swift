// An ELF core of a crashed guest: gdb opens it with the image and shows where it stood.
//
// Registers as Linux writes them (NT_PRSTATUS). The file holds physical memory as it lies, page tables too, with holes for
// pages of zeros; one PT_LOAD for each run of guest-virtual pages that are contiguous both ways points into it. Layouts:
// gABI; Linux <linux/elfcore.h>. Read next: CoreNote.swift, ../GuestView.swift.

import GuestMemory
import Host
import KVM
import X86

struct CoreDump {
    private let machine: Machine
    private let vector: Int
    /// The first is the one that crashed.
    private let vcpus: [(number: Int, registers: GuestRegisters)]
    private let segments: [Segment]
    /// Of each, in the same order.
    private let states: [CoreNote]

    private static let load: UInt32 = 1  // PT_LOAD
    private static let note: UInt32 = 4  // PT_NOTE; gdb insists on an alignment of 4

    /// A run of guest-virtual pages.
    private struct Segment {
        var address: UInt64
        var physical: UInt64
        var size: UInt64
        var flags: PageFlags
    }

    init(_ machine: Machine, _ crash: Crash) {
        self.machine = machine
        vcpus = [(crash.vcpu, crash.registers)] + machine.registers(but: crash.vcpu)
        if case .exception(let vector) = crash.cause { self.vector = vector } else { vector = 6 }
        segments = Self.segments(machine.platform, root: crash.registers.root)
        states = vcpus.map { CoreNote(machine, vcpu: $0.number, $0.registers, crash) }
    }

    /// Writes the file; returns the bytes that are not holes.
    func write(to path: String) throws(HostError) -> UInt64 {
        let file = try File(path, .create)
        do throws(HostError) { return try write(to: file) } catch {
            try? file.truncate(0)  // a part of a core is none
            throw error
        }
    }

    private func write(to file: borrowing File) throws(HostError) -> UInt64 {
        let notes =
            vcpus.flatMap { prstatus($0.registers, process: UInt32($0.number + 1)) }
            + states.flatMap { note(CoreNote.owner, CoreNote.type, words: $0.words) }
        let physical = machine.map.slots.map(\.range)
        let headerCount = segments.count + physical.count + 1
        let noteStart = 64 + 56 * UInt64(headerCount)
        let start = (noteStart + UInt64(notes.count) + 4095) & ~4095  // of physical address 0
        var head = elfHeader(programHeaders: headerCount)
        head += programHeader(
            Self.note, flags: 4, offset: noteStart, address: 0, physical: 0, size: UInt64(notes.count))
        for range in physical {
            let (address, size) = (range.lowerBound, range.upperBound - range.lowerBound)
            head += programHeader(
                CoreNote.physicalMemory, flags: 4, offset: start + address, address: address, physical: address,
                size: size)
        }
        for segment in segments {
            head += programHeader(
                Self.load, flags: segment.flags.elf, offset: start + segment.physical, address: segment.address,
                physical: segment.physical, size: segment.size)
        }
        var written = UInt64(head.count + notes.count)
        for range in physical { written += try writePages(range, to: file, at: start) }
        try file.write(head + notes, at: 0)
        try file.truncate(start + (physical.last?.upperBound ?? 0))
        return written
    }

    /// Pages that are not all zero; address 0's place in the file is `start`.
    private func writePages(
        _ range: Range<UInt64>, to file: borrowing File, at start: UInt64
    ) throws(HostError) -> UInt64 {
        let memory = machine.platform.memory.hostBase
        var written: UInt64 = 0
        for page in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
            if isZero(at: memory + UInt(page), 4096) { continue }
            guard let bytes = machine.platform.memory.page(page) else { continue }
            try file.write(bytes, at: start + page)
            written += 4096
        }
        return written
    }

    /// Walks the guest's tables over the lower half of the address space. Wrecked tables give no segment, and of a guest that
    /// maps its memory over and over the core has as many pages as twice its memory, in at most 4,096 segments.
    private static func segments(_ platform: Platform, root: UInt64) -> [Segment] {
        var list: [Segment] = []
        var address: UInt64 = 0
        var room = 2 * platform.layout.memorySize
        while address < 1 << 47, room > 0, list.count < 4096 {
            guard let mapping = PageWalk.translate(address, root: root, in: platform.memory) else {
                address += PageWalk.gap(at: address, root: root, in: platform.memory)
                continue
            }
            let size = mapping.pageSize - (address & (mapping.pageSize - 1))
            if platform.memory.contains(GuestAddress(mapping.physical), size) {
                add(Segment(address: address, physical: mapping.physical, size: size, flags: mapping.flags), to: &list)
                room -= min(room, size)
            }
            address += size
        }
        return list
    }

    private static func add(_ segment: Segment, to list: inout [Segment]) {
        if let last = list.last, last.address + last.size == segment.address, last.flags == segment.flags,
            last.physical + last.size == segment.physical
        {
            list[list.count - 1].size += segment.size
        } else {
            list.append(segment)
        }
    }
}

extension PageFlags {
    /// PF_R, PF_W, PF_X.
    fileprivate var elf: UInt32 { 4 | (contains(.writable) ? 2 : 0) | (contains(.noExecute) ? 0 : 1) }
}

extension CoreDump {
    private func elfHeader(programHeaders: Int) -> [UInt8] {
        // The OS is Linux, whose registers these are: lldb opens no core without one.
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 3] + [UInt8](repeating: 0, count: 8)
        bytes.append16(4)  // ET_CORE
        bytes.append16(62)  // EM_X86_64
        bytes.append32(1)
        bytes.append64(0)
        bytes.append64(64)  // e_phoff
        bytes.append64(0)
        bytes.append32(0)
        for field in [64, 56, programHeaders, 64, 0, 0] { bytes.append16(UInt16(clamping: field)) }
        return bytes
    }

    private func programHeader(
        _ type: UInt32, flags: UInt32, offset: UInt64, address: UInt64, physical: UInt64, size: UInt64
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(type)
        bytes.append32(flags)
        for field in [offset, address, physical, size, size, type == Self.note ? 4 : 4096] { bytes.append64(field) }
        return bytes
    }

    /// A note "CORE", NT_PRSTATUS (1) with struct elf_prstatus of x86-64: 336 bytes, registers at 112.
    private func prstatus(_ registers: GuestRegisters, process: UInt32) -> [UInt8] {
        let regs = registers.general
        var status: [UInt8] = []
        status.append32(signal)  // pr_info.si_signo
        status += [UInt8](repeating: 0, count: 8)
        status.append16(UInt16(signal))  // pr_cursig
        status += [UInt8](repeating: 0, count: 18)
        status.append32(process)  // pr_pid
        status += [UInt8](repeating: 0, count: 112 - status.count)
        for register in [
            regs.r15, regs.r14, regs.r13, regs.r12, regs.rbp, regs.rbx, regs.r11, regs.r10, regs.r9, regs.r8,
            regs.rax, regs.rcx, regs.rdx, regs.rsi, regs.rdi, regs.rax, regs.rip, registers.cs, regs.rflags,
            regs.rsp, registers.ss, registers.fsBase, registers.gsBase, 0x2b, 0x2b, 0x2b, 0x2b,
        ] { status.append64(register) }
        status += [UInt8](repeating: 0, count: 336 - status.count)
        return note("CORE", 1, status)
    }

    private func note(_ owner: String, _ type: UInt32, _ descriptor: [UInt8] = [], words: [UInt64] = []) -> [UInt8] {
        var descriptor = descriptor
        for word in words { descriptor.append64(word) }
        var note: [UInt8] = []
        for field in [UInt32(owner.utf8.count + 1), UInt32(descriptor.count), type] { note.append32(field) }
        note += Array(owner.utf8)
        repeat { note.append(0) } while note.count % 4 != 0
        return note + descriptor
    }

    /// The signal that Linux would send for the exception (signal(7)).
    private var signal: UInt32 {
        switch vector {
        case 0, 16, 19: 8  // SIGFPE
        case 6: 4  // SIGILL
        case 17: 7  // SIGBUS
        default: 11  // SIGSEGV
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append16(_ value: UInt16) { append(value) }
    fileprivate mutating func append32(_ value: UInt32) { append(value) }
    fileprivate mutating func append64(_ value: UInt64) { append(value) }

    private mutating func append<T: FixedWidthInteger>(_ value: T) {
        for shift in stride(from: 0, to: T.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> T(shift))) }
    }
}
