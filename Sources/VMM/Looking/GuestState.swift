// A stopped guest's registers and memory, as the guest believes them: for a debugger.
//
// Of an image for ring 0 that runs in ring 3 control registers and page tables are its virtual CPU's. Memory is reached by the
// guest's own tables in any mode, and what its image may not write a debugger may. Read next: ../../Debugger/Debugger.swift.

import Boot
import Deprivileged
import GuestMemory
import KVM
import Observe
import X86

extension RunLoop {
    /// Whether exceptions 1 and 3 come to us by a stub, and not as KVM's debug exits.
    package var hasStubs: Bool {
        mutating get { context.platform.hvt == nil ? context.platform.kernel == nil : deprivileged?.hasLeft == false }
    }

    /// Whether the stubs of a deprivileged guest show us exceptions 1 and 3, which are a debugger's.
    package mutating func setDebugged(_ isDebugged: Bool) { deprivileged?.isDebugged = isDebugged }

    package mutating func guestSpecialRegisters() throws(KVMError) -> SpecialRegisters {
        var registers = try vcpu.specialRegisters()
        if deprivileged?.hasLeft == false { deprivileged?.virtual.write(to: &registers) }
        return registers
    }

    /// Whether the vCPU stands in code of ours, between two instructions of the guest's.
    package mutating func isInOurCode(_ rip: UInt64) -> Bool {
        guard hasStubs else { return false }
        return context.platform.hvt == nil ? Stub.contains(rip) : MonitorMap.isOurs(rip)
    }

    /// Pages that are protected on the host's side.
    fileprivate var hasProtectedPages: Bool {
        mutating get { context.platform.hvt != nil && deprivileged?.hasLeft ?? true }
    }
}

extension VCPU {
    /// QEMU's SVM leaves a null selector in SS when it takes the report stack (an IST), also from ring 3 to ring 3: the guest's
    /// next IRET would be #GP.
    func restoreStackSegment(_ selector: UInt64) throws(KVMError) {
        var registers = try specialRegisters()
        if UInt64(registers.ss.selector) == selector || selector != UInt64(Selector.userData) { return }
        registers.ss = .flat(Selector.userData, type: 0x3, privilege: 3, isLong: false)
        try setSpecialRegisters(registers)
    }
}

extension Machine {
    /// The image's names, as loaded, where somebody watches who needs them.
    package var symbols: SymbolTable { vcpu.loop.withLock { $0.observer?.symbols ?? SymbolTable() } }

    /// Whether the image is for 32 bits.
    package var is32Bit: Bool { platform.kernel?.image.is32Bit ?? false }

    /// A crash in a line.
    package func headline(_ crash: Crash) -> String { crash.headline(guest.layout) }
}

extension GuestCPU {
    package var hasAVX: Bool { xcr0 & XCR0.avx != 0 }
}

extension PagingState {
    package init(_ registers: SpecialRegisters, physicalBits: UInt64 = 52) {
        self.init(
            cr0: registers.cr0, cr3: registers.cr3, cr4: registers.cr4, efer: registers.efer, physicalBits: physicalBits
        )
    }
}

extension ExplainedWalk {
    /// By the tables that are in memory now.
    init(_ address: UInt64, _ state: PagingState, _ memory: borrowing GuestMemory) {
        self.init(address, state) { place, size in
            size == 8
                ? memory.read(GuestAddress(place))
                : memory.read(GuestAddress(place), as: UInt32.self).map { UInt64($0) }
        }
    }
}

extension Platform {
    /// How an address is translated by the tables in memory now.
    package func walk(_ address: UInt64, _ state: PagingState) -> ExplainedWalk {
        ExplainedWalk(address, state, memory)
    }

    /// Bytes by guest-virtual address; fewer where something is not mapped or is no memory.
    package func bytes(at address: UInt64, _ count: Int, _ state: PagingState) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let next = address &+ UInt64(bytes.count)
            guard let physical = walk(next, state).page?.physical, let page = memory.page(physical & ~4095) else {
                break
            }
            bytes += page.dropFirst(Int(physical & 4095)).prefix(count - bytes.count)
        }
        return bytes
    }
}

extension DebuggedRun {
    /// Writes by guest-virtual address, whatever the guest itself may do there; false when not all of it is memory.
    package func write(_ bytes: [UInt8], at address: UInt64, _ state: PagingState) -> Bool {
        machine.vcpu.loop.withLock { loop in
            let platform = loop.context.platform
            var done = 0
            while done < bytes.count {
                guard let physical = platform.walk(address &+ UInt64(done), state).page?.physical else { return false }
                let part = Array(bytes.dropFirst(done).prefix(Int(4096 - physical & 4095)))
                guard platform.memory.contains(GuestAddress(physical), UInt64(part.count)) else { return false }
                write(part, physical, platform, isProtected: loop.hasProtectedPages)
                done += part.count
            }
            return true
        }
    }

    private func write(_ bytes: [UInt8], _ physical: UInt64, _ platform: Platform, isProtected: Bool) {
        let page = physical & ~4095..<(physical & ~4095) + 4096
        let isConstant = isProtected && platform.hvt?.isConstant(physical, UInt64(bytes.count)) == true
        if isConstant { _ = platform.memory.makeWritable(page) }
        platform.memory.write(bytes: bytes, at: GuestAddress(physical))
        if isConstant { _ = platform.memory.makeReadOnly(page) }
    }
}
