// Vendors' services without a machine, for fuzzers and tests outside of this module: a hostile kernel's registers and calls.
//
// Not part of the public API: `@_spi(InventedExits) import VMM`. Read next: VendorServices.swift.

import GuestMemory
import Host
import KVM

@_spi(InventedExits) public struct InventedVendor: ~Copyable {
    private var hyperv: HyperV
    private let vmware: VMwareBackdoor
    public let memory: GuestMemory
    /// A guest has asked for a reset.
    public private(set) var ends = false

    /// Hyper-V's registers and calls, and VMware's backdoor, of one machine.
    public init(cpus: Int, memorySize: UInt64) throws {
        memory = try GuestMemory(low: 0..<memorySize)
        let clock = MachineClock(frequency: 2_500_000_000, hostStart: Clock.tsc(), guestStart: 0)
        let facts = MachineFacts(clock, cpus: cpus, memorySize: memorySize, random: (1, 2))
        (hyperv, vmware) = (HyperV(facts), VMwareBackdoor(facts))
    }

    /// RDMSR; nil: a general protection fault.
    public func read(register: UInt32, cpu: Int) -> UInt64? {
        if case .value(let value) = hyperv.read(register, cpu: cpu) { value } else { nil }
    }

    /// WRMSR; false: a general protection fault.
    public mutating func write(register: UInt32, _ value: UInt64, cpu: Int) -> Bool {
        let answer = hyperv.write(register, value, cpu: cpu, memory)
        if answer == .reset { ends = true }
        return answer == .written || answer == .reset
    }

    /// What the page of hypercalls leads to.
    public func hypercall(_ registers: inout Registers, isLong: Bool) { hyperv.call(&registers, isLong: isLong) }

    /// False: the port is nobody's.
    public func backdoor(_ registers: inout Registers) -> Bool { vmware.call(&registers) }
}
