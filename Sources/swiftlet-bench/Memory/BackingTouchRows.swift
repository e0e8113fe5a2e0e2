// First touch of a guest's memory as the product makes it: each kind of `--backing` and a snapshot's file, prefaulted or not,
// by a guest and by the same bytes in our own process.
//
// TouchRows.swift asks what the kernel's kinds of memory cost; this asks what a user gets: GuestMemory, MemoryStore,
// Prefault and Snapshot are those of a machine. Read next: DirtyLogRows.swift.

import Backing
import Foundation
import GuestMemory
import Host
import KVM
import Rig
import Snapshot
import Subcommand
import Synchronization

/// What guest memory is made of, and which of it is touched.
enum GuestBacking: String, CaseIterable {
    /// The default: pages of 4 KiB in the first 2 MiB, ...
    case anon
    /// ... and huge ones behind.
    case anonHuge = "anon-2m"
    case thp
    case memfd
    case hugetlb
    case file
    /// `swiftlet restore`: the file, copy-on-write.
    case snapshot

    var isHuge: Bool { self == .anonHuge || self == .thp || self == .hugetlb }
    /// The binary logarithm of the distance of two touches.
    var shift: Int { isHuge ? 21 : 12 }
    /// Huge pages that the kernel may refuse without a word.
    var isTransparent: Bool { self == .anonHuge || self == .thp }

    /// As `--backing` has it.
    func backing(_ path: String) -> Backing {
        switch self {
        case .anon, .anonHuge, .snapshot: .anonymous
        case .thp: .transparentHuge
        case .memfd: .memfd
        case .hugetlb: .hugetlb
        case .file: .file(path)
        }
    }
}

struct BackingTouchExperiment: Experiment {
    var subject: Subject
    let kind: GuestBacking
    let isPrefaulted: Bool
    let isGuest: Bool
    let images: ExitImages
    let snapshots: SnapshotFiles

    init(_ equipment: Equipment, _ snapshots: SnapshotFiles, _ kind: GuestBacking, isPrefaulted: Bool, isGuest: Bool) {
        let variant = kind.rawValue + (isPrefaulted ? "-prefault" : "") + (isGuest ? "" : "-host")
        subject = Subject(
            .memory, "backing-touch", "first write to a page of a machine's memory", variant, isGuest ? .kernel : .host)
        subject.hasFloor = isGuest
        // Where nothing is left to do for the host, its touch is shorter than the clock's step.
        if isGuest, !isPrefaulted { subject.beside = "\(subject.id)-host" }
        self.kind = kind
        self.isPrefaulted = isPrefaulted
        self.isGuest = isGuest
        images = equipment.images
        self.snapshots = snapshots
    }

    private static let files = Atomic<Int>(0)

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.atMost(kind.isHuge ? 8 : 400)
        let code = try images.code("touch-write", .ring3)
        let number = Self.files.wrappingAdd(1, ordering: .relaxed).newValue  // in a test several rows measure at once
        let path = "/var/tmp/swiftlet-bench-\(ProcessInfo.processInfo.processIdentifier)-\(number).memory"
        // Another file: a program that starts in this very moment holds what was open, and its lock, until it is what it is.
        let before = path + ".before"
        defer { for path in [path, before] { try? FileManager.default.removeItem(atPath: path) } }
        // Memory of that kind was in use a moment ago: TouchRows.swift tells why.
        if kind != .snapshot { _ = try MachineMemory.make(kind, before, isPrefaulted: true) }
        let memory =
            kind == .snapshot
            ? try MachineMemory.restored(try snapshots.require("ready", MachineMemory.mebibytes))
            : try MachineMemory.make(kind, path, isPrefaulted: isPrefaulted)
        var plan = RigPlan(.ring3, code: code)
        if isGuest { plan.slots = [memory.slot] }
        let rig = try tryRig(try Rig(try openKVM(), plan))
        rig.limit(nanoseconds: 2_000_000_000)
        let first = (isGuest ? RigMap.tested : UInt64(memory.memory.hostBase)) + memory.start | UInt64(kind.shift)
        let stamps =
            isGuest
            ? try tryRig(try rig.collect(amount.total, operand: first) { _, _ in false }).guest
            : try tryHost(try HostRun(code)).collect(amount.total, operand: first)
        if kind.isTransparent { try memory.requireHugePages(amount.total) }
        return Samples(stamps, frequency: rig.tscFrequency, dropping: amount.warmUps)
    }
}

/// A machine's memory without a machine.
private struct MachineMemory: ~Copyable {
    private static let size: UInt64 = 20 << 20
    /// Of content in a snapshot.
    static let mebibytes = 16

    let memory: GuestMemory
    private let store: MemoryStore?
    /// Where touching begins; guest-physical.
    let start: UInt64

    private init(_ memory: consuming GuestMemory, _ store: MemoryStore?, start: UInt64) {
        self.memory = memory
        self.store = store
        self.start = start
    }

    static func make(
        _ kind: GuestBacking, _ path: String, isPrefaulted: Bool
    ) throws(ExperimentError) -> MachineMemory {
        let memory = try reserve(size)
        let backing = kind.backing(path)
        do throws(BackingError) {
            let store = try MemoryStore.open(backing, for: memory)
            if isPrefaulted { try Prefault(memory, backing: backing, threads: 1).run(quiet: true) }
            return MachineMemory(memory, store, start: kind == .anonHuge ? hugePageSize : 0)
        } catch {
            throw kind == .hugetlb ? .unavailable(error.message) : .failed(error.message)
        }
    }

    static func restored(_ path: String) throws(ExperimentError) -> MachineMemory {
        let snapshot = try trySnapshot(try Snapshot(path))
        let memory = try reserve(snapshot.memorySize)
        try trySnapshot(try snapshot.map(into: memory))
        return MachineMemory(memory, nil, start: snapshot.longestRange.lowerBound)
    }

    private static func reserve(_ size: UInt64) throws(ExperimentError) -> GuestMemory {
        do throws(GuestMemoryError) { return try GuestMemory(low: 0..<size) } catch {
            throw .failed("\(size >> 20) MiB of address space: \(error)")
        }
    }

    var slot: MemorySlot {
        MemorySlot(
            index: RigMap.firstSlot, guestAddress: RigMap.tested, size: memory.span, hostAddress: memory.hostBase)
    }

    /// That what was touched is in huge pages.
    func requireHugePages(_ count: Int) throws(ExperimentError) {
        let first = memory.hostBase + UInt(start)
        let size = count * Int(hugePageSize)
        let huge = try tryHost(try HostMapping.hugeBytes(in: first..<first + UInt(size)))
        if huge < size { throw .unavailable(noHugePages(huge, of: size, kernelText(hugePagesSetting))) }
    }
}

func backingTouchExperiments(_ equipment: Equipment, _ snapshots: SnapshotFiles) -> [any Experiment] {
    GuestBacking.allCases.flatMap { kind in
        (kind == .snapshot ? [false] : [false, true]).flatMap { isPrefaulted in
            [true, false].map {
                BackingTouchExperiment(equipment, snapshots, kind, isPrefaulted: isPrefaulted, isGuest: $0)
            }
        }
    }
}
