// Clones that are alive together: how long each took to make, and how much memory each needs beside what all share; in one
// process, and each in its own (`swiftlet restore`).
//
// All have run the guest `touch-pages`, which writes 10 pages, so all have pages of their own and KVM has tables of theirs.
// Read next: ../Promises/Clones.swift.

import Host
import Measure
import Snapshot
import Subcommand

/// So many clones, all alive until this goes.
struct Herd: ~Copyable {
    /// Nanoseconds that each took to make.
    let times: [Double]
    /// KiB for each beside what all share: its own pages and its VMM's, and the kernel's.
    let own: Double
    let kernel: Double

    private let clones: [Clone]
    private let processes: [Restored]

    /// In this process.
    init(_ snapshot: String, _ count: Int) throws(SubcommandError) {
        do throws(SnapshotError) {
            let source = try CloneSource(try Snapshot(snapshot))
            // What the first one has made for all.
            _ = try Clone(source, index: 0).run()
            let before = MemoryUse.now
            var (clones, times): ([Clone], [Double]) = ([], [])
            for index in 0..<count {
                let start = Clock.monotonic()
                let clone = try Clone(source, index: UInt32(index))
                times.append(Double(Clock.monotonic() - start))
                guard try clone.run().status == 0 else { throw .unsupported("a clone's guest did not end well") }
                clones.append(clone)
            }
            (own, kernel) = MemoryUse.each(of: count, before, .now)
            (self.clones, self.times, processes) = (clones, times, [])
        } catch { throw SubcommandError("bench: clones: \(error.message)\(Self.hint)") }
    }

    /// Each a `swiftlet restore`, whose guest sleeps.
    init(processesOf swiftlet: String, _ snapshot: String, _ count: Int) throws(SubcommandError) {
        let before = MemoryUse.now
        var (processes, times): ([Restored], [Double]) = ([], [])
        for _ in 0..<count {
            let start = Clock.monotonic()
            processes.append(try Restored(swiftlet, snapshot))
            times.append(Double(Clock.monotonic() - start))
        }
        let after = MemoryUse.now
        kernel = MemoryUse.each(of: count, before, after).kernel
        own = processes.reduce(0) { $0 + Double($1.anonymousKiB) } / Double(count)
        (self.processes, self.times, clones) = (processes, times, [])
    }

    private static var hint: String { " (of many clones each needs three open files: ulimit -n)" }
}

/// A `swiftlet restore` that has got to where its guest sleeps; killed when it goes.
private final class Restored {
    private let child: ChildProcess

    init(_ swiftlet: String, _ snapshot: String) throws(SubcommandError) {
        do throws(HostError) { child = try ChildProcess(swiftlet, ["restore", snapshot], talks: true) } catch {
            throw SubcommandError("bench: clones: \(error.message)")
        }
        if child.read(nanoseconds: Workshop.limit) != "touched\n" {
            throw SubcommandError("bench: clones: a restored guest did not say that it has touched its pages")
        }
    }

    var anonymousKiB: Int { MemoryUse.anonymous(kernelText("/proc/\(child.pid)/smaps_rollup") ?? "") }
}

extension MemoryUse {
    /// This process's, and the kernel's.
    static var now: MemoryUse? {
        MemoryUse(
            meminfo: kernelText("/proc/meminfo") ?? "", rollup: kernelText("/proc/self/smaps_rollup") ?? "")
    }

    fileprivate static func each(
        of count: Int, _ before: MemoryUse?, _ after: MemoryUse?
    ) -> (own: Double, kernel: Double) {
        guard let before, let after else { return (.nan, .nan) }
        return (Double(after.own - before.own) / Double(count), Double(after.kernel - before.kernel) / Double(count))
    }
}

/// A row of herds of one kind and size: time or memory.
struct CloneExperiment: Experiment {
    enum Quantity {
        case time, own, kernel
    }

    let subject: Subject
    private let quantity: Quantity
    private let runs: HerdRuns

    init(_ quantity: Quantity, _ runs: HerdRuns) {
        let (name, what) =
            switch quantity {
            case .time: ("clone-make", "make a clone of those that are alive together")
            case .own: ("clone-memory", "memory of a clone beside what all share")
            case .kernel: ("clone-memory-kernel", "the kernel's memory of a clone")
            }
        let variant = "\(runs.count)\(runs.inProcesses ? "-processes" : "")"
        var subject = Subject(.memory, name, what, variant, quantity == .kernel ? .kernel : .user)
        subject.hasFloor = false
        if quantity != .time { subject.unit = .kibibytes }
        if quantity == .own { subject.note = "anonymous memory: pages that the guest has written, and the VMM's" }
        if quantity == .kernel {
            subject.note = "slab, vmalloc, page tables and per-CPU data of the whole host: other work is in it too"
        }
        self.subject = subject
        self.quantity = quantity
        self.runs = runs
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let herd = try runs.figures(turn: amount.turn)
        switch quantity {
        case .time: return Samples(total: herd.times)
        case .own: return Samples(total: [herd.own])
        case .kernel: return Samples(total: [herd.kernel])
        }
    }
}

/// One herd in each repeat, whose figures several rows share.
final class HerdRuns {
    struct Figures {
        var times: [Double]
        var own: Double
        var kernel: Double
    }

    let count: Int
    let inProcesses: Bool
    private let equipment: Equipment
    private let snapshots: SnapshotFiles
    private var last: (turn: Int, figures: Figures)?

    init(_ equipment: Equipment, _ snapshots: SnapshotFiles, _ count: Int, inProcesses: Bool) {
        self.equipment = equipment
        self.snapshots = snapshots
        self.count = count
        self.inProcesses = inProcesses
    }

    func figures(turn: Int) throws(ExperimentError) -> Figures {
        if let last, last.turn == turn { return last.figures }
        let figures = inProcesses ? try ofProcesses() : try inThisProcess()
        last = (turn, figures)
        return figures
    }

    private func inThisProcess() throws(ExperimentError) -> Figures {
        let path = try snapshots.require("touch-pages", 10)
        return Self.figures(try tryProgram(try Herd(path, count)))
    }

    /// On both CPUs, as other starts.
    private func ofProcesses() throws(ExperimentError) -> Figures {
        let path = try snapshots.require("touch-pages", 10, "stay")
        var result: Result<Figures, ExperimentError> = .failure(.failed("no herd"))
        try equipment.onBothCPUs {
            do throws(SubcommandError) {
                result = .success(
                    Self.figures(try Herd(processesOf: equipment.workshop.swiftlet, path, count)))
            } catch { result = .failure(.failed(error.message)) }
        }
        return try result.get()
    }

    private static func figures(_ herd: consuming Herd) -> Figures {
        Figures(times: herd.times, own: herd.own, kernel: herd.kernel)
    }
}

func cloneExperiments(_ equipment: Equipment, _ snapshots: SnapshotFiles) -> [any Experiment] {
    let herds = [(1, false), (10, false), (100, false), (1, true), (10, true)].map {
        HerdRuns(equipment, snapshots, $0.0, inProcesses: $0.1)
    }
    return [CloneExperiment.Quantity.time, .own, .kernel].flatMap { quantity in
        // Of one clone the rest of the host's work is as much.
        herds.filter { quantity != .kernel || $0.count > 1 }.map { CloneExperiment(quantity, $0) }
    }
}
