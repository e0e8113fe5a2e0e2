// What each privileged instruction does to the virtual CPU, and which ring 3 refuses to stand in for.

import GuestMemory
import KVM
import Testing
import X86

@testable @_spi(InventedTraps) import Deprivileged

@Suite("Privileged instructions are executed")
struct EmulatorTests {
    @Test("lgdt, lidt, sgdt, sidt")
    func tables() throws {
        var traps = try InventedTraps()
        let place = InventedTraps.data.lowerBound
        traps.memory.write(UInt16(0x2f), at: GuestAddress(place))
        traps.memory.write(UInt64(0x20_1000), at: GuestAddress(place + 2))
        traps.registers.rdi = place
        #expect(traps.fault([0x0f, 0x01, 0x17]) == .resume)
        #expect(traps.cpu.virtual.gdt == TableAddress(base: 0x20_1000, limit: 0x2f))
        #expect(traps.fault([0x0f, 0x01, 0x1f]) == .resume)
        #expect(traps.cpu.virtual.idt == TableAddress(base: 0x20_1000, limit: 0x2f))
        #expect(traps.registers.rip == InventedTraps.code + 6)
        traps.cpu.virtual.idt.limit = 0x123
        traps.registers.rdi = place + 64
        #expect(traps.fault([0x0f, 0x01, 0x0f]) == .resume)  // sidt
        #expect(traps.memory.read(GuestAddress(place + 64), as: UInt16.self) == 0x123)
        #expect(traps.memory.read(GuestAddress(place + 66), as: UInt64.self) == 0x20_1000)
    }

    @Test("ltr marks the descriptor busy; a busy one is #GP")
    func task() throws {
        var traps = try GuestTables.traps()
        traps.registers.rax = 0x18
        #expect(traps.fault([0x0f, 0x00, 0xd8]) == .resume)
        #expect(
            traps.cpu.virtual.task == TaskRegister(selector: 0x18, base: GuestTables.tss, limit: 0x67))
        #expect(traps.memory.read(GuestAddress(GuestTables.gdt + 0x18 + 5), as: UInt8.self) == 0x8b)
        #expect(traps.fault([0x0f, 0x00, 0xd8]) == .resume)
        #expect(traps.handled(code: 0x18) == 13)
    }

    @Test("wrmsr and rdmsr: FS base reaches the CPU, EFER keeps LMA, others are KVM's")
    func msrs() throws {
        var traps = try GuestTables.traps()
        (traps.registers.rcx, traps.registers.rax, traps.registers.rdx) = (0xc000_0100, 0x8765_4321, 0x12)
        #expect(traps.fault([0x0f, 0x30]) == .resume)
        #expect(traps.system.msrs[MSR.fsBase] == 0x12_8765_4321)
        traps.registers.rax = 0
        #expect(traps.fault([0x0f, 0x32]) == .resume)
        #expect(traps.registers.rax == 0x8765_4321 && traps.registers.rdx == 0x12)
        (traps.registers.rcx, traps.registers.rax, traps.registers.rdx) = (0xc000_0080, 0x901, 0)
        #expect(traps.fault([0x0f, 0x30]) == .resume)
        #expect(traps.cpu.virtual.efer == 0xd01)
        traps.registers.rcx = 0x1b
        #expect(traps.fault([0x0f, 0x32]) == .resume)
        #expect(traps.handled(code: 0) == 13)  // the invented system knows no APIC
    }

    @Test("a base that is not canonical is #GP")
    func canonical() throws {
        var traps = try GuestTables.traps()
        (traps.registers.rcx, traps.registers.rax, traps.registers.rdx) = (0xc000_0100, 0, 0x8000)
        #expect(traps.fault([0x0f, 0x30]) == .resume)
        #expect(traps.handled(code: 0) == 13)
        #expect(traps.system.msrs[MSR.fsBase] == 0)
    }

    @Test("control registers are read back; harmless changes are kept")
    func control() throws {
        var traps = try InventedTraps()
        #expect(traps.fault([0x0f, 0x20, 0xc0]) == .resume)  // mov %cr0,%rax
        #expect(traps.registers.rax == 0x8001_0021)
        traps.registers.rax |= CR0.monitorCoprocessor | CR0.alignmentMask
        #expect(traps.fault([0x0f, 0x22, 0xc0]) == .resume)
        #expect(traps.cpu.virtual.cr0 == 0x8005_0023)
        #expect(traps.fault([0x0f, 0x20, 0xd9]) == .resume)  // mov %cr3,%rcx
        #expect(traps.registers.rcx == 0x2000)
        #expect(traps.fault([0x0f, 0x22, 0xd9]) == .resume)
        traps.registers.rcx = 0x620 | CR4.fsgsbase
        #expect(traps.fault([0x0f, 0x22, 0xe1]) == .resume)
        #expect(traps.cpu.virtual.cr4 == 0x620 | CR4.fsgsbase)
        #expect(traps.fault([0x0f, 0x06]) == .resume)
        #expect(traps.fault([0x0f, 0x22, 0xd1]) == .resume)  // cr2
        #expect(traps.cpu.virtual.cr2 == traps.registers.rcx)
        traps.registers.rcx = 15
        #expect(traps.fault([0x44, 0x0f, 0x22, 0xc1]) == .resume)  // cr8
        #expect(traps.cpu.virtual.cr8 == 15)
    }

    @Test(
        "what a CPU refuses is #GP, and nothing has changed",
        arguments: [
            ("NW without CD", [0x0f, 0x22, 0xc0], 0xa001_0021), ("PG without PE", [0x0f, 0x22, 0xc0], 0x8001_0020),
            ("UMIP", [0x0f, 0x22, 0xe0], 0xe20), ("OSXSAVE", [0x0f, 0x22, 0xe0], 0x4_0620),
        ] as [(String, [UInt8], UInt64)])
    func refusedByTheCPU(_ name: String, _ code: [UInt8], _ value: UInt64) throws {
        var traps = try GuestTables.traps()
        traps.registers.rax = value
        let (cr0, cr4) = (traps.cpu.virtual.cr0, traps.cpu.virtual.cr4)
        #expect(traps.fault(code) == .resume)
        #expect(traps.handled(code: 0) == 13, "\(name)")
        #expect(traps.cpu.virtual.cr0 == cr0 && traps.cpu.virtual.cr4 == cr4)
    }

    @Test(
        "what ring 3 cannot stand in for is refused, and nothing has changed",
        arguments: [
            ("cr0.ts", [0x0f, 0x22, 0xc0], 0x8001_0029), ("cr0.pg", [0x0f, 0x22, 0xc0], 0x21),
            ("cr3", [0x0f, 0x22, 0xd8], 0x5000), ("smep", [0x0f, 0x22, 0xe0], 0x10_0620),
            ("lldt", [0x0f, 0x00, 0xd0], 0x28),
            ("dr7", [0x0f, 0x23, 0xf8], 0x401), ("lmsw", [0x0f, 0x01, 0xf0], 0x9), ("wrmsr", [0x0f, 0x30], 0),
        ] as [(String, [UInt8], UInt64)])
    func refusals(_ name: String, _ code: [UInt8], _ value: UInt64) throws {
        var traps = try InventedTraps()
        traps.registers.rax = value
        let (state, registers) = (traps.cpu.virtual, traps.registers)
        guard case .unsupported = traps.fault(code) else {
            Issue.record("\(name) was not refused")
            return
        }
        #expect(traps.cpu.virtual == state)
        #expect(traps.registers.rip == registers.rip && traps.registers.rsp == registers.rsp)
    }

    @Test("selectors: SS becomes virtual, a bad one is #GP with its number, FS takes the descriptor's base")
    func selectors() throws {
        var traps = try GuestTables.traps()
        traps.registers.rax = 0x10
        traps.cpu.virtual.ss = 0
        #expect(traps.fault([0x8e, 0xd0]) == .resume)
        #expect(traps.cpu.virtual.ss == 0x10)
        traps.registers.rax = 0x28
        #expect(traps.fault([0x8e, 0xe0]) == .resume)  // mov %ax,%fs
        #expect(traps.system.msrs[MSR.fsBase] == 0x1234_5678)
        traps.registers.rax = 0x8
        #expect(traps.fault([0x8e, 0xd0]) == .resume)  // code is no stack
        #expect(traps.handled(code: 8) == 13)
    }

    @Test("far return, jump, call and iretq go to the guest's own CS")
    func transfers() throws {
        var traps = try GuestTables.traps()
        let stack = InventedTraps.data.upperBound - 64
        let target = InventedTraps.code + 0x200
        traps.registers.rsp = stack
        traps.memory.write(target, at: GuestAddress(stack))
        traps.memory.write(UInt64(0x30), at: GuestAddress(stack + 8))
        #expect(traps.fault([0x48, 0xcb]) == .resume)
        #expect(traps.registers.rip == target && traps.registers.rsp == stack + 16 && traps.cpu.virtual.cs == 0x30)

        traps.memory.write(UInt32(InventedTraps.code), at: GuestAddress(stack))
        traps.memory.write(UInt16(0x8), at: GuestAddress(stack + 4))
        traps.registers.rax = stack
        #expect(traps.fault([0xff, 0x18]) == .resume)  // lcall *(%rax)
        #expect(traps.registers.rip == InventedTraps.code && traps.registers.rsp == stack + 8)
        #expect(traps.memory.read(GuestAddress(stack + 8), as: UInt32.self) == UInt32(target + 2))
        #expect(traps.memory.read(GuestAddress(stack + 12), as: UInt32.self) == 0x30)

        let frame: [5 of UInt64] = [target, 8, 0x240202, stack - 32, 0x10]
        traps.registers.rsp = stack
        traps.memory.write(frame, at: GuestAddress(stack))
        #expect(traps.fault([0x48, 0xcf]) == .resume)
        #expect(traps.registers.rip == target && traps.registers.rsp == stack - 32)
        #expect(traps.cpu.virtual.cs == 8 && traps.cpu.virtual.ss == 0x10 && traps.cpu.virtual.interrupts)
        #expect(traps.registers.rflags == 0x243202)
    }

    @Test("a transfer out of 64-bit ring 0 is refused", arguments: [0x38, 0x43] as [UInt64])
    func leaving(_ selector: UInt64) throws {
        var traps = try GuestTables.traps()
        traps.registers.rsp = InventedTraps.data.upperBound - 64
        traps.memory.write(InventedTraps.code, at: GuestAddress(traps.registers.rsp))
        traps.memory.write(selector, at: GuestAddress(traps.registers.rsp + 8))
        guard case .unsupported = traps.fault([0x48, 0xcb]) else {
            Issue.record("CS \(selector) was not refused")
            return
        }
    }

    @Test("an operand that is not mapped, or not writable, is the guest's page fault")
    func operands() throws {
        var traps = try GuestTables.traps()
        traps.registers.rdi = 0x8000
        #expect(traps.fault([0x0f, 0x01, 0x17]) == .resume)  // lgdt
        #expect(traps.handled(code: 0) == 14)
        #expect(traps.cpu.virtual.cr2 == 0x8000)
        traps = try GuestTables.traps()
        traps.registers.rdi = InventedTraps.readOnly.lowerBound
        #expect(traps.fault([0x0f, 0x01, 0x07]) == .resume)  // sgdt
        #expect(traps.handled(code: 3) == 14)
        traps = try GuestTables.traps()
        traps.registers.rdi = MonitorMap.stack  // the monitor's, for nobody
        #expect(traps.fault([0x0f, 0x01, 0x07]) == .resume)
        #expect(traps.handled(code: 2) == 14)
    }

    @Test("cli and sti are remembered; hlt is an exit; xsetbv, swapgs and flushes do what they do")
    func others() throws {
        var traps = try InventedTraps()
        #expect(traps.fault([0xfb]) == .resume)
        #expect(traps.cpu.virtual.interrupts && traps.isSound)
        #expect(traps.fault([0xfa]) == .resume)
        #expect(!traps.cpu.virtual.interrupts && traps.isSound)
        let next = traps.registers.rip + 1
        #expect(traps.fault([0xf4]) == .halt)
        #expect(traps.registers.rip == next)
        (traps.registers.rcx, traps.registers.rax, traps.registers.rdx) = (0, 7, 0)
        #expect(traps.fault([0x0f, 0x01, 0xd1]) == .resume)
        #expect(traps.system.xcr0 == 7)
        traps.system.msrs[MSR.gsBase] = 0x1000
        #expect(traps.fault([0x0f, 0x01, 0xf8]) == .resume)
        #expect(traps.system.msrs[MSR.gsBase] == 0 && traps.cpu.virtual.msrs.kernelGSBase == 0x1000)
        #expect(traps.fault([0x0f, 0x01, 0x38]) == .resume)  // invlpg (%rax)
    }

    @Test("str, sldt and smsw show the virtual CPU's values")
    func stores() throws {
        var traps = try InventedTraps()
        traps.cpu.virtual.task.selector = 0x18
        traps.registers.rax = .max
        #expect(traps.fault([0x0f, 0x00, 0xc8]) == .resume)
        #expect(traps.registers.rax == 0x18)
        #expect(traps.fault([0x66, 0x0f, 0x00, 0xc0]) == .resume)
        #expect(traps.registers.rax == 0)
        #expect(traps.fault([0x0f, 0x01, 0xe0]) == .resume)
        #expect(traps.registers.rax == 0x8001_0021)
    }

    @Test("a call at a port that is denied is the machine's; other uses of it are not for ring 3")
    func ports() throws {
        var traps = try InventedTraps()
        (traps.registers.rdx, traps.registers.rax) = (0xffff_0501, 0x1234_5678_9abc)
        #expect(traps.fault([0xef]) == .call(port: 0x501, 0x5678_9abc))
        #expect(traps.registers.rip == InventedTraps.code + 1)
        for code: [UInt8] in [[0x66, 0xef], [0xee], [0xed], [0x6e]] {
            guard case .unsupported = traps.fault(code) else {
                Issue.record("not refused")
                return
            }
            #expect(traps.registers.rip == InventedTraps.code + 1)
        }
    }

    @Test("what comes in a row is done at once; what fails in it is left to the CPU")
    func row() throws {
        var traps = try GuestTables.traps()
        let (code, stack) = (InventedTraps.code, traps.registers.rsp)
        traps.registers.rdi = InventedTraps.data.lowerBound
        traps.memory.write(UInt16(0x7f), at: GuestAddress(traps.registers.rdi))
        traps.memory.write(GuestTables.gdt, at: GuestAddress(traps.registers.rdi + 2))
        // lgdt (%rdi); push $8; push $CODE+12; lretq; mov $16, %rax; mov %eax, %ss; mov $0x18, %ecx; nop
        let address = UInt32(code + 12)
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: address >> UInt32(8 * $0)) }
        let row: [UInt8] = [0x0f, 0x01, 0x17, 0x6a, 8, 0x68] + bytes + [0x48, 0xcb]
        let rest: [UInt8] = [0x48, 0xc7, 0xc0, 16, 0, 0, 0, 0x8e, 0xd0, 0xb9, 0x18, 0, 0, 0, 0x90]
        (traps.cpu.virtual.cs, traps.cpu.virtual.ss) = (0x30, 0)
        #expect(traps.fault(row + rest) == .resume)
        #expect(traps.registers.rip == code + 26 && traps.registers.rsp == stack)
        #expect(traps.registers.rax == 16 && traps.registers.rcx == 0x18)
        #expect(traps.cpu.virtual.cs == 8 && traps.cpu.virtual.ss == 16)

        // mov %eax, %ss of a selector beyond the table: where it stands, the CPU will fault
        traps.registers.rip = code
        #expect(traps.fault([0x0f, 0x01, 0x17, 0xb8, 0x88, 0, 0, 0, 0x8e, 0xd0]) == .resume)
        #expect(traps.registers.rip == code + 8 && traps.cpu.virtual.ss == 16)
        // hlt and a transfer out of ring 0 are not done ahead; a page without execution is no code
        traps.registers.rip = code
        #expect(traps.fault([0x0f, 0x01, 0x17, 0xf4]) == .resume)
        #expect(traps.registers.rip == code + 3)
    }
}
