// A guest with 16 MiB whose writes are recorded, and which writes one word to each page that it is told to.
//
// Each measurement checks that the kernel has found exactly the pages written: a log that misses one is a failed row.
// Read next: DirtyLogRows.swift.

import Host
import KVM
import Rig

struct LoggedRig: ~Copyable {
    static let size = 16 << 20
    static let pages = size >> 12

    let rig: Rig
    let mapping: HostMapping

    /// Nothing is logged yet, unless `isLogging`. No interrupt controller: a slot's change would wait for its sake.
    init(
        _ images: ExitImages, isLogging: Bool, _ change: (inout RigPlan) -> Void = { _ in }
    ) throws(ExperimentError) {
        let mapping = try tryHost(try HostMapping(.anonymous, size: Self.size))
        try tryHost(try mapping.populate())
        var plan = RigPlan(.ring3, code: try images.code("touch-write", .ring3))
        plan.irqchip = .none
        plan.slots = [mapping.slot(isLogging ? .logDirtyPages : [])]
        change(&plan)
        rig = try tryRig(try Rig(try openKVM(), plan))
        self.mapping = mapping
    }

    func setLogging(_ isOn: Bool) throws(ExperimentError) {
        try tryKVM(try rig.vm.set(mapping.slot(isOn ? .logDirtyPages : [])))
    }

    /// The guest writes to the first of every so many pages: `shift` is the binary logarithm of that distance in bytes.
    /// Nanoseconds of each write.
    @discardableResult
    func touch(_ count: Int, shift: Int = 12) throws(ExperimentError) -> Samples {
        rig.limit(nanoseconds: 2_000_000_000)
        let trips = try tryRig(try rig.collect(count, operand: RigMap.tested | UInt64(shift)) { _, _ in false })
        return Samples(trips.guest, frequency: rig.tscFrequency, dropping: 0)
    }

    /// Reads the log, which has to have `expected` pages.
    func readLog(_ bitmap: inout DirtyBitmap, expecting expected: Int) throws(ExperimentError) {
        try tryKVM(try rig.vm.readDirtyLog(slot: RigMap.firstSlot, into: &bitmap))
        if bitmap.count != expected { throw .failed("the log has \(bitmap.count) pages, and \(expected) were written") }
    }
}
