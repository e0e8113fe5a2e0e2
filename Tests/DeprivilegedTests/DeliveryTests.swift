// Exceptions reach the guest's handlers as at ring 0: gate, stack, frame, error code, and what a bad gate leads to.

import GuestMemory
import KVM
import Testing
import X86

@testable @_spi(InventedTraps) import Deprivileged

@Suite("Exceptions are delivered")
struct DeliveryTests {
    @Test("with the virtual CS and SS, the guest's stack and flags, and IF cleared by an interrupt gate")
    func frame() throws {
        var traps = try GuestTables.traps()
        (traps.cpu.virtual.cs, traps.cpu.virtual.interrupts) = (0x30, true)
        traps.registers.rflags = 0x4_0ad7
        let (rip, rsp) = (traps.registers.rip, traps.registers.rsp)
        #expect(traps.outcome(vector: 0) == .resume)
        #expect(traps.handled(code: nil) == 0)
        let frame: [5 of UInt64]? = traps.memory.read(GuestAddress(traps.registers.rsp))
        let found = frame.map { frame in (0..<5).map { frame[$0] } }
        #expect(found == [rip, 0x30, 0x4_0ad7, rsp, 0x10])
        #expect(traps.cpu.virtual.cs == 8 && !traps.cpu.virtual.interrupts && traps.isSound)
    }

    @Test("a trap gate leaves IF, IST 0 the current stack")
    func trapGate() throws {
        var traps = try GuestTables.traps()
        traps.cpu.virtual.interrupts = true
        GuestTables.setGate(6, type: 0x8f, stack: 0, in: traps)
        let rsp = traps.registers.rsp
        #expect(traps.fault([0x0f, 0x0b], vector: 6) == .resume)
        #expect(traps.registers.rsp == (rsp & ~0xf) - 40 && traps.cpu.virtual.interrupts)
    }

    @Test("a page fault's code loses its U bit, and CR2 is the guest's")
    func pageFault() throws {
        var traps = try GuestTables.traps()
        #expect(traps.outcome(vector: 14, code: 6, address: 0x4_0000_0000) == .resume)
        #expect(traps.handled(code: 2) == 14)
        #expect(traps.cpu.virtual.cr2 == 0x4_0000_0000)
    }

    @Test("who reaches for far memory is to be shown it; what is done in its stead reaches it at once")
    func farMemory() throws {
        var traps = try InventedTraps()
        let (place, before) = (InventedTraps.far.lowerBound, traps.registers)
        #expect(traps.outcome(vector: 14, code: 6, address: place) == .far)
        #expect(traps.registers.rip == before.rip && traps.registers.rsp == before.rsp)
        traps.registers.rax = place
        #expect(traps.fault([0x0f, 0x01, 0x18]) == .resume, "LIDT [RAX]")
        traps.cpu.monitor.showFar()
        #expect(traps.outcome(vector: 14, code: 6, address: place) != .far)
    }

    @Test("the monitor's pages are not there; what the image protects is told apart")
    func protection() throws {
        var traps = try GuestTables.traps()
        #expect(traps.outcome(vector: 14, code: 7, address: MonitorMap.idt) == .resume)
        #expect(traps.handled(code: 2) == 14)
        #expect(traps.outcome(vector: 14, code: 7, address: InventedTraps.code) == .forbidden(InventedTraps.code))
        traps = try GuestTables.traps()
        let executed = traps.outcome(vector: 14, code: 0x15, address: InventedTraps.code)
        #expect(executed == .unsupported("executes what is not its code"))
        traps = try GuestTables.traps()
        #expect(traps.outcome(vector: 14, code: 7, address: InventedTraps.readOnly.lowerBound) == .resume)
        #expect(traps.handled(code: 3) == 14)
    }

    @Test("alignment checks do not exist at ring 0: AC goes")
    func alignment() throws {
        var traps = try GuestTables.traps()
        traps.registers.rflags |= 1 << 18
        let rip = traps.registers.rip
        #expect(traps.outcome(vector: 17) == .resume)
        #expect(traps.registers.rip == rip && traps.registers.rflags & 1 << 18 == 0)
    }

    @Test("SYSCALL that went to LSTAR is an undefined opcode where it stands")
    func syscall() throws {
        var traps = try GuestTables.traps()
        traps.memory.write(bytes: [0x0f, 0x05], at: GuestAddress(InventedTraps.code))
        traps.registers.rcx = InventedTraps.code + 2
        traps.registers.r11 = 0x202
        traps.registers.rip = 0
        #expect(traps.outcome(vector: 14, code: 0x14, address: 0) == .resume)
        #expect(traps.handled(code: nil) == 6)
        #expect(traps.memory.read(GuestAddress(traps.registers.rsp)) == InventedTraps.code)
    }

    @Test("a call of address 0 is none")
    func nullCall() throws {
        var traps = try GuestTables.traps()
        traps.registers.rip = 0
        #expect(traps.outcome(vector: 14, code: 0x14, address: 0) == .resume)
        #expect(traps.handled(code: 0x10) == 14)
    }

    @Test("int n, whether the CPU says #GP or #UD", arguments: [6, 13])
    func software(_ vector: Int) throws {
        var traps = try GuestTables.traps()
        GuestTables.setGate(0x80, in: traps)
        let rip = traps.registers.rip
        #expect(traps.fault([0xcd, 0x80], vector: vector) == .resume)
        #expect(traps.handled(code: nil) == 0x80)
        #expect(traps.memory.read(GuestAddress(traps.registers.rsp)) == rip + 2)
    }

    @Test("int n without a gate is #GP at the instruction, with EXT clear", arguments: [0x80, 8])
    func softwareWithoutGate(_ vector: UInt8) throws {
        var traps = try GuestTables.traps()
        GuestTables.setGate(Int(vector), type: 0, in: traps)
        let rip = traps.registers.rip
        #expect(traps.fault([0xcd, vector]) == .resume)
        #expect(traps.handled(code: UInt64(vector) << 3 | 2) == 13)
        #expect(traps.memory.read(GuestAddress(traps.registers.rsp + 8)) == rip)
    }

    @Test("after a benign exception the second is delivered, with EXT set")
    func afterBenign() throws {
        var traps = try GuestTables.traps()
        GuestTables.setGate(6, type: 0x0e, in: traps)
        #expect(traps.fault([0x0f, 0x0b], vector: 6) == .resume)
        #expect(traps.handled(code: 6 << 3 | 3) == 11)
    }

    @Test("after a contributory one a page fault is; after a page fault any is a double fault")
    func pageFaultOnTheWay() throws {
        var traps = try GuestTables.traps()
        traps.memory.write(0x8000 as UInt64, at: GuestAddress(GuestTables.tss + 44))
        GuestTables.setGate(0, stack: 2, in: traps)
        #expect(traps.outcome(vector: 0) == .resume)
        #expect(traps.handled(code: 2) == 14 && traps.cpu.virtual.cr2 == 0x8000 - 40)
        traps.registers.rip = InventedTraps.code
        GuestTables.setGate(14, type: 0x0e, in: traps)
        #expect(traps.outcome(vector: 14, code: 2, address: 0x8000) == .resume)
        #expect(traps.handled(code: 0) == 8)
    }

    @Test("an absent gate is #NP for the guest's double fault handler, and without one the end")
    func doubleFault() throws {
        var traps = try GuestTables.traps()
        GuestTables.setGate(0, type: 0x0e, in: traps)
        #expect(traps.outcome(vector: 0) == .resume)
        #expect(traps.handled(code: 0) == 8)
        GuestTables.setGate(8, type: 0x0e, in: traps)
        traps.registers.rip = InventedTraps.code
        #expect(traps.outcome(vector: 0) == .tripleFault)
        #expect(traps.registers.rip == InventedTraps.code)
    }

    @Test("so is a bad one", arguments: BadGate.allCases)
    func badGate(_ gate: BadGate) throws {
        var traps = try GuestTables.traps()
        traps.cpu.virtual.task.limit = 83  // room for six stacks
        for vector in [0, 8] { gate.set(vector, in: traps) }
        #expect(traps.outcome(vector: 0) == .tripleFault)
    }

    @Test("a stack that is not mapped or not writable is the end", arguments: [0x8000, 0x1_1000, 1 << 47] as [UInt64])
    func badStack(_ stack: UInt64) throws {
        var traps = try GuestTables.traps()
        traps.memory.write(stack, at: GuestAddress(GuestTables.tss + 36))
        #expect(traps.outcome(vector: 0) == .tripleFault)
    }

    @Test("a handler that leaves ring 0 is refused", arguments: [0x38, 0x43] as [UInt64])
    func refused(_ selector: UInt64) throws {
        var traps = try GuestTables.traps()
        GuestTables.setGate(0, selector: selector, in: traps)
        guard case .unsupported = traps.outcome(vector: 0) else {
            Issue.record("not refused")
            return
        }
    }

    @Test("a jump into a stub is seen by its stack")
    func forged() throws {
        var traps = try GuestTables.traps()
        for vector in [0, 13, 14, 31] {
            traps.registers.rsp = InventedTraps.data.upperBound
            #expect(traps.cpu.trap(vector: vector, &traps.registers, traps.memory, traps.system) == .forged)
        }
    }
}

enum BadGate: CaseIterable {
    case notCanonical, beyondTSS, data, null, beyondGDT, callGate

    func set(_ vector: Int, in traps: borrowing InventedTraps) {
        switch self {
        case .notCanonical: GuestTables.setGate(vector, handler: 1 << 47, in: traps)
        case .beyondTSS: GuestTables.setGate(vector, stack: 7, in: traps)
        case .data: GuestTables.setGate(vector, selector: 0x10, in: traps)
        case .null: GuestTables.setGate(vector, selector: 0, in: traps)
        case .beyondGDT: GuestTables.setGate(vector, selector: 0x88, in: traps)
        case .callGate: GuestTables.setGate(vector, type: 0x8c, in: traps)
        }
    }
}
