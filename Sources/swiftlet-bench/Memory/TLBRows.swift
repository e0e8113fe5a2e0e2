// TLB misses: a chase through links, a page each, against one through as many links side by side; as a guest and as the same
// code in our own process.
//
// 8192 links are half a megabyte of cache lines, which the second-level cache holds either way; 8192 pages of 4 KiB are more
// than any TLB does. Under nested paging each miss is a walk of walks. Read next: BandwidthRows.swift.

import Host
import KVM
import Rig

struct ChaseExperiment: Experiment {
    enum Layout: String {
        /// A link in each 4 KiB, mapped by pages of 4 KiB.
        case smallPages = "4k"
        /// The same, mapped by pages of 2 MiB.
        case hugePages = "2m"
        /// A link in each 64 bytes, mapped by pages of 2 MiB: every load hits.
        case dense = "hit"
    }

    var subject: Subject
    let layout: Layout
    let isGuest: Bool
    let images: ExitImages

    private static let links = 8192
    /// As in guests/exits/chase.S.
    private static let loads = 256

    init(_ images: ExitImages, _ layout: Layout, isGuest: Bool) {
        let host = isGuest ? "" : "-host"
        subject = Subject(
            .memory, "tlb", "load that needs the one before", layout.rawValue + host, isGuest ? .guest : .host)
        subject.operations = Self.loads
        subject.hasFloor = false
        if isGuest { subject.beside = "\(subject.id)-host" }
        self.layout = layout
        self.isGuest = isGuest
        self.images = images
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        // Twice around before it counts: KVM maps each page, and caches fill.
        let amount = Amount(samples: amount.atMost(300).samples, warmUps: 2 * Self.links / Self.loads)
        let code = try images.code("chase", .ring3)
        let kind: HostMapping.Kind = layout == .smallPages ? .anonymous : .transparentHuge
        let mapping = try tryHost(try HostMapping(kind, size: Self.links << (layout == .dense ? 6 : 12)))
        let base = isGuest ? RigMap.tested : UInt64(mapping.address)
        link(mapping, base: base)
        var plan = RigPlan(.ring3, code: code)
        if isGuest { plan.slots = [mapping.slot()] }
        if layout == .smallPages { plan.smallPages = RigMap.tested..<RigMap.tested + UInt64(mapping.size) }
        let rig = try tryRig(try Rig(try openKVM(), plan))
        rig.limit(nanoseconds: 2_000_000_000)
        let stamps =
            isGuest
            ? try tryRig(try rig.collect(amount.total, operand: base) { _, _ in false }).guest
            : try tryHost(try HostRun(code)).collect(amount.total, operand: base)
        return Samples(stamps, frequency: rig.tscFrequency, dropping: amount.warmUps, operations: Self.loads)
    }

    /// Where a link lies: in each page at another line, or all would share a few sets of the cache.
    private func offset(_ link: Int) -> Int { layout == .dense ? link << 6 : link << 12 | (link & 63) << 6 }

    /// One cycle through all links, in an order that no prefetcher guesses (Sattolo's algorithm).
    private func link(_ mapping: borrowing HostMapping, base: UInt64) {
        var order = Array(0..<Self.links)
        var random: UInt64 = 88_172_645_463_325_252
        for last in stride(from: Self.links - 1, to: 0, by: -1) {
            random ^= random << 13  // xorshift64 (Marsaglia, 2003)
            random ^= random >> 7
            random ^= random << 17
            order.swapAt(last, Int(random % UInt64(last)))
        }
        for link in 0..<Self.links { mapping.store(base + UInt64(offset(order[link])), at: offset(link)) }
    }
}

func tlbExperiments(_ images: ExitImages) -> [any Experiment] {
    [ChaseExperiment.Layout.smallPages, .hugePages, .dense].flatMap { layout in
        [true, false].map { ChaseExperiment(images, layout, isGuest: $0) }
    }
}
