// The rows of `swiftlet bench startup`: from before posix_spawn to after waitpid, and the phases between.
//
// Swiftlet and its C twin stand beside each other, repeated and cold; beside them the smallest program there can be, and QEMU.
// All of one kind take turns, process by process. Read next: WholeProcess.swift, ColdCopies.swift,
// StartPhases.swift.

func startupExperiments(_ equipment: Equipment) -> [any Experiment] {
    let workshop = equipment.workshop
    let copies = ColdCopies(workshop)
    let warm = InterleavedRuns([StartedProgram.swiftlet, .twin, .nothing], equipment) {
        program throws(ExperimentError) in
        try workshop.time(program: program.command(workshop, "hello"))
    }
    let cold = InterleavedRuns([StartedProgram.swiftlet, .twin], equipment) { program throws(ExperimentError) in
        try workshop.time(program: try copies.evicted(program.command(workshop, "hello")))
    }
    let warmPhases = InterleavedRuns([StartedProgram.swiftlet, .twin], equipment) { program throws(ExperimentError) in
        try workshop.phases(of: program.command(workshop, "first"))
    }
    let coldPhases = InterleavedRuns([StartedProgram.swiftlet, .twin], equipment) { program throws(ExperimentError) in
        try workshop.phases(of: try copies.evicted(program.command(workshop, "first")))
    }
    let whole: [any Experiment] =
        pair { WholeProcess($0, warm, equipment, isCold: false) }
        + pair { WholeProcess($0, cold, equipment, isCold: true) }
        + [WholeProcess(.nothing, warm, equipment, isCold: false), QEMUStart(equipment)]
    return Phase.ofStart.reduce(whole) { rows, phase in
        rows + pair { PhaseRow(phase, $0, warmPhases, isCold: false) }
            + pair { PhaseRow(phase, $0, coldPhases, isCold: true) }
    } + restoreExperiments(equipment)
}

private func pair(_ make: (StartedProgram) -> any Experiment) -> [any Experiment] { [make(.swiftlet), make(.twin)] }

/// A program and its arguments.
typealias Command = (program: String, arguments: [String])

/// What is started.
enum StartedProgram: String, Sendable {
    case swiftlet, twin
    /// benchmarks/nothing.S
    case nothing

    /// Who of those that run guests; nil for a program that runs none.
    var host: Workshop.Host? {
        switch self {
        case .swiftlet: .swiftlet
        case .twin: .twin
        case .nothing: nil
        }
    }

    /// Its command, by which a guest is run.
    func command(_ workshop: Workshop, _ guest: String) -> Command {
        switch self {
        case .swiftlet: workshop.command(.swiftlet, guest, [])
        case .twin: workshop.command(.twin, guest, [])
        case .nothing: (workshop.nothing, [])
        }
    }
}

extension Subject {
    /// "startup/NAME/swiftlet" or "startup/NAME/swiftlet-cold", Swiftlet's beside the twin's.
    init(start name: String, _ what: String, _ program: StartedProgram, isCold: Bool, _ place: Place) {
        let suffix = isCold ? "-cold" : ""
        self.init(.startup, name, what, program.rawValue + suffix, place)
        hasFloor = false
        if program == .swiftlet { beside = "startup/\(name)/twin\(suffix)" }
        if isCold { note = Self.cold }
    }

    private static let cold =
        "cold: copies of program and image, taken out of the page cache before each run; what lies below this kernel (a "
        + "disk's cache, another host's) stays as it is"
}

extension Amount {
    /// A sample is a process, a few milliseconds; a cold one reads a disk.
    func processes(isCold: Bool) -> Amount { divided(by: isCold ? 50 : 20) }
}
