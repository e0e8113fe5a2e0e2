// An operation of guests/exits on a test rig: what most rows of `bench exits` are.
//
// The guest takes time stamps around the operation, the host around KVM_RUN. Each repeat has a machine of its own, so
// that no repeat inherits another's caches. Read next: ExitRows.swift.

import Host
import KVM
import Measure
import Rig

struct RigExperiment: Experiment {
    var subject: Subject
    /// The name of the guest in guests/exits.
    let operation: String
    let mode: CPUMode
    let images: ExitImages
    /// Changes the plan: an interrupt controller, a larger memory.
    var plan: @Sendable (inout RigPlan) -> Void = { _ in }
    /// Has the kernel or the guest's memory prepared before the first run.
    var prepare: @Sendable (borrowing Rig) throws(RigError) -> Void = { (_) throws(RigError) in }
    var operand: UInt64 = 0
    /// Answers an exit; false to one that does not belong to the operation.
    var answer: @Sendable (Exit, borrowing VCPU) -> Bool = { _, _ in false }

    init(_ images: ExitImages, _ operation: String, _ what: String, _ mode: CPUMode, _ place: Place) {
        subject = Subject(.exits, operation, what, mode.rawValue, place)
        self.operation = operation
        self.mode = mode
        self.images = images
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        var plan = RigPlan(mode, code: try images.code(operation, mode))
        plan.hasHandlers = true
        self.plan(&plan)
        do throws(RigError) {
            let rig = try Rig(try openKVM(), plan)
            try prepare(rig)
            rig.limit(nanoseconds: Self.limit)
            let trips = try rig.collect(amount.warmUps + amount.samples, operand: operand, answer: answer)
            return Samples(trips, of: rig, dropping: amount.warmUps)
        } catch { throw ExperimentError(error) }
    }

    /// For one repeat: far more than any takes, short enough that a KVM that spins costs a report two seconds.
    private static let limit: UInt64 = 2_000_000_000
}

/// KVM, with the error that a rig has.
func openKVM() throws(RigError) -> KVM {
    do throws(KVMError) { return try KVM() } catch { throw .machine(.kvm(error)) }
}

extension Samples {
    /// In nanoseconds, without the first ones.
    init(_ trips: RoundTrips, of rig: borrowing Rig, dropping warmUps: Int) {
        let scale = 1e9 / Double(rig.tscFrequency)
        self.init(total: trips.guest.dropFirst(warmUps).map { Double($0.end &- $0.start) * scale })
        guard let splits = trips.splits?.dropFirst(warmUps) else { return }
        parts.append((.toHost, splits.map { Double($0.toHost) * scale }))
        parts.append((.handler, splits.map { Double($0.handler) * scale }))
        parts.append((.toGuest, splits.map { Double($0.toGuest) * scale }))
    }
}
