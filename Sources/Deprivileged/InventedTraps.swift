// A deprivileged CPU without KVM: traps are invented, what comes of them is real. For tests and fuzzers.
//
// Not part of the public API: `@_spi(InventedTraps) import Deprivileged`. Read next: Trap.swift.

import GuestMemory
public import KVM
import X86

/// The registers of a vCPU that there is none of.
final class InventedSystem: SystemRegisters {
    var msrs: [UInt32: UInt64] = [MSR.fsBase: 0, MSR.gsBase: 0]
    var xcr0: UInt64 = 1
    var cr2: UInt64 = 0

    func readMSR(_ index: UInt32) -> UInt64? { msrs[index] }

    func writeMSR(_ index: UInt32, _ value: UInt64) -> Bool {
        msrs[index] = value
        return true
    }

    func writeXCR0(_ value: UInt64) -> Bool {
        guard value & 1 != 0 else { return false }
        xcr0 = value
        return true
    }

    func faultAddress() -> UInt64 { cr2 }
}

/// A machine of 8 MiB whose guest is the caller.
@_spi(InventedTraps) public struct InventedTraps: ~Copyable {
    package var cpu: DeprivilegedCPU
    public let memory: GuestMemory
    let system = InventedSystem()
    /// The guest's, before a trap and after it.
    public var registers = Registers()

    /// Where code goes: read and execute. Below it lies memory that is read-only, above it memory without limits.
    public static let code: UInt64 = 0x10_0000
    public static let readOnly: Range<UInt64> = 0x1_0000..<0x10_0000
    public static let data: Range<UInt64> = 0x20_0000..<0x40_0000
    /// Memory like it, which the CPU is not shown before somebody reaches for it.
    public static let far: Range<UInt64> = 0x40_0000..<0x80_0000

    public init() throws {
        let memory = try GuestMemory(low: 0..<Self.far.upperBound)
        let code = Self.code..<Self.data.lowerBound
        let everything: PageFlags = [.present, .writable, .user]
        var builder = try MonitorBuilder()
        builder.map(Self.readOnly, .readOnly)
        builder.map(code, .code)
        builder.map(Self.data, everything)
        builder.mapFar(Self.far, everything)
        let monitor = try builder.finish(shortcuts: Self.readOnly.lowerBound..<Self.far.upperBound)
        let virtual = VirtualCPU(
            gdt: TableAddress(base: 0x1000, limit: 23), cs: 8, ss: 16, cr0: 0x8001_0021, cr3: 0x2000, cr4: 0x620,
            efer: 0x500)
        cpu = DeprivilegedCPU(virtual, monitor, protected: code, features: CR4.fsgsbase)
        self.memory = memory
        registers.rip = Self.code
        registers.rsp = Self.data.upperBound - 8
        registers.rflags = RFLAGS.reserved1
    }

    /// The CPU pushes a frame and enters a stub; false when the guest would not go on.
    @discardableResult
    public mutating func trap(vector: Int, code: UInt64 = 0, address: UInt64 = 0) -> Bool {
        switch outcome(vector: vector, code: code, address: address) {
        case .resume: return true
        case .far:
            cpu.monitor.showFar()
            return true
        default: return false
        }
    }

    package mutating func outcome(vector: Int, code: UInt64 = 0, address: UInt64 = 0) -> TrapOutcome {
        let top = MonitorMap.stackTop
        cpu.monitor.storeEntry(registers.rip, top - 40)
        cpu.monitor.storeEntry(registers.rflags, top - 24)
        cpu.monitor.storeEntry(registers.rsp, top - 16)
        cpu.monitor.storeEntry(code, top - 48)
        registers.rsp = top - (Vector.hasErrorCode(vector) ? 48 : 40)
        system.cr2 = address
        let outcome = cpu.trap(vector: vector, &registers, memory, system)
        switch outcome {
        case .halt, .call: isOutside = true
        default: isOutside = false
        }
        return outcome
    }

    /// Puts an instruction at RIP and has it fault; RIP must be in memory.
    package mutating func fault(_ instruction: [UInt8], vector: Int = 13) -> TrapOutcome {
        memory.write(bytes: instruction, at: GuestAddress(registers.rip))
        return outcome(vector: vector)
    }

    /// Whether the last instruction was HLT or a call: the machine's matter.
    public private(set) var isOutside = false

    /// Whether what the VMM relies on still holds: the guest runs with flags of ring 3 and comes out of the monitor.
    public var isSound: Bool { registers.rflags == Flags.real(registers.rflags, interrupts: cpu.virtual.interrupts) }
}
