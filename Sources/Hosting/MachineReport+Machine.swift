// What is reported of a machine, made when somebody asks.
//
// Read next: ServerPower.swift.

import Host

extension HostedMachine {
    func report(_ now: UInt64) -> MachineReport {
        var report = MachineReport(entry)
        report.state = state.name
        report.pid = process?.pid
        report.uptimeSeconds = uptime(now).map { Double($0 / 1_000_000) / 1000 }
        report.residentBytes = process.flatMap { residentBytes(of: $0.pid) }
        (report.starts, report.restarts) = (starts, restarts)
        (report.end, report.endStatus) = (lastEnd?.words, lastEnd?.status)
        if !diagnosis.isEmpty {
            report.diagnosis = diagnosis.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        }
        report.exits = exits
        report.catalogue = isRemoved ? "removed" : isChanged ? "changed" : nil
        return report
    }

    /// Nanoseconds; nil when it does not run.
    func uptime(_ now: UInt64) -> UInt64? {
        guard case .running(let since) = state else { return nil }
        return now - min(now, since)
    }
}

extension MachineReport {
    /// As the catalogue has it, with no host behind it.
    public init(_ entry: CatalogueEntry) {
        switch entry.content {
        case .failure(let problem):
            self.init(
                id: entry.id, name: entry.id, vendor: "", description: "", state: "bad", problem: problem.words)
        case .success(let machine):
            self.init(
                id: machine.id, name: machine.name, vendor: machine.vendor, description: machine.description,
                state: "stopped", image: machine.image, memoryBytes: machine.memory, cpus: machine.cpus,
                identity: machine.identity, restart: machine.restart.when.rawValue,
                autostartSeconds: machine.autostart.map { Double($0) / 1e9 })
        }
    }
}
