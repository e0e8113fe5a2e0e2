// What an observer must know of a machine: its clock, its calls, whether it is being stopped, and its guest's memory.
//
// VMM/Observation.swift says it of Swiftlet's; tests invent one. Read next: ExitKey.swift.

import Glibc
import KVM
import X86

/// A machine, to those who watch it.
public protocol ObservedMachine {
    /// Nanoseconds on the guest's clock at a count of the host's TSC.
    func time(at tsc: UInt64) -> UInt64
    /// The call that a port write makes: its number and its name; nil for any other port write.
    func call(_ port: UInt16, size: UInt8, count: UInt32) -> (number: UInt64, name: String)?
    /// Somebody has asked for a stop, and waits.
    var isStopping: Bool { get }
    /// Becomes readable when somebody asks for a stop.
    var stopDescriptor: Int32 { get }

    /// Guest memory by virtual address under a root of page tables (CR3). The guest is hostile: no address, no root and no
    /// table may do any harm. `bytes` gives fewer where something is not mapped, `word` nothing.
    func bytes(at address: UInt64, _ count: Int, root: UInt64) -> [UInt8]
    func word(at address: UInt64, root: UInt64) -> UInt64?
    /// The IN or OUT that a port exit came from: KVM gives its address or the next instruction's.
    func portInstruction(around rip: UInt64, root: UInt64) -> UInt64
}

extension VCPU {
    /// The root now; where KVM does not tell, one under which nothing is mapped. It costs an ioctl: not for every exit.
    var root: UInt64 { (try? specialRegisters().root) ?? .max }
}

extension SpecialRegisters {
    /// CR3 in 64-bit mode. Without paging it is `PageWalk.unpaged`; tables of 32-bit modes are not walked: nothing is mapped.
    package var root: UInt64 {
        if cr0 & CR0.paging == 0 { return PageWalk.unpaged }
        return efer & EFER.longModeActive == 0 ? .max : cr3
    }
}

extension ExitEvent {
    init(_ exit: Exit, _ machine: some ObservedMachine) {
        switch exit {
        case .portWrite(let port, let size, let count, let value):
            let call = machine.call(port, size: size, count: count)
            let key = call.map { ExitKey(.call, $0.number) } ?? ExitKey(.portWrite, UInt64(port))
            self.init(key, name: call?.name, size: UInt32(size), data: UInt64(value))
        case .portRead(let port, let size, _): self.init(ExitKey(.portRead, UInt64(port)), size: UInt32(size))
        case .mmioWrite(let address, let size, let value):
            self.init(ExitKey(.memoryWrite, address), size: size, data: value)
        case .mmioRead(let address, let size): self.init(ExitKey(.memoryRead, address), size: size)
        case .msrRead(let index): self.init(ExitKey(.registerRead, UInt64(index)))
        case .msrWrite(let index, let value): self.init(ExitKey(.registerWrite, UInt64(index)), data: value)
        case .halt: self.init(ExitKey(.halt))
        case .shutdown: self.init(ExitKey(.shutdown))
        case .debug: self.init(ExitKey(.debug))
        case .interrupted: self.init(ExitKey(.kick))
        case .internalError(let suberror): self.init(ExitKey(.internalError, UInt64(suberror)))
        case .failEntry(let reason): self.init(ExitKey(.failEntry, reason))
        case .other(let reason): self.init(ExitKey(.other, UInt64(reason)))
        }
    }

    /// KVM_RUN came back with an error number.
    init(error: Int32) {
        switch error {
        case EINTR: self.init(ExitKey(.kick))
        case EAGAIN: self.init(ExitKey(.wake))
        default: self.init(ExitKey(.failed, UInt64(error)))
        }
    }
}
