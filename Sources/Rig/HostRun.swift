// The same code on both sides: bytes of guests/exits that keep to both.h, as a guest of a rig and as a function of ours.
//
// Read next: RigMap.swift.

import GuestMemory
import Host

/// What a guest of both.h finds as its page, for a run in our own process.
public struct HostRun: ~Copyable {
    private let code: FlatCode
    private let page: HostMapping

    public init(_ code: [UInt8]) throws(HostError) {
        let page = try HostMapping(.anonymous, size: 0x1_0000)
        try page.populate()
        self.code = try FlatCode(code)
        self.page = page
    }

    /// Time stamps before and after each operation.
    public func collect(_ count: Int, operand: UInt64) -> [(start: UInt64, end: UInt64)] {
        let count = min(count, RigMap.capacity)
        if count < 1 { return [] }
        page.store(1 << 32 | UInt64(count), at: 0)  // behind the count: both.h, BOTH_HOST
        page.store(operand, at: Int(RigMap.operand - RigMap.page))
        code.call(page.address)
        let samples = Int(RigMap.samples - RigMap.page)
        return (0..<count).map { index in
            (page.load(at: samples + index * 16), page.load(at: samples + index * 16 + 8))
        }
    }
}

extension Rig {
    /// The address of the table whose entries map the 2 MiB at `address`, one of `RigPlan.smallPages`. Open to the guest.
    public func pageTable(of address: UInt64) -> UInt64? {
        var table = RigMap.tables.lowerBound
        for level in [4, 3, 2] as [UInt64] {
            let entry = table + (address >> (level * 9 + 3) & 0x1ff) * 8
            guard let value = memory.read(GuestAddress(entry), as: UInt64.self), value & 0x81 == 1 else { return nil }
            table = value & 0x000f_ffff_ffff_f000
        }
        return table
    }
}
