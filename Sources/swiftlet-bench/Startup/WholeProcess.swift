// A whole run of the guest `hello`, from exec to exit, output to /dev/null; and QEMU's run of a guest that does the same.
//
// Read next: StartPhases.swift.

import Host
import Subcommand

struct WholeProcess: Experiment {
    let subject: Subject
    private let program: StartedProgram
    private let runs: InterleavedRuns<StartedProgram, Double>
    private let equipment: Equipment
    private let isCold: Bool

    init(
        _ program: StartedProgram, _ runs: InterleavedRuns<StartedProgram, Double>, _ equipment: Equipment, isCold: Bool
    ) {
        let place: Place = program == .nothing ? .host : .user
        var subject = Subject(start: "process", "whole process (exec to end)", program, isCold: isCold, place)
        if program == .nothing { subject.note = "the smallest static program, which only exits: any program's floor" }
        self.subject = subject
        self.program = program
        self.runs = runs
        self.equipment = equipment
        self.isCold = isCold
    }

    /// What it prints is thrown away, so the first repeat asks whether it is what is to be measured.
    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        if amount.turn == 0, let host = program.host {
            try equipment.workshop.require(program.command(equipment.workshop, "hello").program)
            try tryProgram(try equipment.workshop.checkGreeting(host))
        }
        var samples = Samples(total: try runs.values(of: program, amount.processes(isCold: isCold)))
        samples.repetitions = runs.repetitions
        return samples
    }
}

struct QEMUStart: Experiment {
    let subject: Subject
    private let equipment: Equipment

    init(_ equipment: Equipment) {
        var subject = Subject(.startup, "process", "whole process (exec to end)", "qemu", .user)
        subject.hasFloor = false
        subject.note =
            "QEMU, machine microvm, 16 MiB: its guest prints a line to the debug console, which goes to a null device, and ends "
            + "(guests/pvh/hello.S)"
        self.subject = subject
        self.equipment = equipment
    }

    /// A few: each takes as long as tens of the others.
    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let qemu = QEMU(workshop: equipment.workshop)
        let amount = amount.divided(by: 200)
        var result: Result<[Double], ExperimentError> = .success([])
        try equipment.onBothCPUs { result = Self.times(qemu, amount.total) }
        return Samples(total: Array(try result.get().dropFirst(amount.warmUps)))
    }

    private static func times(_ qemu: QEMU, _ count: Int) -> Result<[Double], ExperimentError> {
        do throws(ExperimentError) {
            var times: [Double] = []
            for _ in 0..<count {
                let (nanoseconds, status) = try qemu.run("hello", options)
                guard status == 33 else { throw .unavailable("QEMU ended with status \(status), not with the guest's") }
                times.append(Double(nanoseconds))
            }
            return .success(times)
        } catch { return .failure(error) }
    }

    private static let options = [
        "-machine", "microvm,accel=kvm", "-m", "16", "-chardev", "null,id=console", "-device",
        "isa-debugcon,iobase=0xe9,chardev=console",
    ]
}

extension Workshop {
    /// Nanoseconds of a run whose output is thrown away.
    func time(program command: Command) throws(ExperimentError) -> Double {
        try require(command.program)
        return try tryProgram(try time(command))
    }

    /// Built beside the twin.
    var nothing: String {
        let folders = twin.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return (folders + ["nothing"]).joined(separator: "/")
    }
}
