// Restore: from before exec of `swiftlet restore` to the first instruction of a guest with 16 MiB of content, and the phases
// between; beside it a C program that makes a VM and runs a guest to its first act: what no restore can do without.
//
// The guest `first` reads its clock as the first thing behind its snapshot call. Read next: ../Promises/Promises.swift.

import Subcommand

/// Whose starts take turns.
enum RestoreSide: String, Sendable {
    /// `swiftlet restore` of 16 MiB.
    case swiftlet
    /// The twin's start of the guest `first`.
    case twin

    static let mebibytes = 16

    /// One process.
    func times(_ workshop: Workshop, _ files: SnapshotFiles) throws(SubcommandError) -> PhaseTimes {
        switch self {
        case .swiftlet:
            let path = try files.path("first", Self.mebibytes)
            return try workshop.run(workshop.swiftlet, ["restore", path], Phase.ofRestore)
        case .twin:
            let (program, arguments) = workshop.command(.twin, "first", [])
            return try workshop.run(program, arguments, Phase.ofStart)
        }
    }
}

typealias RestoreRuns = InterleavedRuns<RestoreSide, PhaseTimes>

/// All of it, or a phase.
struct RestoreRow: Experiment {
    let subject: Subject
    private let side: RestoreSide
    private let phase: Phase?
    private let runs: RestoreRuns

    init(_ side: RestoreSide, _ phase: Phase? = nil, _ runs: RestoreRuns) {
        let name = phase.map { "restore-\($0.rawValue)" } ?? "restore"
        let whole = "restore of \(RestoreSide.mebibytes) MiB, exec to first instruction"
        let what = phase.map { "restore: \($0.what)" } ?? whole
        let place: Place = phase == nil || phase == .entry ? .user : .host
        var subject = Subject(.startup, name, what, side.rawValue, place)
        subject.hasFloor = false
        if side == .swiftlet, phase == nil { subject.beside = "startup/restore/twin" }
        if side == .twin { subject.note = "no restore: a VM made in C, an image loaded, run to the guest's first act" }
        self.subject = subject
        self.side = side
        self.phase = phase
        self.runs = runs
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let times = try runs.values(of: side, amount.processes(isCold: false))
        var samples = Samples(total: times.map { times in phase.map { times[$0] } ?? times.untilFirstAct })
        samples.repetitions = runs.repetitions
        return samples
    }
}

func restoreExperiments(_ equipment: Equipment) -> [any Experiment] {
    let workshop = equipment.workshop
    let files = SnapshotFiles(workshop)
    let runs = RestoreRuns([.swiftlet, .twin], equipment) { side throws(ExperimentError) in
        try workshop.require(side == .swiftlet ? workshop.swiftlet : workshop.twin)
        return try tryProgram(try side.times(workshop, files))
    }
    let phases = Phase.ofRestore.dropLast(2).map { RestoreRow(.swiftlet, $0, runs) }
    return [RestoreRow(.swiftlet, nil, runs), RestoreRow(.twin, nil, runs)] + phases
}
