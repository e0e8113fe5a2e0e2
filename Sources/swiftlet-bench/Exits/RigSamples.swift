// From a rig's stamps to samples in nanoseconds, and what KVM's own counters say of them.
//
// Read next: ExitImages.swift.

import KVM
import Measure
import Rig

extension Samples {
    /// From the first stamp to the second, with its parts where the operation made exits; without the first ones.
    init(_ trips: RoundTrips, of rig: borrowing Rig, dropping warmUps: Int) {
        let scale = 1e9 / Double(rig.tscFrequency)
        self.init(total: trips.guest.dropFirst(warmUps).map { Double($0.end &- $0.start) * scale })
        guard let splits = trips.splits?.dropFirst(warmUps) else { return }
        parts.append((.toHost, splits.map { Double($0.toHost) * scale }))
        parts.append((.handler, splits.map { Double($0.handler) * scale }))
        parts.append((.toGuest, splits.map { Double($0.toGuest) * scale }))
    }

    /// From the exit to the guest's second stamp: what the host did at the exit, and the way in.
    init(wayIn trips: RoundTrips, of rig: borrowing Rig, dropping warmUps: Int) throws(ExperimentError) {
        guard trips.host.count == trips.guest.count else {
            throw .failed("\(trips.host.count) exits in \(trips.guest.count) samples")
        }
        let scale = 1e9 / Double(rig.tscFrequency)
        let pairs = zip(trips.host, trips.guest).dropFirst(warmUps)
        guard pairs.allSatisfy({ host, guest in host.entered <= guest.end }) else {
            throw .unavailable("this guest's TSC is not the host's: their stamps cannot be compared")
        }
        self.init(parts: [
            (.total, pairs.map { Double($1.end - $0.left) * scale }),
            (.handler, pairs.map { host, _ in Double(host.entered - host.left) * scale }),
            (.toGuest, pairs.map { Double($1.end - $0.entered) * scale }),
        ])
    }

    /// From `delay` cycles after the first stamp to the second: negative when that is earlier.
    init(_ trips: RoundTrips, lateBy delay: UInt64, of rig: borrowing Rig, dropping warmUps: Int) {
        let scale = 1e9 / Double(rig.tscFrequency)
        self.init(
            total: trips.guest.dropFirst(warmUps).map { Double(Int64(bitPattern: $0.end &- $0.start &- delay)) * scale }
        )
    }

    /// From stamps of the host, one for each sample, to the guest's second stamps.
    init(_ trips: RoundTrips, since sent: [UInt64], of rig: borrowing Rig, dropping warmUps: Int)
        throws(ExperimentError)
    {
        let pairs = zip(sent, trips.guest).dropFirst(warmUps)
        guard sent.count == trips.guest.count, pairs.allSatisfy({ sent, guest in sent <= guest.end }) else {
            throw .unavailable("this guest's TSC is not the host's: their stamps cannot be compared")
        }
        let scale = 1e9 / Double(rig.tscFrequency)
        self.init(total: pairs.map { Double($1.end - $0) * scale })
    }
}

/// What KVM has counted for a rig's vCPU.
struct ExitCount: Sendable {
    /// Returns from guest mode.
    let exits: UInt64
    /// Instructions that KVM emulated.
    let emulated: UInt64

    /// What happened since, for each operation but the last exit, which is the end's.
    func note(until later: ExitCount, operations: Int) -> String {
        let exits = Double(later.exits &- self.exits &- 1) / Double(operations)
        let emulated = Double(later.emulated &- self.emulated) / Double(operations)
        var note = "KVM counted \(decimal(exits, 1)) exits a sample"
        if emulated >= 0.5 { note += " and emulated \(decimal(emulated, 1)) instructions" }
        if exits < 0.5, emulated < 0.5 { note += ": it never reaches this KVM" }
        return note
    }
}

extension Rig {
    /// Nil where KVM gives no statistics (before Linux 5.14).
    func exitCount() throws(ExperimentError) -> ExitCount? {
        do throws(KVMError) {
            guard let values = try vcpu.openStatistics().read()?.values, let exits = values["exits"] else { return nil }
            return ExitCount(exits: exits, emulated: values["insn_emulation"] ?? 0)
        } catch { return nil }
    }
}
