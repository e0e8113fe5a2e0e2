// A diagnosis for people: what was found, what to fix, and the verdict as the last line.
//
// Read next: docs/doctor.md.

import Host
import Measure
import Subcommand

extension Diagnosis {
    var text: String {
        var lines = ["host"] + host.hostLines
        if let capabilities = host.capabilities { lines += ["", "capabilities"] + capabilityLines(capabilities) }
        if let measurements = host.measurements {
            lines += ["", "measured" + host.caution] + measurements.lines
        }
        if !problems.isEmpty { lines += ["", "to fix or to know"] + problems.flatMap(\.lines) }
        return (lines + ["", "verdict: \(printable(verdict))"]).joined(separator: "\n") + "\n"
    }

    private func capabilityLines(_ capabilities: [CapabilityFinding]) -> [String] {
        var table = Table(.left, .right, .left)
        for finding in capabilities {
            let missing = finding.isMissing ? "MISSING: " : ""
            table.add(finding.name, finding.value == 0 ? "no" : "\(finding.value)", missing + finding.purpose)
        }
        return table.lines()
    }
}

extension Examination {
    fileprivate var hostLines: [String] {
        var table = Table(.left, .left)
        table.add("/dev/kvm", virtualization.device.words)
        table.add("KVM", virtualization.words)
        if !virtualization.parameters.isEmpty { table.add("set to", parameters) }
        table.add("CPU", printable("\(cpu.vendor), \(cpu.model)"))
        table.add("", "family \(cpu.family), model \(cpu.modelNumber), stepping \(cpu.stepping); \(vectors)")
        table.add("virtual", cpu.isVirtual ? "yes, under \(printable(cpu.hypervisorName))" : "no, bare metal")
        table.add(
            "memory", "\(memory.total >> 20) MiB" + (memory.available.map { ", \($0 >> 20) MiB available" } ?? ""))
        table.add("huge pages", hugePages)
        table.add("sandbox", sandbox.words)
        return table.lines()
    }

    private var vectors: String { cpu.vectors.joined(separator: ", ") }

    private var parameters: String {
        virtualization.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\(printable($0.value))" }
            .joined(separator: " ")
    }

    private var hugePages: String {
        let transparent = memory.transparentHugePages.map { "transparent: \($0)" } ?? "no transparent ones"
        let pools = memory.hugePagePools.map { pool in
            let size = bytes(pool.pageSize)
            return pool.reserved == 0
                ? "no \(size) reserved" : "\(pool.reserved) of \(size) reserved, \(pool.free) free"
        }
        return ([transparent] + pools).joined(separator: "; ")
    }

    /// Behind the heading of every number.
    fileprivate var caution: String {
        switch virtualization.kind {
        case .software: " (\(Environment.softwareStamp))"
        case .unknown, .none: " (a KVM of unknown kind)"
        case .vtx, .svm: cpu.isVirtual ? " (nested: not representative of bare metal)" : ""
        }
    }
}

extension Measurements {
    fileprivate var lines: [String] {
        var table = Table(.left, .right, .right, .right, .left)
        table.add("", "median", "p99", "least", "n")
        let rows = [
            ("port exit and back, ring 3", exitFromRing3), ("port exit and back, ring 0", exitFromRing0),
            ("ioeventfd, ring 3", ioeventfd),
        ]
        for (name, samples) in rows {
            guard let samples else {
                table.add(name, "-")
                continue
            }
            let each = samples.operationsPerSample > 1 ? " x \(samples.operationsPerSample)" : ""
            table.add(
                name, duration(samples.median), duration(samples.p99), duration(samples.minimum), "\(samples.n)\(each)")
        }
        return table.lines()
            + [("ring 3", ring3), ("ring 0", ring0)].map { "  \($0.0): \($0.1?.words ?? "not measured")" }
    }
}

extension Measurements.Execution {
    /// "emulated: 400 of 400 instructions, 721 ns each"
    fileprivate var words: String {
        let counted =
            emulated.map { "\($0) of \(instructions) instructions emulated" } ?? "by its time, KVM has no counter"
        if !isEmulated { return "native (\(counted))" }
        return "emulated (\(counted)" + (time.map { ", \(duration($0.median)) each" } ?? "") + ")"
    }
}

extension DeviceState {
    fileprivate var words: String {
        switch self {
        case .usable: "usable, API version 12"
        case .absent: "absent"
        case .forbidden: "no permission"
        case .incompatible: "another API version than 12"
        case .failing: "cannot be opened"
        }
    }
}

extension Problem {
    fileprivate var lines: [String] { ["  \(severity.rawValue): \(printable(what))", "    \(printable(fix))"] }
}
