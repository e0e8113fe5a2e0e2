// Memory bandwidth: reading, writing and copying 64 MiB in huge pages, as a guest and as the same code in our own process.
//
// Read next: ../Startup/StartupRows.swift.

import Host
import KVM
import Rig

struct BandwidthExperiment: Experiment {
    var subject: Subject
    let operation: String
    let isGuest: Bool
    let images: ExitImages

    private static let size = 64 << 20
    /// A copy goes from one half to the other.
    private var bytes: Int { operation == "copy" ? Self.size / 2 : Self.size }

    init(_ images: ExitImages, _ operation: String, isGuest: Bool) {
        let host = isGuest ? "" : "-host"
        subject = Subject(.memory, "bandwidth", "memory bandwidth, 64 MiB", operation + host, isGuest ? .guest : .host)
        subject.unit = .mebibytesPerSecond
        subject.hasFloor = false
        if isGuest { subject.beside = "\(subject.id)-host" }
        self.operation = operation
        self.isGuest = isGuest
        self.images = images
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.atMost(8)
        let code = try images.code("bandwidth-\(operation)", .ring3)
        let mapping = try tryHost(try HostMapping(.transparentHuge, size: Self.size))
        try tryHost(try mapping.populate())
        var plan = RigPlan(.ring3, code: code)
        if isGuest { plan.slots = [mapping.slot()] }
        let rig = try tryRig(try Rig(try openKVM(), plan))
        rig.limit(nanoseconds: 5_000_000_000)
        let stamps =
            isGuest
            ? try tryRig(try rig.collect(amount.total, operand: RigMap.tested) { _, _ in false }).guest
            : try tryHost(try HostRun(code)).collect(amount.total, operand: UInt64(mapping.address))
        let times = Samples(stamps, frequency: rig.tscFrequency, dropping: amount.warmUps).total
        return Samples(total: times.map { Double(bytes) / 1_048_576 / $0 * 1e9 })
    }
}

func bandwidthExperiments(_ images: ExitImages) -> [any Experiment] {
    ["read", "write", "copy"].flatMap { operation in
        [true, false].map { BandwidthExperiment(images, operation, isGuest: $0) }
    }
}
