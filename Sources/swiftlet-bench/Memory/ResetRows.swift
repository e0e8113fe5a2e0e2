// A pool's call: a clone runs a guest that writes so many pages, and is put back. Beside it the C twin's loop
// (benchmarks/reset), which owes its guest less: no clock that is right, no entropy, no vector registers, no time limit.
//
// The twin gives all memory back; its other rows put back vector registers too, or copy pages that KVM's log or the page map
// names: what each piece costs. Both run the same snapshot on the same CPU, one behind the other. Read next: CloneRows.swift.

import Host
import Snapshot
import Subcommand
import VMM

/// A pool of one clone of the guest `touch-pages`, on the calling thread.
struct TouchingPool {
    private let pool: Pool

    /// `keptPages` nil: as a user gets it.
    init(_ snapshot: String, keptPages: Int? = nil) throws(SnapshotError) {
        var options = PoolOptions()
        options.kept = 1
        if let keptPages { options.keptPages = keptPages }
        pool = try Pool(try Snapshot(snapshot), options)
    }

    /// Nanoseconds of each call; `warmUps` before them, the first of which makes the clone.
    func times(_ samples: Int, warmUps: Int) throws(SnapshotError) -> [Double] {
        var times: [Double] = []
        for turn in 0..<warmUps + samples {
            let start = Clock.monotonic()
            let answer = try pool.call([])
            let time = Clock.monotonic() - start
            // The guest looks whether its pages are the snapshot's.
            if answer.status != 0 {
                throw .unsupported("the guest touch-pages ended with status \(answer.status): it was not put back")
            }
            if turn >= warmUps { times.append(Double(time)) }
        }
        return times
    }
}

struct ResetExperiment: Experiment {
    var subject: Subject
    let pages: Int
    /// Nil: as a user gets it.
    let keptPages: Int?
    let snapshots: SnapshotFiles

    init(_ snapshots: SnapshotFiles, _ pages: Int, keptPages: Int? = nil) {
        subject = Subject(reset: pages, keptPages == nil ? "" : "-discard")
        subject.beside = Subject(reset: pages, "-twin").id
        if keptPages != nil { subject.note = "a pool that keeps no pages: all memory is given back, as the twin does" }
        self.pages = pages
        self.keptPages = keptPages
        self.snapshots = snapshots
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let path = try snapshots.require("touch-pages", pages)
        let amount = amount.atMost(100)
        let pool = try trySnapshot(try TouchingPool(path, keptPages: keptPages))
        return Samples(total: try trySnapshot(try pool.times(amount.samples, warmUps: max(2, amount.warmUps))))
    }
}

struct ResetTwin: Experiment {
    var subject: Subject
    let method: String
    let pages: Int
    let workshop: Workshop
    let snapshots: SnapshotFiles

    init(_ workshop: Workshop, _ snapshots: SnapshotFiles, _ pages: Int, _ method: String, _ words: String) {
        let name = method == "discard" ? "" : "-\(method)"
        subject = Subject(reset: pages, "\(name)-twin")
        subject.note = "in C: \(words)"
        self.method = method
        self.pages = pages
        self.workshop = workshop
        self.snapshots = snapshots
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let path = try snapshots.require("touch-pages", pages)
        let twin = CProgram(
            subject: subject, program: workshop.cProgram("reset"), arguments: [path, method], most: 100,
            workshop: workshop)
        return try twin.measure(amount)
    }
}

extension Subject {
    fileprivate init(reset pages: Int, _ suffix: String) {
        self.init(
            .memory, "reset", "run a clone that writes \(pages) page\(pages == 1 ? "" : "s"), reset it",
            "\(pages)\(suffix)", .user)
        hasFloor = false
    }
}

func resetExperiments(_ equipment: Equipment, _ snapshots: SnapshotFiles) -> [any Experiment] {
    let twins = [
        ("discard", "gives all memory back; registers by sync regs"),
        ("discard-xsave", "gives all memory back; registers by sync regs, vector registers by KVM_SET_XSAVE"),
        ("copy", "copies back the pages that KVM's dirty log names; registers by sync regs"),
        ("scan", "copies back the pages that PAGEMAP_SCAN finds to be its own; registers by sync regs"),
        ("scan-xsave", "as scan, and vector registers by KVM_SET_XSAVE: what Swiftlet does, without what a pool owes"),
    ]
    return [1, 10, 50].flatMap { pages -> [any Experiment] in
        [ResetExperiment(snapshots, pages)]
            + twins.map { ResetTwin(equipment.workshop, snapshots, pages, $0.0, $0.1) }
            + [ResetExperiment(snapshots, pages, keptPages: 0)]
    }
}
