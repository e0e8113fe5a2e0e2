// Executes one privileged instruction: the virtual registers, the guest's memory and the general registers change as they
// would on a CPU at ring 0.
//
// An instruction that faults throws its exception and has changed nothing. Each case says in the manual's words what it
// does: Intel SDM vol. 2. Read next: SystemState.swift, Segments.swift.

import GuestMemory
import KVM
import X86

extension DeprivilegedCPU {
    /// `registers.rip` is the instruction's address, and behind it the next one's unless it is a transfer.
    mutating func execute<System: SystemRegisters & ~Copyable>(
        _ instruction: Instruction, _ registers: inout Registers, _ memory: borrowing GuestMemory,
        _ system: borrowing System
    ) throws(Exception) -> TrapOutcome {
        let next = registers.rip &+ UInt64(instruction.length)
        func address(_ operand: MemoryOperand) throws(Exception) -> UInt64 {
            try effectiveAddress(operand, registers, next: next, system)
        }
        switch instruction.operation {
        case .loadTable(let table, let operand): try loadTable(table, try address(operand), memory)
        case .storeTable(let table, let operand): try storeTable(table, try address(operand), memory)
        case .loadTaskRegister(let operand):
            try loadTask(try word(operand, registers, next: next, memory, system), memory)
        case .loadLocalTable(let operand):
            if try word(operand, registers, next: next, memory, system) & ~3 != 0 {
                return .unsupported("loads a local descriptor table")
            }
        case .loadStatusWord(let operand):
            let low = UInt64(try word(operand, registers, next: next, memory, system)) & 0xf
            // LMSW can set PE but not clear it.
            if let refusal = try writeCR0(virtual.cr0 & ~0xe | low) { return .unsupported(refusal) }
        case .storeTaskRegister(let operand, let size):
            try store(UInt64(virtual.task.selector), size, operand, &registers, next: next, memory, system)
        case .storeLocalTable(let operand, let size):
            try store(0, size, operand, &registers, next: next, memory, system)
        case .storeStatusWord(let operand, let size):
            try store(virtual.cr0, size, operand, &registers, next: next, memory, system)

        case .readControl(let number, let target): registers[target] = control(number)
        case .writeControl(let number, let source):
            if let refusal = try writeControl(number, registers[source]) { return .unsupported(refusal) }
        case .clearTaskSwitched: virtual.cr0 &= ~CR0.taskSwitched
        case .readDebug(let number, let target): registers[target] = debug(number)
        case .writeDebug(let number, let source):
            if let refusal = writeDebug(number, registers[source]) { return .unsupported(refusal) }
        case .readMSR: try readMSR(&registers, system)
        case .writeMSR: if let refusal = try writeMSR(registers, system) { return .unsupported(refusal) }
        case .writeXCR: try writeXCR(registers, system)
        case .swapGS: try swapGS(system)

        case .loadSegment(let segment, let operand):
            try load(segment, try word(operand, registers, next: next, memory, system), memory, system)
        case .popSegment(let segment, let size):
            try load(segment, try monitor.read(registers.rsp, memory), memory, system)
            registers.rsp &+= UInt64(size)
        case .interruptReturn: return try interruptReturn(&registers, memory)
        case .farReturn(let size, let dropping):
            return try farReturn(size, dropping, &registers, memory)
        case .farJump(let operand, let size):
            return try farJump(try address(operand), size, &registers, memory)
        case .farCall(let operand, let size):
            return try farCall(try address(operand), size, &registers, next: next, memory)

        case .call:
            registers.rip = next
            return .call(
                port: UInt16(truncatingIfNeeded: registers.rdx), UInt32(truncatingIfNeeded: registers.rax))
        case .portAccess: return .unsupported("uses port \(registers.rdx & 0xffff) for what is no call")
        case .halt:
            registers.rip = next
            return .halt
        case .clearInterrupts: setInterrupts(false, &registers)
        case .setInterrupts: setInterrupts(true, &registers)
        case .softwareInterrupt(let vector):
            return interrupt(vector, next: next, &registers, memory)
        case .flush: break
        }
        registers.rip = next
        return .resume
    }

    private mutating func setInterrupts(_ enabled: Bool, _ registers: inout Registers) {
        virtual.interrupts = enabled
        registers.rflags = Flags.real(registers.rflags, interrupts: enabled)
    }

    /// Base, index, displacement and the segment's base (Intel SDM vol. 1, 3.7.5).
    private func effectiveAddress<System: SystemRegisters & ~Copyable>(
        _ operand: MemoryOperand, _ registers: Registers, next: UInt64, _ system: borrowing System
    ) throws(Exception) -> UInt64 {
        var address = UInt64(bitPattern: operand.displacement)
        if operand.isRelative { address &+= next }
        if let base = operand.base { address &+= registers[base] }
        if let index = operand.index { address &+= registers[index] << UInt64(operand.scale) }
        if operand.isShort { address &= 0xffff_ffff }
        guard let segment = operand.segment else { return address }
        guard let base = system.readMSR(segment == .fs ? MSR.fsBase : MSR.gsBase) else { throw .protection() }
        return address &+ base
    }

    /// A 16-bit source operand.
    private func word<System: SystemRegisters & ~Copyable>(
        _ operand: Operand, _ registers: Registers, next: UInt64, _ memory: borrowing GuestMemory,
        _ system: borrowing System
    ) throws(Exception) -> UInt16 {
        switch operand {
        case .register(let number): return UInt16(truncatingIfNeeded: registers[number])
        case .memory(let place):
            return try monitor.read(try effectiveAddress(place, registers, next: next, system), memory)
        }
    }

    private func store<System: SystemRegisters & ~Copyable>(
        _ value: UInt64, _ size: UInt8, _ operand: Operand, _ registers: inout Registers, next: UInt64,
        _ memory: borrowing GuestMemory, _ system: borrowing System
    ) throws(Exception) {
        switch operand {
        case .register(let number): registers.write(value, size: size, to: number)
        case .memory(let place):
            try monitor.write(
                value, size: size, try effectiveAddress(place, registers, next: next, system), memory)
        }
    }

    /// LGDT and LIDT: 2 bytes of limit, 8 of base.
    private mutating func loadTable(
        _ table: TableRegister, _ address: UInt64, _ memory: borrowing GuestMemory
    ) throws(Exception) {
        let limit: UInt16 = try monitor.read(address, memory)
        let base: UInt64 = try monitor.read(address &+ 2, memory)
        guard isCanonical(base) else { throw .protection() }
        let value = TableAddress(base: base, limit: limit)
        switch table {
        case .gdt: virtual.gdt = value
        case .idt: virtual.idt = value
        }
    }

    private func storeTable(
        _ table: TableRegister, _ address: UInt64, _ memory: borrowing GuestMemory
    ) throws(Exception) {
        let value = table == .gdt ? virtual.gdt : virtual.idt
        _ = try monitor.physical(address, 10, write: true)  // all of it or nothing
        try monitor.write(value.limit, address, memory)
        try monitor.write(value.base, address &+ 2, memory)
    }
}
