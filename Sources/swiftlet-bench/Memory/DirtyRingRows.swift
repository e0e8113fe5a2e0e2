// The dirty ring: what it costs to write to a protected page, to take the entries and to have their pages protected again.
//
// Read next: PutBackRows.swift.

import Host
import KVM
import Rig

struct DirtyRingExperiment: Experiment {
    enum Operation: String {
        /// The guest's first write to a page after it was protected.
        case write
        /// We take 2048 entries from shared memory.
        case harvest
        /// The kernel protects their pages.
        case reset
    }

    var subject: Subject
    let operation: Operation
    let images: ExitImages

    private static let pages = 2048
    /// 8192 entries of 16 bytes; a machine's exits come when it is nearly full, and ours never is.
    private static let bytes = 8192 * 16

    init(_ images: ExitImages, _ operation: Operation) {
        let what =
            switch operation {
            case .write: "write to a page whose writes go into the ring"
            case .harvest: "take the entries out of the dirty ring"
            case .reset: "protect the pages again (KVM_RESET_DIRTY_RINGS)"
            }
        subject = Subject(
            .memory, "dirty-ring-\(operation.rawValue)", what,
            operation == .write ? "ring3" : "\(Self.pages)-pages", operation == .harvest ? .host : .kernel)
        subject.hasFloor = operation == .write
        self.operation = operation
        self.images = images
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let kvm = try tryRig(try openKVM())
        if kvm.capability(.dirtyRing) < Self.bytes {
            throw .unavailable("this KVM has no KVM_CAP_DIRTY_LOG_RING_ACQ_REL of \(Self.bytes) bytes (Linux 6.1)")
        }
        let machine = try LoggedRig(images, isLogging: true) { plan in plan.dirtyRing = Self.bytes }
        var ring = try tryKVM(try DirtyRing(machine.rig.vcpu, bytes: Self.bytes))
        var writes: [Double] = []
        let samples = try series(amount.atMost(operation == .write ? 1 : 5).samples) { () throws(ExperimentError) in
            writes += try machine.touch(Self.pages, shift: 13).total
            var taken: [Int] = []
            let harvest = try time { () throws(ExperimentError) in taken = ring.harvest() }
            guard taken == (0..<Self.pages).map({ $0 * 2 }) else {
                throw .failed("the ring has \(taken.count) pages, and \(Self.pages) were written")
            }
            var protected = 0
            let reset = try time { () throws(ExperimentError) in
                protected = try tryKVM(try machine.rig.vm.resetDirtyRings())
            }
            guard protected == Self.pages else {
                throw .failed("\(protected) of \(Self.pages) pages were protected again")
            }
            return operation == .harvest ? harvest : reset
        }
        // The first round's writes found pages that were not mapped at all.
        return operation == .write
            ? Samples(total: Array(writes.dropFirst(Self.pages).prefix(amount.samples))) : samples
    }
}

func dirtyRingExperiments(_ images: ExitImages) -> [any Experiment] {
    [DirtyRingExperiment.Operation.write, .harvest, .reset].map { DirtyRingExperiment(images, $0) }
}
