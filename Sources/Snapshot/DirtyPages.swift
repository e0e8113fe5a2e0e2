// Which pages of a machine's memory may have changed since its last snapshot: more than did, never fewer.
//
// Three sources. The guest's writes, and those that KVM makes for it: the dirty log of each memory slot. Our own: the log
// at guest memory's gate. What is written by addresses that are held, or by machine code's tables: the vCPU area and the
// machine's own pages, always. They pile up here until a snapshot is complete, for reading a log empties it.
// Read next: SnapshotSeries.swift.

import Backing
import GuestMemory
import KVM
import VMM
import X86

/// A bit for each page, from guest-physical 0.
struct DirtyPages {
    private var words: [UInt64] = []

    mutating func insert(_ page: UInt64) {
        let index = Int(page >> 6)
        if index >= words.count { words += [UInt64](repeating: 0, count: index + 1 - words.count) }
        words[index] |= 1 << (page & 63)
    }

    mutating func removeAll() { words = [] }

    private func contains(_ page: UInt64) -> Bool {
        let index = Int(page >> 6)
        return index < words.count && words[index] >> (page & 63) & 1 != 0
    }

    /// Contiguous pages in a range of memory, ascending, none longer than so many bytes.
    func runs(in range: Range<UInt64>, atMost most: Int) -> [Range<UInt64>] {
        var runs: [Range<UInt64>] = []
        var page = range.lowerBound / Format.page
        let end = min(range.upperBound / Format.page, UInt64(words.count) << 6)
        while page < end {
            if page & 63 == 0, words[Int(page >> 6)] == 0 {
                page += 64
                continue
            }
            if contains(page) {
                let start = page * Format.page
                if let last = runs.last, last.upperBound == start, last.count < most {
                    runs[runs.count - 1] = last.lowerBound..<start + Format.page
                } else {
                    runs.append(start..<start + Format.page)
                }
            }
            page += 1
        }
        return runs
    }

    /// Begins to log. Every page that was written before has to be taken for changed.
    static func start(_ machine: Machine) throws(SnapshotError) {
        if !machine.platform.memory.startWriteLog() { throw .unsupported("no memory for a log of writes") }
        machine.platform.growth?.logDirtyPages()
        for var slot in machine.guestSlots {
            slot.flags = .logDirtyPages
            try snapshotKVM(try machine.vm.set(slot))
        }
    }

    /// Adds what was written since the last time; what an error leaves out, the logs still have.
    mutating func take(from machine: Machine) throws(KVMError) {
        for range in [AddressMap.machine, AddressMap.vcpuArea] {
            for address in stride(from: range.lowerBound, to: range.upperBound, by: Int(Format.page)) {
                insert(address / Format.page)
            }
        }
        var own: [UInt64] = []
        machine.platform.memory.takeWriteLog { own.append($0) }
        for page in own { insert(page) }
        for slot in machine.guestSlots {
            var bitmap = DirtyBitmap(pages: Int(slot.size / Format.page))
            try machine.vm.readDirtyLog(slot: slot.index, into: &bitmap)
            for index in bitmap.indices { insert(slot.guestAddress / Format.page + UInt64(index)) }
        }
    }
}

extension Machine {
    /// The memory slots that the guest can write to: those of Machine.addSlots, and those of grow calls.
    fileprivate var guestSlots: [MemorySlot] {
        let (memory, granted) = (platform.memory.high, platform.growth?.grantedSlots ?? [])
        let high = memory.lowerBound..<(granted.first?.guestAddress ?? memory.upperBound)
        var slots: [MemorySlot] = []
        for (index, range) in [(1, platform.memory.low), (2, high)] where !range.isEmpty {
            slots.append(
                MemorySlot(
                    index: UInt32(index), guestAddress: range.lowerBound, size: UInt64(range.count),
                    hostAddress: platform.memory.hostBase + UInt(range.lowerBound)))
        }
        return slots + granted
    }
}
