// Mapping: how long until a VM has so much memory, none of which is backed yet. As a machine does it: GuestMemory, a slot.
//
// It grows all the same: the kernel keeps data for each page of a slot. Read next: TouchRows.swift.

import GuestMemory
import Host
import KVM
import Rig

struct MapExperiment: Experiment {
    var subject: Subject
    let size: UInt64

    init(_ size: UInt64) {
        subject = Subject(.memory, "map", "map lazily backed memory (mmap, slot)", shortSize(size), .kernel)
        subject.hasFloor = false
        self.size = size
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let kvm = try tryRig(try openKVM())
        let vm = try tryKVM(try kvm.makeVM())
        return try series(amount.atMost(20).samples) { () throws(ExperimentError) in
            let start = Clock.monotonic()
            let memory = try reserve()
            var slot = MemorySlot(index: 0, guestAddress: RigMap.tested, size: size, hostAddress: memory.hostBase)
            try tryKVM(try vm.set(slot))
            let time = Clock.monotonic() - start
            slot.size = 0
            try tryKVM(try vm.set(slot))
            return time
        }
    }

    private func reserve() throws(ExperimentError) -> GuestMemory {
        do throws(GuestMemoryError) { return try GuestMemory(low: 0..<size) } catch {
            switch error {
            case .mapping(let size, let errno):
                throw .unavailable("the kernel refuses to map \(size >> 20) MiB: \(errnoText(errno))")
            }
        }
    }
}

func mapExperiments(_ equipment: Equipment) -> [any Experiment] {
    let sizes: [UInt64] = [1 << 20, 64 << 20, 1 << 30, 16 << 30, 64 << 30]
    return sizes.flatMap { equipment.mappingTwin(of: MapExperiment($0), ["map", "\($0)"], atMost: 20) }
}
