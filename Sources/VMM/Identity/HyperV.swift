// Hyper-V's interface: CPUID's leaves, and the MSRs by which a guest finds hypercalls, its number and the time.
//
// Hypervisor Top-Level Functional Specification (TLFS) 6.0b, chapters 2, 3 and 12, and its appendix of MSRs; Linux,
// include/asm-generic/hyperv-tlfs.h and arch/x86/include/asm/hyperv-tlfs.h. Nothing is written into guest memory but the
// pages that the guest has named. Read next: HyperVCalls.swift.

import GuestMemory
import KVM

struct HyperV {
    /// Appendix F's names. VP assist is for enlightenments that are not offered, and Linux sets it unasked.
    enum Register: UInt32 {
        case guestOS = 0x4000_0000
        case hypercall, vpIndex, reset
        case timeReference = 0x4000_0020
        case referenceTSC, tscFrequency, apicFrequency
        case vpAssist = 0x4000_0073
    }

    /// All that the interface has numbers for.
    static let registers: ClosedRange<UInt32> = 0x4000_0000...0x4000_01ff

    private let facts: MachineFacts
    private let time: ReferenceTime
    private var guestOS: UInt64 = 0
    private var hypercall: UInt64 = 0
    private var referenceTSC: UInt64 = 0
    /// By processor.
    private var assists: [UInt64]

    private static let (enabled, locked): (UInt64, UInt64) = (1, 2)

    init(_ facts: MachineFacts) {
        self.facts = facts
        time = ReferenceTime(facts.clock)
        assists = Array(repeating: 0, count: facts.cpus)
    }

    func read(_ index: UInt32, cpu: Int) -> RegisterAnswer {
        switch Register(rawValue: index) {
        case .guestOS?: .value(guestOS)
        case .hypercall?: .value(hypercall)
        case .vpIndex?: .value(UInt64(cpu))
        case .reset?: .value(0)
        case .timeReference?: .value(time.now)
        case .referenceTSC?: .value(referenceTSC)
        case .tscFrequency?: .value(facts.frequency)
        case .apicFrequency?: .value(UInt64(Identity.busFrequency))
        case .vpAssist?: .value(assists[cpu])
        case nil: .refused
        }
    }

    mutating func write(
        _ index: UInt32, _ value: UInt64, cpu: Int, _ memory: borrowing GuestMemory
    ) -> RegisterAnswer {
        switch Register(rawValue: index) {
        case .guestOS?:
            guestOS = value
            if value == 0 { hypercall &= ~Self.enabled }
        case .hypercall?: return setHypercall(value, memory)
        case .reset?: return value & 1 != 0 ? .reset : .written
        case .referenceTSC?:
            if value & Self.enabled != 0, !memory.write(bytes: time.page, at: Self.page(value)) { return .refused }
            referenceTSC = value
        case .vpAssist?: assists[cpu] = value
        case .vpIndex?, .timeReference?, .tscFrequency?, .apicFrequency?, nil: return .refused
        }
        return .written
    }

    /// Who has not said what it is gets no page; a locked one stays (TLFS 3.13).
    private mutating func setHypercall(_ value: UInt64, _ memory: borrowing GuestMemory) -> RegisterAnswer {
        if hypercall & Self.locked != 0 { return .written }
        var value = value
        if guestOS == 0 { value &= ~Self.enabled }
        if value & Self.enabled != 0 {
            let rest = [UInt8](repeating: 0xcc, count: 4096 - HypercallPort.code.count)  // INT3
            if !memory.write(bytes: HypercallPort.code + rest, at: Self.page(value)) { return .refused }
        }
        hypercall = value
        return .written
    }

    /// Bits 12 to 63 of a register that enables a page.
    private static func page(_ value: UInt64) -> GuestAddress { GuestAddress(value & ~0xfff) }
}

extension HyperV {
    /// Privileges (leaf 3, EAX): reference counter, hypercall MSRs, VP index, reset, reference TSC, frequencies; EDX: those
    /// MSRs are there.
    private static let (privileges, features): (UInt32, UInt32) = (0b1010_1110_0010, 1 << 8)

    static func leaves(cpus: Int) -> [CPUIDLeaf] {
        func leaf(_ number: UInt32, _ eax: UInt32, _ ebx: UInt32 = 0, edx: UInt32 = 0) -> CPUIDLeaf {
            CPUIDLeaf(leaf: Identity.firstLeaf + number, subleaf: nil, eax: eax, ebx: ebx, ecx: 0, edx: edx)
        }
        return [
            Identity.signature("Microsoft Hv", highest: Identity.firstLeaf + 6),
            leaf(1, 0x3123_7648),  // Hv#1
            leaf(2, 14393, 10 << 16),  // Windows Server 2016's, as QEMU has it
            leaf(3, privileges, edx: features),
            leaf(4, 0, .max),  // no recommendations, and no word of long spins
            leaf(5, UInt32(cpus)),
            leaf(6, 0),
        ]
    }
}

/// Time since the machine was built in units of 100 ns (TLFS 12.4): what the counter says, and the page by which a guest
/// computes the same from its TSC: (tsc * scale >> 64) + offset.
struct ReferenceTime {
    private let clock: MachineClock
    private let scale: UInt64

    private static let unitsPerSecond: UInt64 = 10_000_000

    /// A TSC slower than the unit has no such scale; there is none.
    init(_ clock: MachineClock) {
        self.clock = clock
        let rate = max(clock.frequency, Self.unitsPerSecond + 1)
        scale = rate.dividingFullWidth((Self.unitsPerSecond, 0)).quotient
    }

    private func units(_ cycles: UInt64) -> UInt64 { cycles.multipliedFullWidth(by: scale).high }

    var now: UInt64 { units(clock.cycles) }

    /// TscSequence 1 (0 would say: take the MSR), TscScale, TscOffset; the rest is zero.
    var page: [UInt8] {
        let words = [1, scale, 0 &- units(clock.guestStart)]
        return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
            + [UInt8](repeating: 0, count: 4096 - 24)
    }
}
