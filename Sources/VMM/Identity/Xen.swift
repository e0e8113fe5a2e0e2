// Xen's interface, for a domain of kind HVM or PVH: CPUID's leaves, the page of hypercalls, and the page that both share.
//
// xen/include/public: arch-x86/cpuid.h, xen.h, version.h; Linux, arch/x86/xen/enlighten_hvm.c and enlighten_pvh.c. What lies in
// guest memory has the layout of the mode in which the kernel named the place, of 32 or 64 bits. Read next: XenCalls.swift.

import GuestMemory
import Host
import KVM

struct Xen {
    /// Any that nobody else has; leaf 2 tells it.
    static let register: UInt32 = 0x4000_0200
    static let version: UInt32 = 4 << 16 | 17
    /// 32 bytes each.
    static let calls = 128

    let facts: MachineFacts
    /// Where the shared page lies, and how.
    private(set) var shared: XenSharedPage?
    /// By processor: where vcpu_info lies when it is not in the shared page.
    var places: [GuestAddress?]
    var channels = XenChannels()
    /// By processor: when its timer for one shot is due, on the machine's clock in ns.
    var deadlines: [UInt64?]
    /// HVMOP_set_param: numbers that the guest keeps here.
    var parameters = [UInt64](repeating: 0, count: 39)

    init(_ facts: MachineFacts) {
        self.facts = facts
        places = Array(repeating: nil, count: facts.cpus)
        deadlines = Array(repeating: nil, count: facts.cpus)
    }

    /// Number `count` of stubs, each MOV of its number to EAX and the way out; the guest names the page by its address.
    func writeRegister(_ value: UInt64, _ memory: borrowing GuestMemory) -> RegisterAnswer {
        // Bits 0 to 11 are which of the pages it shall be: there is one (xen/include/public/arch-x86/cpuid.h, leaf 2).
        guard value & 0xfff == 0 else { return .refused }
        let stubs = (0..<UInt32(Self.calls)).flatMap { number -> [UInt8] in
            let stub = [0xb8] + (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } + HypercallPort.code
            return stub + [UInt8](repeating: 0xcc, count: 32 - stub.count)
        }
        return memory.write(bytes: stubs, at: GuestAddress(value)) ? .written : .refused
    }

    static func leaves(kilohertz: UInt32) -> [CPUIDLeaf] {
        func leaf(_ number: UInt32, _ subleaf: UInt32?, _ a: UInt32, _ b: UInt32 = 0, _ c: UInt32 = 0) -> CPUIDLeaf {
            CPUIDLeaf(leaf: Identity.firstLeaf + number, subleaf: subleaf, eax: a, ebx: b, ecx: c, edx: 0)
        }
        let neverEmulated: UInt32 = 2  // tsc_mode
        let upcallVector: UInt32 = 1 << 6
        return [
            Identity.signature("XenVMMXenVMM", highest: Identity.firstLeaf + 4),
            leaf(1, nil, version), leaf(2, nil, 1, register),
            leaf(3, 0, 0, neverEmulated, kilohertz), leaf(3, 1, 0), leaf(3, 2, kilohertz),
            leaf(4, nil, upcallVector),
        ]
    }

    /// Fills the page that the guest has named, whatever was in it; false when it is no memory.
    mutating func share(_ page: GuestAddress, isLong: Bool, _ memory: borrowing GuestMemory) -> Bool {
        let shared = XenSharedPage(page, isLong: isLong)
        guard shared.fill(memory, facts.clock) else { return false }
        self.shared = shared
        return true
    }

    /// Where a processor's vcpu_info lies.
    func place(cpu: Int) -> GuestAddress? { places[cpu] ?? shared?.place(cpu: cpu) }
}

/// struct shared_info (xen.h): 32 vcpu_info of 64 bytes, pending and masked events, the time of day.
struct XenSharedPage {
    let address: GuestAddress
    /// Of 64 bits: words of 8 bytes, else of 4.
    let isLong: Bool

    init(_ address: GuestAddress, isLong: Bool) { (self.address, self.isLong) = (address, isLong) }

    static let infoSize: UInt64 = 64
    static let infos = 32

    private var bitmapSize: UInt64 { isLong ? 512 : 128 }
    var pending: GuestAddress { address + 2048 }
    var mask: GuestAddress { pending + bitmapSize }
    private var wallClock: GuestAddress { mask + bitmapSize }

    func place(cpu: Int) -> GuestAddress? {
        cpu < Self.infos ? address + UInt64(cpu) * Self.infoSize : nil
    }

    /// All events masked, the clock the same for all processors (their TSCs are one), the time of day that the clock began at.
    fileprivate func fill(_ memory: borrowing GuestMemory, _ clock: MachineClock) -> Bool {
        guard memory.write(bytes: [UInt8](repeating: 0, count: 4096), at: address) else { return false }
        memory.write(bytes: [UInt8](repeating: 0xff, count: Int(bitmapSize)), at: mask)
        for cpu in 0..<Self.infos { place(cpu: cpu).map { Self.writeTime(memory, $0, clock) } }
        let now = Clock.realtime()
        let start = UInt64(clamping: now.seconds) &* 1_000_000_000 &+ UInt64(now.nanoseconds) &- clock.now()
        memory.write(UInt32(2), at: wallClock)
        memory.write(UInt32(truncatingIfNeeded: start / 1_000_000_000), at: wallClock + 4)
        memory.write(UInt32(start % 1_000_000_000), at: wallClock + 8)
        return true
    }

    /// vcpu_time_info at 32 bytes of vcpu_info: KVM's and our call page's format, the stable flag too.
    static func writeTime(_ memory: borrowing GuestMemory, _ place: GuestAddress, _ clock: MachineClock) {
        let page = clock.page
        let time = place + 32
        memory.write(UInt32(2), at: time)
        memory.write(page.tsc_timestamp, at: time + 8)
        memory.write(UInt64(0), at: time + 16)
        memory.write(page.tsc_to_system_mul, at: time + 24)
        memory.write(page.tsc_shift, at: time + 28)
        memory.write(page.flags, at: time + 29)
    }
}
