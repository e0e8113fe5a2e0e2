// The rig's descriptor tables and page tables, and the registers of each mode.
//
// In 64-bit mode everything is mapped one to one, readable, writable, executable and open to ring 3: a rig measures what
// an access costs, not who may make it. Layouts: Intel SDM vol. 3A, chapters 3.4.5, 6.14.1 and 20.1. Read next: Rig.swift.

import GuestMemory
import KVM
import VMM
import X86

/// Descriptors that a ring-3 machine does not have.
private enum Kernel {
    static let code: UInt16 = 0x08
    static let data: UInt16 = 0x10
    static let codeDescriptor: UInt64 = 0x00af_9b00_0000_ffff  // 64-bit (L), execute/read, DPL 0
    static let dataDescriptor: UInt64 = 0x00cf_9300_0000_ffff
}

extension RigPlan {
    /// Where the handlers lie in the code, 0 without one: guests/exits/exits.h, BEGIN.
    private var handlers: (exception: UInt64, interrupt: UInt64) {
        func word(_ offset: Int) -> UInt64 {
            guard hasHandlers, code.count >= offset + 4 else { return 0 }
            return (0..<4).reduce(0) { $0 | UInt64(code[offset + $1]) << UInt64(8 * $1) }
        }
        return (word(8), word(12))
    }

    func writeTables(_ memory: borrowing GuestMemory) {
        switch mode {
        case .real: writeVectors(memory)
        case .ring3, .ring0:
            writeDescriptors(memory)
            writePageTables(memory)
        }
    }

    /// Offset and segment of each vector.
    private func writeVectors(_ memory: borrowing GuestMemory) {
        for vector in 0..<256 {
            let handler = vector < 32 ? handlers.exception : handlers.interrupt
            let target = handler == 0 ? Self.stub(vector) : UInt32(handler) | UInt32(RigMap.code >> 4) << 16
            memory.write(target, at: GuestAddress(UInt64(vector) * 4))
            memory.write(Stub.code(vector: vector), at: GuestAddress(Stub.address(vector: vector)))
        }
    }

    private static func stub(_ vector: Int) -> UInt32 {
        UInt32(Stub.address(vector: vector) & 0xf) | UInt32(Stub.address(vector: vector) >> 4) << 16
    }

    private func writeDescriptors(_ memory: borrowing GuestMemory) {
        var entries = GDT.entries(tss: AddressMap.tss, tssLimit: TSS.limit)
        entries[Int(Kernel.code >> 3)] = Kernel.codeDescriptor
        entries[Int(Kernel.data >> 3)] = Kernel.dataDescriptor
        for index in entries.indices {
            memory.write(entries[index], at: GuestAddress(AddressMap.gdt) + UInt64(index) * 8)
        }
        for vector in 0..<256 {
            let own = vector < 32 ? handlers.exception : handlers.interrupt
            let handler = own == 0 ? Stub.address(vector: vector) : RigMap.code + own
            var gate = IDT.gate(vector: vector, handler: handler, stack: 0)
            if mode == .ring0 { gate.low = gate.low & ~0xffff_0000 | UInt64(Kernel.code) << 16 }
            memory.write(gate.low, at: GuestAddress(AddressMap.idt) + UInt64(vector) * 16)
            memory.write(gate.high, at: GuestAddress(AddressMap.idt) + UInt64(vector) * 16 + 8)
            memory.write(Stub.code(vector: vector), at: GuestAddress(Stub.address(vector: vector)))
        }
        let words = TSS.words(reportStack: AddressMap.reportStackTop(vcpu: 0))
        for index in words.indices {
            memory.write(words[index].value, at: GuestAddress(AddressMap.tss) + words[index].offset)
        }
    }

    private func writePageTables(_ memory: borrowing GuestMemory) {
        var builder = PageTableBuilder(tables: RigMap.tables)
        _ = builder.mapIdentity(0..<AddressMap.hugePageSize, Self.everything, huge: false, in: memory)
        let small = smallPages.isEmpty ? mappedSize..<mappedSize : smallPages
        _ = builder.mapIdentity(AddressMap.hugePageSize..<small.lowerBound, Self.everything, huge: true, in: memory)
        _ = builder.mapIdentity(small, Self.everything, huge: false, in: memory)
        _ = builder.mapIdentity(small.upperBound..<mappedSize, Self.everything, huge: true, in: memory)
    }

    private static let everything: PageFlags = [.present, .writable, .user]
}

extension VCPU {
    /// CPUID, vector state and registers as `plan` has them, entered at the code's first byte.
    func load(_ plan: RigPlan) throws(KVMError) {
        let state = CPUState(rip: RigMap.code, rsp: RigMap.stackTop, rdi: RigMap.page, cr3: RigMap.tables.lowerBound)
        let cpu = GuestCPU()
        try load(state, cpu)
        if plan.usesLocalAPIC { try setCPUID(cpu.cpuid.withTSCDeadline) }
        var sregs = try specialRegisters()
        if plan.usesLocalAPIC { sregs.apic_base |= 0x800 }
        switch plan.mode {
        case .ring3: break
        case .ring0: sregs.enterRingZero()
        case .real: sregs.enterRealMode()
        }
        try setSpecialRegisters(sregs)
        if plan.mode == .real {
            var regs = Registers()
            regs.rsp = RigMap.stackTop & 0xffff
            regs.rflags = RFLAGS.reserved1
            try setRegisters(regs)
        }
    }
}

extension SpecialRegisters {
    fileprivate mutating func enterRingZero() {
        cs.dpl = 0
        cs.selector = Kernel.code
        ss.dpl = 0
        ss.selector = Kernel.data
    }

    fileprivate mutating func enterRealMode() {
        cr0 = CR0.extensionType
        cr3 = 0
        cr4 = 0
        efer = 0
        idt.base = 0
        idt.limit = 0x3ff
        cs = realSegment(RigMap.code, type: 0xb)
        ds = realSegment(RigMap.page, type: 0x3)
        ss = realSegment(RigMap.stackTop & ~0xffff, type: 0x3)
        es = realSegment(RigMap.mmio, type: 0x3)
        fs = ds
        gs = ds
    }
}

extension CPUID {
    /// With bit 24 of leaf 1's ECX, without which KVM's timer knows no deadline (Intel SDM vol. 3A, 11.5.4.1).
    fileprivate var withTSCDeadline: CPUID {
        var table = CPUID()
        for var leaf in leaves {
            if leaf.leaf == 1 { leaf.ecx |= 1 << 24 }
            table.append(leaf)
        }
        return table
    }
}

private func realSegment(_ base: UInt64, type: UInt8) -> Segment {
    var segment = Segment()
    segment.base = base
    segment.limit = 0xffff
    segment.selector = UInt16(base >> 4)
    segment.type = type
    segment.present = 1
    segment.s = 1
    return segment
}
