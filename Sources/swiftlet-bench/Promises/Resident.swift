// Resident memory beyond the guest's: what a waiting machine costs a host that runs many.
//
// The guest `echo` has answered once and waits for more; then /proc/PID/smaps tells what is resident. The guest's memory
// is counted apart (Measure/ResidentMemory.swift). Kernel memory is not in it: half a MiB for each VM where it was
// measured. Read next: RoundTrip.swift.

import Host
import Measure
import Subcommand

extension Promises {
    func resident(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        var sides: [[Double]] = [[], []]
        for _ in 0..<(repeats ?? 10) {
            sides[0].append(try residentKiB(workshop, .swiftlet))
            sides[1].append(try residentKiB(workshop, .twin))
        }
        let swiftlet = Finding.Side("swiftlet", sides[0])
        let limit = 2.5 * 1024
        return [
            Finding(
                "resident", "beyond the guest's, waiting", unit: "KiB",
                sides: [swiftlet, Finding.Side("twin", sides[1])],
                promise: Finding.Promise(
                    words: "at most 2.5 MiB", limit: limit, measured: swiftlet?.samples.p50))
        ]
    }

    private func residentKiB(_ workshop: Workshop, _ host: Workshop.Host) throws(SubcommandError) -> Double {
        let (program, arguments) = workshop.command(host, "echo", [])
        var child = try workshop.start(program, arguments, talks: true)
        child.type("x\n")
        guard child.read(nanoseconds: Workshop.limit) == "x\n" else {
            throw SubcommandError("bench: the guest echo did not answer under \(program)")
        }
        let resident = ResidentMemory(smaps: kernelText("/proc/\(child.pid)/smaps") ?? "", guestKiB: 64 << 10)
        try? child.closeInput()
        _ = child.finish(limit: Workshop.limit)
        guard let resident else { throw SubcommandError("bench: \(program)'s guest memory is not in its smaps") }
        return Double(resident.otherKiB)
    }
}
