// Machines for people: a table of all, or all about one.
//
// Read next: ControlClient.swift.

import Host
import Hosting
import Subcommand

/// A row for each machine; what is wrong with a bad one stands below.
func machineTable(_ reports: [MachineReport]) -> String {
    var table = Table(.left, .left, .left, .right, .left)
    table.add("MACHINE", "NAME", "VENDOR", "MEMORY", "STATE")
    for report in reports {
        let size = report.memoryBytes.map { bytes($0) } ?? "-"
        table.add(report.id, printable(report.name), printable(report.vendor), size, report.stateWords)
    }
    let problems = reports.compactMap { report in report.problem.map { "\(printable($0))\n" } }
    return table.lines(indent: 0).map { $0 + "\n" }.joined() + problems.joined()
}

/// A line for each thing that is known.
func machineText(_ report: MachineReport) -> String {
    var table = Table(.left, .left)
    table.add("machine", report.id)
    table.add("name", printable(report.name))
    if !report.vendor.isEmpty { table.add("vendor", printable(report.vendor)) }
    table.add("state", report.stateWords)
    func add(_ name: String, _ value: String?) { if let value { table.add(name, value) } }
    add("problem", report.problem.map { printable($0) })
    add("image", report.image.map { printable($0) })
    add("memory", report.memoryBytes.map { bytes($0) })
    add("in use", report.residentBytes.map { "\($0 >> 10) KiB" })
    add("CPUs", report.cpus.map { "\($0)" })
    add("identity", report.identity)
    add("restart", report.restart)
    add("process", report.pid.map { "\($0)" })
    add("starts", report.starts.map { "\($0), \(report.restarts ?? 0) of them by its restart policy" })
    add("exits", report.exits.map { "\($0) in runs that have ended" })
    let diagnosis = (report.diagnosis ?? "").split(separator: "\n").map { printable($0) + "\n" }
    return table.lines(indent: 0).map { $0 + "\n" }.joined() + diagnosis.joined()
}

extension MachineReport {
    fileprivate var stateWords: String {
        if let uptimeSeconds { return "\(state) \(Int(uptimeSeconds)) s" }
        return end.map { "\(state), \($0)" } ?? state
    }
}
