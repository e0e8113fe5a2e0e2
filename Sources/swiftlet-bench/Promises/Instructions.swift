// User-mode instructions for each exit, counted by valgrind's callgrind: exact where time is noise.
//
// Two runs of the guest `ports` that differ only in the number of calls; the difference is what the calls cost, in the
// program and in its libraries, without start-up and without the kernel. valgrind runs KVM_RUN as any system call.
// Read next: Handler.swift.

import Host
import Subcommand

extension Promises {
    func instructions(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let swiftlet = try instructionsPerExit(workshop, .swiftlet)
        let twin = try instructionsPerExit(workshop, .twin)
        return [
            Finding(
                "instructions", "user-mode, for each port exit", unit: "instructions",
                sides: [Finding.Side("swiftlet", [swiftlet]), Finding.Side("twin", [twin])],
                promise: Finding.Promise(words: "at most the twin's and 8", limit: twin + 8, measured: swiftlet))
        ]
    }

    private func instructionsPerExit(_ workshop: Workshop, _ host: Workshop.Host) throws(SubcommandError) -> Double {
        let (few, many) = (500, 2500)
        let difference = try instructions(workshop, host, calls: many) - instructions(workshop, host, calls: few)
        return difference / Double(many - few)
    }

    /// Of a whole run.
    private func instructions(
        _ workshop: Workshop, _ host: Workshop.Host, calls: Int
    ) throws(SubcommandError) -> Double {
        let (program, arguments) = workshop.command(host, "ports", ["\(calls)"])
        let valgrind = "/usr/bin/valgrind"
        let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-fd=1", program]
        for line in try workshop.output(valgrind, options + arguments).split(separator: "\n") {
            // "==4711== Collected : 98334"
            let fields = line.split(separator: " ")
            if fields.count == 4, fields[1] == "Collected", let count = Double(fields[3]) { return count }
        }
        throw SubcommandError("bench: \(valgrind) counted no instructions of \(program)")
    }
}
