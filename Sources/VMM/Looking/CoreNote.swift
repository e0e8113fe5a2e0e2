// What a core says of the machine beside registers and memory: how it translates addresses, and what lies where.
//
// A note "Swiftlet" of a type of its own, which debuggers skip: words of 64 bits. `swiftlet walk` reads it. The physical memory
// is in program headers of a type for operating systems (gABI, PT_LOOS). Read next: CoreDump.swift.

import CABI
import GuestMemory
import Host
import X86

/// The note's content.
public struct CoreNote: Equatable, Sendable {
    /// Of the program headers that hold guest-physical memory: addresses, virtual and physical, are physical.
    public static let physicalMemory: UInt32 = 0x6000_5357
    public static let owner = "Swiftlet"
    public static let type: UInt32 = 0x434f_5245  // "CORE"
    private static let version: UInt64 = 1

    /// The vCPU's number. A core has a note for each, that of the one that crashed first.
    public var vcpu: Int
    public var paging: PagingState
    public var cr2: UInt64
    public var rip: UInt64
    public var rsp: UInt64
    /// Whether the vCPU was in ring 3.
    public var isUser: Bool
    /// The tables that the guest started with; 0: it had none of ours. For a core whose registers are lost.
    public var firstRoot: UInt64
    public var registersAreLost: Bool
    public var map: MachineMap

    init(_ machine: Machine, vcpu: Int, _ registers: GuestRegisters, _ crash: Crash) {
        self.vcpu = vcpu
        paging = PagingState(
            cr0: registers.cr0, cr3: registers.cr3, cr4: registers.cr4, efer: registers.efer,
            physicalBits: UInt64(Processor.cpuid(0x8000_0008).eax & 0xff))
        (cr2, rip, rsp) = (registers.cr2, registers.rip, registers.general.rsp)
        isUser = registers.cs & 3 == 3
        registersAreLost = vcpu == crash.vcpu && crash.registersAreLost
        if case .ringThree(let guest) = machine.guest {
            firstRoot = guest.layout.tables.lowerBound
        } else {
            firstRoot = 0
        }
        map = machine.map
    }

    /// The descriptor.
    var words: [UInt64] {
        let flags: UInt64 = (isUser ? 1 : 0) | (registersAreLost ? 2 : 0) | UInt64(vcpu) << 8
        var words = [Self.version, paging.cr0, paging.cr3, paging.cr4, paging.efer, paging.physicalBits]
        words += [cr2, rip, rsp, flags, firstRoot, UInt64(map.slots.count), UInt64(map.regions.count)]
        for slot in map.slots {
            words += [slot.index, slot.range.lowerBound, slot.range.upperBound, slot.isReadOnly ? 1 : 0]
        }
        for region in map.regions { words += [region.range.lowerBound, region.range.upperBound, UInt64(region.type)] }
        return words
    }

    /// Nil when it makes no sense: a file is whatever it is.
    public init?(words: [UInt64]) {
        guard words.count >= 13, words[0] == Self.version, words[11] <= 1024, words[12] <= 1024,
            words.count == 13 + 4 * Int(words[11]) + 3 * Int(words[12])
        else { return nil }
        paging = PagingState(
            cr0: words[1], cr3: words[2], cr4: words[3], efer: words[4], physicalBits: words[5])
        (cr2, rip, rsp, firstRoot) = (words[6], words[7], words[8], words[10])
        (isUser, registersAreLost) = (words[9] & 1 != 0, words[9] & 2 != 0)
        vcpu = Int(words[9] >> 8 & 0xffff)
        var rest = words.dropFirst(13)
        func take(_ count: Int) -> [UInt64] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        var (slots, regions): ([MachineMap.Slot], [MachineMap.Region]) = ([], [])
        for _ in 0..<words[11] {
            let slot = take(4)
            guard slot[1] < slot[2] else { return nil }
            slots.append(.init(index: slot[0], range: slot[1]..<slot[2], isReadOnly: slot[3] != 0))
        }
        for _ in 0..<words[12] {
            let region = take(3)
            guard region[0] < region[1] else { return nil }
            regions.append(.init(range: region[0]..<region[1], type: UInt32(truncatingIfNeeded: region[2])))
        }
        map = MachineMap(slots: slots, regions: regions)
    }
}
