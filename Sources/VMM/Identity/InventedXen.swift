// Xen's interface without a machine, for fuzzers and tests outside of this module: a hostile domain's calls.
//
// Not part of the public API: `@_spi(InventedExits) import VMM`. Read next: XenCalls.swift.

import GuestMemory
import Host
import KVM
import X86

@_spi(InventedExits) public struct InventedXen: ~Copyable {
    private var xen: Xen
    public let memory: GuestMemory
    /// The domain has ended itself.
    public private(set) var ends = false
    /// Bytes that went to the console, interrupts that were sent.
    public private(set) var (printed, upcalls) = (0, 0)

    /// Linear addresses lead to the page beside their own, so that neighbours are none; the eighth page is mapped nowhere.
    private struct Pages: LinearMemory {
        func physicalAddress(_ linear: UInt64, to _: Access.Kind, _: borrowing GuestMemory) -> UInt64? {
            InventedXen.physical(linear)
        }
    }

    public init(cpus: Int, memorySize: UInt64) throws {
        memory = try GuestMemory(low: 0..<memorySize)
        let clock = MachineClock(frequency: 2_500_000_000, hostStart: Clock.tsc(), guestStart: 0)
        xen = Xen(MachineFacts(clock, cpus: cpus, memorySize: memorySize, random: (1, 2)))
    }

    /// Where a linear address lies; nil: nowhere.
    public static func physical(_ linear: UInt64) -> UInt64? { linear >> 12 == 7 ? nil : linear ^ 0x1000 }

    /// WRMSR; false: a general protection fault.
    public mutating func writeRegister(_ value: UInt64) -> Bool { xen.writeRegister(value, memory) == .written }

    public mutating func call(_ registers: inout Registers, isLong: Bool, cpu: Int) {
        take(xen.call(&registers, isLong: isLong, cpu: cpu, memory, through: Pages()))
    }

    /// As at a kick of the CPU's thread.
    public mutating func runTimer(cpu: Int) { take(xen.expire(cpu: cpu, memory)) }
    public func remaining(cpu: Int) -> UInt64? { xen.remaining(cpu: cpu) }

    private mutating func take(_ effect: XenEffect) {
        switch effect {
        case .none, .timer: break
        case .print(let text): printed += text.count
        case .upcall: upcalls += 1
        case .shutdown: ends = true
        }
    }
}
