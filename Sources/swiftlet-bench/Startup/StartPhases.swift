// The phases of a start, each row one of them: our clock before posix_spawn and after waitpid, the program's own between, and
// the guest's at its first act. All three are one clock, CLOCK_MONOTONIC, or count from a known point of it.
//
// The guest `first` prints its clock's first reading, the program then its phases (docs/stats.md). Both go into a pipe that
// nobody reads before the end. Writing them is in no phase: so the phases add up to less than the whole. Read next:
// RestoreRows.swift.

import Host
import Subcommand

enum Phase: String, Sendable {
    case exec, image, snapshot, map, vm, load, vcpu, sandbox, entry, guest, teardown

    /// Of `swiftlet run` and the twin, in order.
    static let ofStart: [Phase] = [.exec, .image, .vm, .load, .vcpu, .sandbox, .entry, .guest, .teardown]
    /// Of `swiftlet restore`.
    static let ofRestore: [Phase] = [.exec, .snapshot, .map, .vm, .vcpu, .sandbox, .entry, .guest, .teardown]

    var what: String {
        switch self {
        case .exec: "exec to main"
        case .image: "image: open, check, plan"
        case .snapshot: "snapshot: open, check"
        case .map: "map: the file's memory, copy-on-write"
        case .vm: "VM: memory, slots, vCPU"
        case .load: "load: segments, page tables, boot info"
        case .vcpu: "vCPU's registers, machine put together"
        case .sandbox: "sandbox: privileges, files, system calls given up"
        case .entry: "thread's start to the guest's first act"
        case .guest: "guest: first act to its thread's end"
        case .teardown: "teardown: last word to the process's end"
        }
    }
}

/// Nanoseconds of each phase of one start.
struct PhaseTimes: Equatable, Sendable {
    private var times: [Phase: Double] = [:]

    subscript(phase: Phase) -> Double { times[phase] ?? 0 }

    var sum: Double { times.values.reduce(0, +) }

    /// From before exec to the guest's first act.
    var untilFirstAct: Double { sum - self[.guest] - self[.teardown] }

    /// What the program printed about itself.
    struct Printed: Decodable, Equatable {
        struct Durations: Decodable, Equatable {
            var imageNs: UInt64?
            var snapshotNs: UInt64?
            var mapNs: UInt64?
            var vmNs: UInt64
            var loadNs: UInt64?
            var vcpuNs: UInt64
            /// Nil in a swiftlet without one.
            var sandboxNs: UInt64?
            var runNs: UInt64

            /// Nil where the program has no such phase, or does not measure it itself.
            fileprivate func nanoseconds(_ phase: Phase) -> UInt64? {
                switch phase {
                case .image: imageNs
                case .snapshot: snapshotNs
                case .map: mapNs
                case .vm: vmNs
                case .load: loadNs
                case .vcpu: vcpuNs
                case .sandbox: sandboxNs
                case .exec, .entry, .guest, .teardown: nil
                }
            }
        }
        var phases: Durations
        var startNs: UInt64
        var clockZeroNs: UInt64
        var writtenNs: UInt64
    }

    /// `started` and `ended` are ours. Nil when the clocks contradict each other, or a phase is missing.
    init?(
        _ phases: [Phase] = Phase.ofStart, started: UInt64, _ printed: Printed, first: UInt64, ended: UInt64
    ) {
        var marks = [started, printed.startNs]
        for phase in phases.dropFirst().dropLast(3) {
            guard let time = printed.phases.nanoseconds(phase) else { return nil }
            marks.append(marks[marks.count - 1] &+ time)
        }
        let run = marks[marks.count - 1] &+ printed.phases.runNs
        marks += [printed.clockZeroNs &+ first, run]
        guard zip(marks, marks.dropFirst()).allSatisfy({ $0 <= $1 }) else { return nil }
        guard run <= printed.writtenNs, printed.writtenNs <= ended else { return nil }
        for (phase, (from, to)) in zip(phases, zip(marks, marks.dropFirst())) {
            times[phase] = Double(to - from)
        }
        times[.teardown] = Double(ended - printed.writtenNs)
    }

    /// From the guest's line and the program's.
    init?(_ phases: [Phase] = Phase.ofStart, started: UInt64, output: String, ended: UInt64) {
        let lines = output.split(separator: "\n")
        let word = "first-instruction "
        guard let line = lines.first(where: { $0.hasPrefix(word) }),
            let first = UInt64(line.dropFirst(word.utf8.count)),
            let json = lines.first(where: { $0.hasPrefix("{") })
        else { return nil }
        do throws(SubcommandError) {
            let printed = try JSON.value(Printed.self, Array(json.utf8), name: "phases")
            self.init(phases, started: started, printed, first: first, ended: ended)
        } catch { return nil }
    }
}

struct PhaseRow: Experiment {
    let subject: Subject
    private let phase: Phase
    private let program: StartedProgram
    private let runs: InterleavedRuns<StartedProgram, PhaseTimes>
    private let isCold: Bool

    init(_ phase: Phase, _ program: StartedProgram, _ runs: InterleavedRuns<StartedProgram, PhaseTimes>, isCold: Bool) {
        let place: Place = phase == .entry || phase == .guest ? .user : .host
        subject = Subject(start: phase.rawValue, phase.what, program, isCold: isCold, place)
        self.phase = phase
        self.program = program
        self.runs = runs
        self.isCold = isCold
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let times = try runs.values(of: program, amount.processes(isCold: isCold))
        var samples = Samples(total: times.map { $0[phase] })
        samples.repetitions = runs.repetitions
        return samples
    }
}

extension Workshop {
    /// One start of the guest `first`, by the command that a user gives: an option would be parsed in the first phase.
    func phases(
        of command: Command, _ phases: [Phase] = Phase.ofStart
    ) throws(ExperimentError) -> PhaseTimes {
        try require(command.program)
        return try tryProgram(try run(command.program, command.arguments, phases))
    }

    /// Who is interrupted between reading one clock and another contradicts itself, one start of a thousand on a busy host:
    /// that start is made again.
    func run(
        _ program: String, _ arguments: [String], _ phases: [Phase]
    ) throws(SubcommandError) -> PhaseTimes {
        var output = ""
        for _ in 0..<Self.attempts {
            var child = try start(program, arguments, talks: true, variables: ["SWIFTLET_PHASES=1"])
            let (end, nanoseconds) = child.finish(limit: Self.limit)
            try check(end, program)
            output = ""
            while let more = child.read(nanoseconds: 1_000_000_000) { output += more }
            let ended = child.started + nanoseconds
            if let times = PhaseTimes(phases, started: child.started, output: output, ended: ended) { return times }
        }
        throw SubcommandError("bench: what \(program) told of its phases does not add up: \(printable(output))")
    }

    private static var attempts: Int { 3 }
}
