// VMware's backdoor: `in eax, dx` at port 0x5658, with a magic number in EAX and a command in CX.
//
// Commands and registers: open-vm-tools, lib/include/backdoor_def.h; Linux, arch/x86/kernel/cpu/vmware.c and
// arch/x86/include/asm/vmware.h; QEMU, hw/i386/vmport.c. A command that is not here answers with ones, as VMware's does, and so
// do kernels know it. Read next: ../Devices/KernelRunLoop.swift.

import Host
import KVM

struct VMwareBackdoor {
    static let port: UInt16 = 0x5658
    static let magic: UInt32 = 0x564d_5868
    /// Of the backdoor; and of the product: ESX.
    private static let (version, product): (UInt32, UInt32) = (6, 2)
    /// Local APICs may be x2APICs without interrupt remapping (GET_VCPU_INFO).
    private static let legacyX2APIC: UInt32 = 1 << 3
    /// How far the time may lag behind, in us.
    private static let lag: UInt32 = 1_000_000

    enum Command: UInt16 {
        case version = 10
        case biosUUID = 19
        case memorySize = 20
        case time = 23
        case rates = 45
        case timeFull = 46
        case cpuInformation = 68
    }

    private let facts: MachineFacts

    init(_ facts: MachineFacts) { self.facts = facts }

    static func leaves(kilohertz: UInt32) -> [CPUIDLeaf] {
        // ECX's bits 0 and 1 would offer calls by VMMCALL and VMCALL, which are KVM's here.
        [Identity.signature("VMwareVMware", highest: Identity.timingLeaf), Identity.timing(kilohertz: kilohertz)]
    }

    /// Answers in EAX and other registers; false without the magic number: then the port is nobody's.
    func call(_ registers: inout Registers) -> Bool {
        guard UInt32(truncatingIfNeeded: registers.rax) == Self.magic else { return false }
        switch Command(rawValue: UInt16(truncatingIfNeeded: registers.rcx)) {
        case .version?: registers.set(Self.version, ebx: Self.magic, ecx: Self.product)
        case .biosUUID?:
            registers.set(
                facts.uuidWord(0), ebx: facts.uuidWord(1), ecx: facts.uuidWord(2), edx: facts.uuidWord(3))
        case .memorySize?: registers.set(UInt32(clamping: facts.memorySize >> 20), ebx: Self.magic)
        case .time?: tellTime(&registers, isFull: false)
        case .timeFull?: tellTime(&registers, isFull: true)
        case .rates?:
            let frequency = facts.frequency
            registers.set(
                UInt32(truncatingIfNeeded: frequency), ebx: UInt32(truncatingIfNeeded: frequency >> 32),
                ecx: Identity.busFrequency)
        case .cpuInformation?: registers.set(Self.legacyX2APIC)
        case nil: registers.set(.max)
        }
        return true
    }

    /// The time of day in UTC: in EAX as 32 bits of seconds, ones where they do not fit; or in full in ESI and EDX. Then us.
    private func tellTime(_ registers: inout Registers, isFull: Bool) {
        let now = Clock.realtime()
        let seconds = UInt64(clamping: now.seconds)
        let microseconds = UInt32(truncatingIfNeeded: now.nanoseconds / 1000)
        if isFull {
            registers.set(
                Self.magic, ebx: microseconds, ecx: Self.lag, edx: UInt32(truncatingIfNeeded: seconds))
            registers.rsi = seconds >> 32
        } else {
            registers.set(UInt32(exactly: seconds) ?? .max, ebx: microseconds, ecx: Self.lag)
        }
    }
}

extension Registers {
    fileprivate mutating func set(_ eax: UInt32, ebx: UInt32? = nil, ecx: UInt32? = nil, edx: UInt32? = nil) {
        rax = UInt64(eax)
        if let ebx { rbx = UInt64(ebx) }
        if let ecx { rcx = UInt64(ecx) }
        if let edx { rdx = UInt64(edx) }
    }
}
