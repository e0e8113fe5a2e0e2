// Clones: up to 500 of one snapshot alive at once, and what each needs beside what all share, the kernel's memory included.
//
// The promise is about clones in one process; as many processes stand beside it. Read next: Resident.swift.

import Subcommand

extension Promises {
    func clones(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        try workshop.checkGreeting(.swiftlet)
        let files = SnapshotFiles(workshop)
        let (ending, staying) = (try files.path("touch-pages", 10), try files.path("touch-pages", 10, "stay"))
        var findings: [Finding] = []
        for count in [1, 10, 100, 500] {
            let herd = try Herd(ending, count)
            let processes = try Herd(processesOf: workshop.swiftlet, staying, count)
            findings.append(Self.making(count, herd, processes))
            findings.append(Self.memory(count, herd, processes))
        }
        return findings
    }

    private static func making(_ count: Int, _ herd: borrowing Herd, _ processes: borrowing Herd) -> Finding {
        let sides = [
            Finding.Side("one process", herd.times, scale: 1e-3),
            Finding.Side("processes", processes.times, scale: 1e-3),
        ]
        return Finding("clones", "to make each of \(count)", unit: "us", sides: sides, promise: nil)
    }

    /// Promised of the largest number: of few clones, what else happens on the host is as much.
    private static func memory(_ count: Int, _ herd: borrowing Herd, _ processes: borrowing Herd) -> Finding {
        let limit = 1024.0
        let sides = [
            Finding.Side("own", [herd.own]), Finding.Side("kernel", [herd.kernel]),
            Finding.Side("process, own", [processes.own]), Finding.Side("process, kernel", [processes.kernel]),
        ]
        let promise = Finding.Promise(
            words: "at most 1 MiB each, in one process", limit: limit, measured: herd.own + herd.kernel)
        return Finding(
            "clones", "memory for each of \(count), beside what all share", unit: "KiB", sides: sides,
            promise: count == 500 ? promise : nil)
    }
}
