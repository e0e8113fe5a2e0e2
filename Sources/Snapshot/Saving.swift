// A paused machine becomes a file: vCPU state, the VMM's own, and every page that is not zero.
//
// The guest must be paused (a run that ended with `.paused`): then its vCPU is at an instruction boundary, with no exit
// half done. It can go on afterwards. Read next: DirtyPages.swift.

import CABI
import CSnapshot
import GuestMemory
import Host
import KVM
import VMM
import X86

/// What was written.
public struct SavedSnapshot: Sendable {
    public let fileSize: UInt64
    /// From the pause to the file under its name.
    public internal(set) var nanoseconds: UInt64
    /// Of an increment: the name of the file that it needs, in the same folder.
    public var parent: String?
    /// Why it is no increment, where one was wanted.
    public var whyWhole: String?
}

extension Machine {
    /// Writes a snapshot of this paused machine, in the place of a file that may be there: the old or the new one is
    /// there at any time, never a half.
    ///
    /// `byGuest`: the guest asked for it by its call, and its result is put into both guests' call pages.
    public func save(to path: String, byGuest: Bool) throws(SnapshotError) -> SavedSnapshot {
        let start = Clock.monotonic()
        let written = try answering(byGuest) { () throws(SnapshotError) in try saveAll(to: path) }
        return SavedSnapshot(fileSize: written.size, nanoseconds: Clock.monotonic() - start)
    }

    /// Has the guest's call answered while a file is written: in it "restored", in memory "saved", or "none" when it failed.
    func answering<T>(_ byGuest: Bool, _ write: () throws(SnapshotError) -> T) throws(SnapshotError) -> T {
        let result = GuestAddress(AddressMap.callPage(vcpu: spokesmanIndex))
        if byGuest { platform.memory.write(Int64(SWIFTLET_SNAPSHOT_RESTORED), at: result) }
        do throws(SnapshotError) {
            let written = try write()
            if byGuest { platform.memory.write(Int64(SWIFTLET_SNAPSHOT_SAVED), at: result) }
            return written
        } catch {
            if byGuest { platform.memory.write(Int64(SWIFTLET_SNAPSHOT_NONE), at: result) }
            throw error
        }
    }

    /// A file that stands alone.
    func saveAll(to path: String) throws(SnapshotError) -> WrittenFile {
        try writeSnapshot(
            try parts(), try MemoryScan.ranges(of: self), memory: platform.memory.hostBase, to: path,
            unless: { isCutShort })
    }

    /// All but memory, and without a parent.
    func parts() throws(SnapshotError) -> SnapshotParts {
        if origin.features.leaf1_ecx & 1 << 20 == 0 { throw .unsupported("snapshots need a CPU with SSE4.2") }
        let kvm = try snapshotKVM(try KVM())
        let (machine, vcpu) = try snapshotKVM(try state(kvm))
        let image = origin.image ?? absolutePath(configuration.image)
        let others = try snapshotKVM(try stateOfOthers(kvm))
        return SnapshotParts(machine: machine, vcpu: vcpu, others: others, image: Array(image.utf8), growth: growth)
    }

    private var growth: csnapshot_growth? {
        guard let plan = platform.growth?.plan, let maximum = configuration.memoryMaximum else { return nil }
        return csnapshot_growth(
            maximum: maximum, step: plan.step, end: platform.memory.high.upperBound, reserved: 0)
    }

    private func state(_ kvm: borrowing KVM) throws(KVMError) -> (csnapshot_machine, [UInt8]) {
        try vcpu.loop.withLock { loop throws(KVMError) in
            var machine = describe()
            machine.timer_deadline = loop.context.timer.deadline
            machine.timer_vector = UInt32(loop.context.timer.vector)
            machine.waiting_vector = loop.waitingVector
            let words = platform.processors?.handlers.words ?? loop.context.handled.words
            machine.handled = (words[0], words[1], words[2], words[3])
            return (machine, try loop.vcpu.image(comparedWith: kvm))
        }
    }

    private func describe() -> csnapshot_machine {
        let layout = platform.layout
        var machine = csnapshot_machine()
        machine.abi_version = UInt32(SWIFTLET_ABI_VERSION)
        machine.vcpu_count = UInt32(1 + others.count)
        machine.memory_size = layout.memorySize
        (machine.image_start, machine.image_end) = (layout.image.lowerBound, layout.image.upperBound)
        (machine.stack_start, machine.stack_end) = (layout.stack.lowerBound, layout.stack.upperBound)
        (machine.tables_start, machine.tables_end) = (layout.tables.lowerBound, layout.tables.upperBound)
        (machine.module_start, machine.module_end) = (layout.module.lowerBound, layout.module.upperBound)
        machine.bias = guest.bias
        (machine.image_size, machine.image_modified) = (origin.stamp.size, origin.stamp.modified)
        machine.clock = platform.clock.now()
        let words = featureWords(origin.features)
        machine.features = (words[0], words[1], words[2], words[3], words[4], words[5], words[6], 0)
        machine.xcr0 = origin.features.xcr0
        machine.maker = processorMaker()
        return machine
    }
}
