// First touch: what a page costs when the guest reaches it for the first time, by what its memory is made of.
//
// The guest touches one page a sample. Memory that the host has populated already still has to be mapped by KVM: the
// difference is the host's part. The same code runs in our own process too, where there is no KVM in the way.
// Read next: BackingTouchRows.swift.

import Host
import KVM
import Rig

struct TouchExperiment: Experiment {
    /// What was done before the touch.
    enum Before: String {
        case nothing = ""
        /// By the host: MADV_POPULATE_WRITE.
        case populated = "-populated"
        /// By KVM too: KVM_PRE_FAULT_MEMORY.
        case preFaulted = "-prefaulted"
    }

    enum Access: String {
        case write, read
    }

    enum Side {
        case guest, host
    }

    var subject: Subject
    let access: Access
    let kind: HostMapping.Kind
    let before: Before
    let side: Side
    /// The binary logarithm of the distance between two touches.
    let shift: Int
    let images: ExitImages

    init(
        _ images: ExitImages, _ access: Access, _ kind: HostMapping.Kind, _ before: Before = .nothing, shift: Int = 12,
        side: Side = .guest
    ) {
        let variant = kind.shortName + (shift == 21 && kind == .transparentHuge ? "-2m" : "") + before.rawValue
        subject = Subject(
            .memory, "first-touch-\(access.rawValue)", "first touch of a page (\(access.rawValue))",
            variant + (side == .host ? "-host" : ""), side == .host ? .host : .kernel)
        subject.hasFloor = side == .guest
        subject.note = Self.note(kind, before, shift)
        if kind == .transparentHuge, access == .read, before == .nothing {
            subject.note = "reading maps the kernel's one huge page of zeros, which is nobody's memory"
        }
        self.access = access
        self.kind = kind
        self.before = before
        self.side = side
        self.shift = shift
        self.images = images
    }

    private static func note(_ kind: HostMapping.Kind, _ before: Before, _ shift: Int) -> String? {
        if shift == 21 { return nil }
        if kind == .transparentHuge { return "one fault for 512 pages: see thp-2m" }
        let isFull = [.sharedFile, .privateFile, .copyOnWrite].contains(kind)
        if !isFull && before == .nothing { return nil }
        return "one fault may map several pages: p99 is a page with a fault, p50 may be one without"
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.atMost(shift == 21 ? 16 : 1000)
        let code = try images.code("touch-\(access.rawValue)", .ring3)
        let mapping = try makeMapping(amount.total << shift)
        var plan = RigPlan(.ring3, code: code)
        if side == .guest { plan.slots = [mapping.slot()] }
        let rig = try tryRig(try Rig(try openKVM(), plan))
        if side == .host {
            let stamps = try tryHost(try HostRun(code)).collect(
                amount.total, operand: UInt64(mapping.address) | UInt64(shift))
            if access == .write { try requireHugePages(mapping) }
            return Samples(stamps, frequency: rig.tscFrequency, dropping: amount.warmUps)
        }
        if before == .preFaulted { try preFault(rig, mapping.size) }
        rig.limit(nanoseconds: 2_000_000_000)
        let trips = try tryRig(
            try rig.collect(amount.total, operand: RigMap.tested | UInt64(shift)) { _, _ in false })
        if access == .write { try requireHugePages(mapping) }
        return Samples(trips.guest, frequency: rig.tscFrequency, dropping: amount.warmUps)
    }

    /// Memory of that kind was in use a moment ago: where the host is itself a virtual machine, memory that it has never
    /// used costs a fault there, twenty times as much as all else.
    private func makeMapping(_ size: Int) throws(ExperimentError) -> HostMapping {
        let huge = 2 << 20
        let size = (size + huge - 1) / huge * huge
        _ = try map(size, populated: true)
        return try map(size, populated: before != .nothing)
    }

    private func map(_ size: Int, populated: Bool) throws(ExperimentError) -> HostMapping {
        let mapping = try reserve(size)
        if !populated { return mapping }
        try tryHost(try mapping.populate())
        try requireHugePages(mapping)
        return mapping
    }

    private func reserve(_ size: Int) throws(ExperimentError) -> HostMapping {
        do throws(HostError) { return try HostMapping(kind, size: size) } catch {
            guard kind == .hugetlb else { throw ExperimentError(error) }
            throw .unavailable("too few huge pages are set aside (\(error.message)): sysctl vm.nr_hugepages=64")
        }
    }

    /// That memory which is called huge is so, once it is there.
    private func requireHugePages(_ mapping: borrowing HostMapping) throws(ExperimentError) {
        if kind == .transparentHuge { try mapping.requireHugePages() }
    }
}

extension HostMapping {
    /// The kernel gives huge pages where it can, and says nothing where it cannot (madvise(2), MADV_HUGEPAGE).
    func requireHugePages() throws(ExperimentError) {
        let huge = try tryHost(try hugeBytes())
        if huge < size { throw .unavailable(noHugePages(huge, of: size, kernelText(hugePagesSetting))) }
    }

    /// All of it, where the guest of an experiment looks for it.
    func slot(_ flags: MemorySlot.Flags = []) -> MemorySlot {
        MemorySlot(
            index: RigMap.firstSlot, guestAddress: RigMap.tested, size: UInt64(size), hostAddress: address, flags: flags
        )
    }
}

let hugePagesSetting = "/sys/kernel/mm/transparent_hugepage/enabled"

/// Why not all is in huge pages, by the kernel's setting, such as "always [madvise] never".
func noHugePages(_ huge: Int, of size: Int, _ setting: String?) -> String {
    guard let setting else { return "this kernel has no transparent huge pages" }
    if setting.contains("[never]") { return "transparent huge pages are switched off: \(hugePagesSetting) is never" }
    return "too few huge pages are free: \(huge >> 20) of \(size >> 20) MiB are in them"
}

extension HostMapping.Kind {
    /// For ids.
    var shortName: String {
        switch self {
        case .anonymous: "anon"
        case .transparentHuge: "thp"
        case .memfd: "memfd"
        case .hugetlb: "hugetlb"
        case .sharedFile: "file-shared"
        case .privateFile: "file-private"
        case .copyOnWrite: "copy-on-write"
        }
    }
}

/// KVM maps memory that the guest has not touched.
private func preFault(_ rig: borrowing Rig, _ size: Int) throws(ExperimentError) {
    try requirePreFault(rig)
    try tryKVM(try rig.vcpu.preFault(RigMap.tested, UInt64(size)))
}

private func requirePreFault(_ rig: borrowing Rig) throws(ExperimentError) {
    if rig.vm.capability(Capability.preFaultMemory.number) == 0 {
        throw .unavailable("this KVM has no KVM_PRE_FAULT_MEMORY (Linux 6.11, and not where KVM shadows page tables)")
    }
}

/// The ioctl itself, a page at a time.
struct PreFaultExperiment: Experiment {
    var subject: Subject = Subject(
        .memory, "pre-fault", "map a page in advance (KVM_PRE_FAULT_MEMORY)", "anon", .kernel)

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.atMost(1000)
        let mapping = try tryHost(try HostMapping(.anonymous, size: (amount.total + 2) << 12))
        var plan = RigPlan(.ring3, code: [])
        plan.slots = [mapping.slot()]
        let rig = try tryRig(try Rig(try openKVM(), plan))
        try requirePreFault(rig)
        var page = RigMap.tested
        return try series(amount.samples) { () throws(ExperimentError) in
            defer { page += 4096 }
            return try time { () throws(ExperimentError) in try tryKVM(try rig.vcpu.preFault(page, 4096)) }
        }
    }
}

func touchExperiments(_ equipment: Equipment) -> [any Experiment] {
    let images = equipment.images
    var rows: [any Experiment] = []
    func add(_ access: TouchExperiment.Access, _ kind: HostMapping.Kind, shift: Int = 12) {
        let host = TouchExperiment(images, access, kind, shift: shift, side: .host)
        var guest = TouchExperiment(images, access, kind, shift: shift)
        if guest.subject.id == "memory/first-touch-write/anon" {
            let path = "\(images.folder)/exits/touch-write.bin"
            rows += equipment.mappingTwin(of: guest, ["touch", path, "0"], atMost: 1000)
            let populated = TouchExperiment(images, access, kind, .populated)
            rows += equipment.mappingTwin(of: populated, ["touch", path, "1"], atMost: 1000)
            rows += [host, TouchExperiment(images, access, kind, .populated, side: .host)]
            return
        }
        guest.subject.beside = host.subject.id
        rows += [guest, host]
        rows += [TouchExperiment.Side.guest, .host].map { side in
            TouchExperiment(images, access, kind, .populated, shift: shift, side: side)
        }
    }
    for access in [TouchExperiment.Access.write, .read] {
        for kind in HostMapping.Kind.allCases { add(access, kind, shift: kind == .hugetlb ? 21 : 12) }
        add(access, .transparentHuge, shift: 21)
    }
    rows.append(PreFaultExperiment())
    rows.append(TouchExperiment(images, .write, .anonymous, .preFaulted))
    return rows
}
