// Disks and networks by call: an exit and the host's system call, and nothing else. Beside it stands the sum of the two: the
// cheapest call there is (POLL, guest ports), and a process's system call.
//
// Each is the fastest of 50 batches of 100, as what the calls' guests print. Read next: Handler.swift.

import Subcommand

private let operations = 100
private let batches = 50
private let limit = 1.1

extension Promises {
    func blockCall(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let disk = try BenchDisk(workshop)
        let run = [
            "run", "--block", "disk=\(disk.device.path),ro", workshop.image("blockbench"), "call", "\(operations)",
        ]
        return [try call("block-call", "a read of 4 KiB by call", workshop, run, repeats, disk.read)]
    }

    func netCall(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        guard let net = benchTap("net-call") else { return [] }
        let run = ["run", "--net", "net=tap", workshop.image("netbench"), "send", "call", "\(operations)", "1", "1024"]
        return [try call("net-call", "a frame of 1 KiB sent by call", workshop, run, repeats, net.sendKibibyte)]
    }

    private func call(
        _ name: String, _ what: String, _ workshop: Workshop, _ run: [String], _ repeats: Int?,
        _ operation: DeviceOperation
    ) throws(SubcommandError) -> Finding {
        let contest = try Contest(
            pairs: repeats ?? 20, limit: limit,
            subject: { () throws(SubcommandError) in try workshop.fastestPrinted(run) },
            reference: { () throws(SubcommandError) in
                try emptyCall(workshop) + (try fastestBatch(batches, operations, operation))
            })
        return Finding(name, what, unit: "ns", contest, sides: ("call", "empty call and process"), limit: limit)
    }
}

/// Nanoseconds of a call that does nothing, as a guest sees it.
private func emptyCall(_ workshop: Workshop) throws(SubcommandError) -> Double {
    let (program, arguments) = workshop.command(.swiftlet, "ports", ["\(batches * operations)", "samples"])
    let singles = PrintedNumbers(try workshop.output(program, arguments), "cycles")?.nanoseconds ?? []
    let means = stride(from: 0, to: singles.count - operations + 1, by: operations).map { start in
        singles[start..<start + operations].reduce(0, +) / Double(operations)
    }
    guard let fastest = means.min() else { throw SubcommandError("bench: the guest ports printed no cycles") }
    return fastest
}
