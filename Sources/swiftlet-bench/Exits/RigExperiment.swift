// An operation of guests/exits on a test rig: what most rows of `bench exits` are.
//
// The guest takes time stamps around the operation, the host around KVM_RUN. Each repeat has a machine of its own, so
// that no repeat inherits another's caches. Read next: RigSamples.swift.

import KVM
import Rig

struct RigExperiment: Experiment {
    var subject: Subject
    let mode: CPUMode
    let images: ExitImages
    /// The name of the guest in guests/exits: the row's own, unless it is another row's operation in another setting.
    var operation: String
    /// Takes this part of the samples asked for, because each is slow by nature.
    var divisor = 1
    /// Nanoseconds for one repeat.
    var limit = longEnough
    /// More than any takes, on the slowest of KVMs; what a KVM that spins costs a report, once.
    static let longEnough: UInt64 = 5_000_000_000
    /// Says in the row's note how many exits KVM counted for each operation.
    var countsExits = false
    /// Changes the plan: an interrupt controller, a larger memory.
    var plan: @Sendable (inout RigPlan) -> Void = { _ in }
    /// Has the kernel or the guest's memory prepared before the first run.
    var prepare: @Sendable (borrowing Rig) throws(ExperimentError) -> Void = { (_) throws(ExperimentError) in }
    /// What the guest is given as its operand.
    var operand: @Sendable (borrowing Rig) throws(ExperimentError) -> UInt64 = { (_) throws(ExperimentError) in 0 }
    /// Answers an exit; false to one that does not belong to the operation.
    var answer: @Sendable (Exit, borrowing Rig) -> Bool = { _, _ in false }
    /// Makes samples of the stamps, without the first ones, which are warm-ups.
    var evaluate: @Sendable (RoundTrips, borrowing Rig, Int) throws(ExperimentError) -> Samples = {
        (trips, rig, warmUps) throws(ExperimentError) in Samples(trips, of: rig, dropping: warmUps)
    }

    init(_ images: ExitImages, _ name: String, _ what: String, _ mode: CPUMode, _ place: Place) {
        subject = Subject(.exits, name, what, mode.rawValue, place)
        operation = name
        self.mode = mode
        self.images = images
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.divided(by: divisor)
        var plan = try images.plan(operation, mode)
        self.plan(&plan)
        let rig = try fromRig(try Rig(try openKVM(), plan))
        try prepare(rig)
        let operand = try operand(rig)
        let before = countsExits ? try rig.exitCount() : nil
        rig.limit(nanoseconds: limit)
        let count = min(amount.warmUps + amount.samples, RigMap.capacity)
        let trips = try fromRig(try rig.collect(count, operand: operand, answer: answer))
        var samples = try evaluate(trips, rig, amount.warmUps)
        if let before, let after = try rig.exitCount() { samples.note = before.note(until: after, operations: count) }
        return samples
    }
}

/// KVM, with the error that a rig has.
func openKVM() throws(RigError) -> KVM {
    do throws(KVMError) { return try KVM() } catch { throw .machine(.kvm(error)) }
}

/// A rig's failure, as an experiment's.
func fromRig<R: ~Copyable>(_ call: @autoclosure () throws(RigError) -> R) throws(ExperimentError) -> R {
    do throws(RigError) { return try call() } catch { throw ExperimentError(error) }
}

/// Asks KVM for what not every KVM has: what it refuses, this host cannot do.
func needing<R: ~Copyable>(_ call: @autoclosure () throws(KVMError) -> R) throws(ExperimentError) -> R {
    do throws(KVMError) { return try call() } catch {
        throw .unavailable("this KVM refuses \(error.request) (errno \(error.errno))")
    }
}
