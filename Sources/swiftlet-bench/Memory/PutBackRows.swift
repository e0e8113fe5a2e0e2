// Pages that a guest has written, found and put back to what a file has: by which of the ways that Linux and KVM have, and of
// how many pages, a pool of clones is quickest.
//
// A sample is a whole cycle, because the ways move costs about: memory that was given back is copied again page by page at
// the guest's next writes, a log has KVM protect each page anew. So the guest writes its pages (`run`), they are found
// (`find`) and put back (`put-back`). Read next: ResetRows.swift, which has the product's answer.

import GuestMemory
import Host
import KVM
import Rig
import Snapshot

/// How written pages are found and what becomes of them.
enum PutBack: String, CaseIterable {
    /// Nobody looks for them: all memory is given back at once.
    case discard
    /// KVM's log, and each of its pages is given back.
    case discardLog = "discard-log"
    /// KVM's log, and each of its pages is overwritten by what was there.
    case copyLog = "copy-log"
    /// The same by KVM's ring.
    case copyRing = "copy-ring"
    /// The kernel's search for pages that are no longer the file's, and each is given back.
    case discardScan = "discard-scan"
    /// The same, and each is overwritten: it stays the guest's own, so the next write to it costs no fault.
    case copyScan = "copy-scan"
    /// The same by reading the page map's entries, for kernels without that search.
    case copyPagemap = "copy-pagemap"

    var what: String {
        switch self {
        case .discard: "give back all memory (MADV_DONTNEED)"
        case .discardLog: "dirty log, give back each page"
        case .copyLog: "dirty log, copy each page back"
        case .copyRing: "dirty ring, copy each page back"
        case .discardScan: "PAGEMAP_SCAN for pages that are not the file's, give back each"
        case .copyScan: "PAGEMAP_SCAN for pages that are not the file's, copy each back: they stay mapped and writable"
        case .copyPagemap: "/proc/self/pagemap, copy each page back: they stay mapped and writable"
        }
    }

    /// KVM protects pages and says which were written.
    var logs: Bool { self == .discardLog || self == .copyLog || self == .copyRing }
}

struct PutBackExperiment: Experiment {
    var subject: Subject
    let way: PutBack
    let pages: Int
    let images: ExitImages

    init(_ images: ExitImages, _ way: PutBack, pages: Int) {
        let count = pages == 1 ? "1 page" : "\(pages) pages"
        subject = Subject(
            .memory, "put-back", "write \(count), put them back", "\(way.rawValue)-\(pages)", .kernel)
        subject.note = way.what
        subject.hasFloor = false
        if way != .discard { subject.beside = "memory/put-back/\(PutBack.discard.rawValue)-\(pages)" }
        self.way = way
        self.pages = pages
        self.images = images
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let machine = try PutBackMachine(images, way)
        let amount = amount.atMost(10)
        _ = try machine.cycle(pages)
        var cycles: [PutBackMachine.Cycle] = []
        for _ in 0..<amount.samples { cycles.append(try machine.cycle(pages)) }
        try machine.checkContent(pages)
        return Samples(parts: [
            (.total, cycles.map { Double($0.run + $0.find + $0.putBack) }), (.run, cycles.map { Double($0.run) }),
            (.find, cycles.map { Double($0.find) }), (.putBack, cycles.map { Double($0.putBack) }),
        ])
    }
}

/// A guest that writes to every second page of a private mapping of a file, whose pages are in the page cache.
private final class PutBackMachine {
    /// Nanoseconds.
    struct Cycle {
        var run: UInt64
        var find: UInt64
        var putBack: UInt64
    }

    /// Every second, so that neighbours are no single range: of eight MiB all that a guest here may write.
    private static let shift = 13
    private static let size = 8 << 20
    /// 4096 entries of 16 bytes, of which a cycle uses 1000.
    private static let ringBytes = 4096 * 16

    private let way: PutBack
    private let rig: Rig
    private let mapping: HostMapping
    private let pristine: HostMapping
    private var bitmap = DirtyBitmap(pages: size >> 12)
    private var ring: DirtyRing?
    private let ownPages: OwnPages

    init(_ images: ExitImages, _ way: PutBack) throws(ExperimentError) {
        let kvm = try tryRig(try openKVM())
        if way == .copyRing, kvm.capability(.dirtyRing) < Self.ringBytes {
            throw .unavailable("this KVM has no KVM_CAP_DIRTY_LOG_RING_ACQ_REL of \(Self.ringBytes) bytes (Linux 6.1)")
        }
        let mapping = try tryHost(try HostMapping(.privateFile, size: Self.size))
        let pristine = try tryHost(try HostMapping(.privateFile, size: Self.size))
        var plan = RigPlan(.ring3, code: try images.code("touch-write", .ring3))
        plan.irqchip = .none
        plan.slots = [mapping.slot(way.logs ? .logDirtyPages : [])]
        if way == .copyRing { plan.dirtyRing = Self.ringBytes }
        let rig = try tryRig(try Rig(kvm, plan))
        let ring = way == .copyRing ? try tryKVM(try DirtyRing(rig.vcpu, bytes: Self.ringBytes)) : nil
        ownPages = try trySnapshot(try OwnPages())
        rig.limit(nanoseconds: 5_000_000_000)
        self.way = way
        self.ring = ring
        self.rig = rig
        self.mapping = mapping
        self.pristine = pristine
    }

    func cycle(_ pages: Int) throws(ExperimentError) -> Cycle {
        rig.memory.write(UInt32(pages), at: GuestAddress(RigMap.count))
        rig.memory.write(RigMap.tested | UInt64(Self.shift), at: GuestAddress(RigMap.operand))
        let run = try time { () throws(ExperimentError) in
            let exit = try tryRig(try rig.run())
            guard case .portWrite(RigMap.done, 4, 1, _) = exit else { throw ExperimentError(.unexpected(exit)) }
        }
        var found: [Int] = []
        let find = try time { () throws(ExperimentError) in found = try self.find() }
        if way != .discard, found.count != pages {
            throw .failed("\(found.count) pages were found, and \(pages) were written")
        }
        return Cycle(run: run, find: find, putBack: try time { () throws(ExperimentError) in try putBack(found) })
    }

    private func find() throws(ExperimentError) -> [Int] {
        switch way {
        case .discard: return []
        case .discardLog, .copyLog:
            try tryKVM(try rig.vm.readDirtyLog(slot: RigMap.firstSlot, into: &bitmap))
            return bitmap.indices
        case .copyRing: return ring?.harvest() ?? []
        case .discardScan, .copyScan: return try ownPages(scans: true)
        case .copyPagemap: return try ownPages(scans: false)
        }
    }

    private func ownPages(scans: Bool) throws(ExperimentError) -> [Int] {
        let start = UInt64(mapping.address)
        let runs = try trySnapshot(try ownPages.find(in: start..<start + UInt64(Self.size), scans: scans))
        return runs.flatMap { run in Int(run.lowerBound - start) >> 12..<Int(run.upperBound - start) >> 12 }
    }

    private func putBack(_ found: [Int]) throws(ExperimentError) {
        switch way {
        case .discard: try tryHost(try mapping.discard(0..<Self.size >> 12))
        case .discardLog, .discardScan: for page in found { try tryHost(try mapping.discard(page..<page + 1)) }
        case .copyLog, .copyRing, .copyScan, .copyPagemap:
            if way == .copyRing { _ = try tryKVM(try rig.vm.resetDirtyRings()) }
            for page in found { mapping.copyPage(page, from: pristine) }
        }
    }

    /// Behind the last cycle, because looking at a page maps it.
    func checkContent(_ pages: Int) throws(ExperimentError) {
        for page in 0..<pages where mapping.load(at: page << Self.shift) != pristine.load(at: page << Self.shift) {
            throw .failed("page \(page) of \(pages) was not put back")
        }
    }
}

func putBackExperiments(_ images: ExitImages) -> [any Experiment] {
    [1, 10, 50, 200, 1000].flatMap { pages in PutBack.allCases.map { PutBackExperiment(images, $0, pages: pages) } }
}
