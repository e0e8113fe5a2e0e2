// A ring-0 CPU made of a ring-3 one: its virtual registers, and the monitor that its exceptions go to.
//
// What a trap comes to is decided here, without KVM: `SystemRegisters` is the vCPU in a run and a dictionary in a test.
// Read next: Trap.swift (an exit's way), then Emulator.swift.

import GuestMemory
import KVM
import X86

/// The few registers that privileged instructions change in the real CPU.
package protocol SystemRegisters: ~Copyable {
    /// Nil or false where the CPU would answer with #GP.
    func readMSR(_ index: UInt32) -> UInt64?
    func writeMSR(_ index: UInt32, _ value: UInt64) -> Bool
    func writeXCR0(_ value: UInt64) -> Bool
    /// CR2 as the last page fault left it.
    func faultAddress() -> UInt64
}

/// What a trap came to.
package enum TrapOutcome: Equatable, Sendable {
    /// The registers are right for the guest to go on.
    case resume
    /// OUT to a port that the I/O bitmap denies, for the monitor's sake; then the guest goes on.
    case call(port: UInt16, UInt32)
    /// HLT.
    case halt
    /// The guest does what ring 3 cannot stand in for: in words, as in "it ...".
    case unsupported(String)
    /// It reached for memory that its own image says it may not: the address. Solo5 calls it a translation fault.
    case forbidden(UInt64)
    /// It reached for memory that its CPU has not been shown yet.
    case far
    /// An exception that could not be delivered, nor the double fault that followed.
    case tripleFault
    /// It jumped into a stub.
    case forged
    /// An exception that a debugger waits for.
    case debug
}

package struct DeprivilegedCPU: ~Copyable {
    package var virtual: VirtualCPU
    package var monitor: Monitor
    /// Pages whose protection is the image's: elsewhere a page fault is the guest's own.
    let protected: Range<UInt64>
    /// Bits of CR4 that its CPUID has, beside those that every CPU has.
    let features: UInt64
    /// Whether it may go on in ring 0 when ring 3 is not enough.
    package let mayLeave: Bool

    /// It has gone on in ring 0, for good.
    package var hasLeft = false

    /// Exceptions 1 and 3 are a debugger's, and not the guest's.
    package var isDebugged = false

    /// Whether what the guest prints may wait in the monitor.
    package var hasLog: Bool { monitor.hasShortcuts && !hasLeft }

    /// The RIP that the CPU pushed for the last exception.
    package var trapOrigin: UInt64 { monitor.stackWord(MonitorMap.stackTop - 40) }

    package init(
        _ virtual: VirtualCPU, _ monitor: consuming Monitor, protected: Range<UInt64>, features: UInt64,
        mayLeave: Bool = false
    ) {
        self.virtual = virtual
        self.monitor = monitor
        self.protected = protected
        self.features = features
        self.mayLeave = mayLeave
    }
}

extension Registers {
    /// A general register by its number in an instruction: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15.
    package subscript(number: UInt8) -> UInt64 {
        get {
            switch number & 15 {
            case 0: rax
            case 1: rcx
            case 2: rdx
            case 3: rbx
            case 4: rsp
            case 5: rbp
            case 6: rsi
            case 7: rdi
            case 8: r8
            case 9: r9
            case 10: r10
            case 11: r11
            case 12: r12
            case 13: r13
            case 14: r14
            default: r15
            }
        }
        set {
            switch number & 15 {
            case 0: rax = newValue
            case 1: rcx = newValue
            case 2: rdx = newValue
            case 3: rbx = newValue
            case 4: rsp = newValue
            case 5: rbp = newValue
            case 6: rsi = newValue
            case 7: rdi = newValue
            case 8: r8 = newValue
            case 9: r9 = newValue
            case 10: r10 = newValue
            case 11: r11 = newValue
            case 12: r12 = newValue
            case 13: r13 = newValue
            case 14: r14 = newValue
            default: r15 = newValue
            }
        }
    }

    /// Writes as an instruction does: 32 bits clear the upper half, 16 leave the rest (Intel SDM vol. 1, 3.4.1.1).
    mutating func write(_ value: UInt64, size: UInt8, to number: UInt8) {
        switch size {
        case 2: self[number] = self[number] & ~0xffff | value & 0xffff
        case 4: self[number] = value & 0xffff_ffff
        default: self[number] = value
        }
    }
}
