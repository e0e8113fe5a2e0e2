// The phases of a start, each row one of them: our clock before posix_spawn and after waitpid, the program's own between, and
// the guest's at its first act. All three are one clock, CLOCK_MONOTONIC, or count from a known point of it.
//
// The guest `first` prints its clock's first reading, the program then its phases (docs/stats.md). Both go into a pipe that
// nobody reads before the end. Writing them is in no phase: so the phases add up to less than the whole.

import Host
import Subcommand

enum Phase: String, CaseIterable, Sendable {
    case exec, image, vm, load, vcpu, entry, guest, teardown

    var what: String {
        switch self {
        case .exec: "exec to main"
        case .image: "image: open, check, plan"
        case .vm: "VM: memory, slots, vCPU"
        case .load: "load: segments, page tables, boot info"
        case .vcpu: "vCPU's registers, machine put together"
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

    /// What the program printed about itself.
    struct Printed: Decodable, Equatable {
        struct Durations: Decodable, Equatable {
            var imageNs: UInt64
            var vmNs: UInt64
            var loadNs: UInt64
            var vcpuNs: UInt64
            var runNs: UInt64
        }
        var phases: Durations
        var startNs: UInt64
        var clockZeroNs: UInt64
        var writtenNs: UInt64
    }

    /// `started` and `ended` are ours. Nil when the clocks contradict each other.
    init?(started: UInt64, _ printed: Printed, first: UInt64, ended: UInt64) {
        let phases = printed.phases
        let image = printed.startNs &+ phases.imageNs
        let vm = image &+ phases.vmNs
        let load = vm &+ phases.loadNs
        let vcpu = load &+ phases.vcpuNs
        let run = vcpu &+ phases.runNs
        let marks = [started, printed.startNs, image, vm, load, vcpu, printed.clockZeroNs &+ first, run]
        guard zip(marks, marks.dropFirst()).allSatisfy({ $0 <= $1 }) else { return nil }
        guard run <= printed.writtenNs, printed.writtenNs <= ended else { return nil }
        for (phase, (from, to)) in zip(Phase.allCases, zip(marks, marks.dropFirst())) {
            times[phase] = Double(to - from)
        }
        times[.teardown] = Double(ended - printed.writtenNs)
    }

    /// From the guest's line and the program's.
    init?(started: UInt64, output: String, ended: UInt64) {
        let lines = output.split(separator: "\n")
        let word = "first-instruction "
        guard let line = lines.first(where: { $0.hasPrefix(word) }),
            let first = UInt64(line.dropFirst(word.utf8.count)),
            let json = lines.first(where: { $0.hasPrefix("{") })
        else { return nil }
        do throws(SubcommandError) {
            let printed = try JSON.value(Printed.self, Array(json.utf8), name: "phases")
            self.init(started: started, printed, first: first, ended: ended)
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
    func phases(of command: Command) throws(ExperimentError) -> PhaseTimes {
        try require(command.program)
        return try tryProgram(try run(command.program, command.arguments))
    }

    private func run(_ program: String, _ arguments: [String]) throws(SubcommandError) -> PhaseTimes {
        var child = try start(program, arguments, talks: true, variables: ["SWIFTLET_PHASES=1"])
        let (end, nanoseconds) = child.finish(limit: Self.limit)
        try check(end, program)
        var output = ""
        while let more = child.read(nanoseconds: 1_000_000_000) { output += more }
        guard let times = PhaseTimes(started: child.started, output: output, ended: child.started + nanoseconds) else {
            throw SubcommandError("bench: what \(program) told of its phases does not add up: \(printable(output))")
        }
        return times
    }
}
