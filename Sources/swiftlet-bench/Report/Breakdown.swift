// Where a port exit's time goes: what is the hardware's and the kernel's, and what is ours.
//
// Four rows measured in the same minutes tell it by their differences: a port write that KVM answers itself, one that the
// program answers, the bare KVM_RUN and the handler within. Read next: Progress.swift.

import Measure
import Subcommand

/// For one CPU mode; nanoseconds, medians.
struct Breakdown: Equatable {
    let mode: String
    let total: Double
    /// A port write that stays in the kernel.
    let inKernel: Double?
    /// The bare KVM_RUN: into the kernel and out again, without a guest.
    let systemCall: Double
    let handler: Double

    /// What leaving KVM for the program and re-entering costs beyond the system call: the rest.
    var wayToUser: Double { total - (inKernel ?? 0) - systemCall - handler }

    /// Of the rows of port writes in that mode; nil without one that the program answered.
    init?(_ mode: String, _ rows: [ReportRow]) {
        let ports = rows.filter { $0.group == .exits && $0.isMeasured && $0.unit == .nanoseconds }
        guard let user = ports.first(where: { $0.id == "exits/port-write/\(mode)" }), let total = user.total,
            let handler = user.part(.handler), let floor = Interval(of: user.floors)
        else { return nil }
        self.mode = mode
        self.total = total.interval.median
        self.handler = handler.interval.median
        systemCall = floor.median
        // A coalesced one now and then leaves the kernel, an ioeventfd's never does.
        let inKernel = ports.first { $0.id == "exits/ioeventfd-pio/\(mode)" }
        self.inKernel = inKernel?.total?.interval.median
    }

    /// Name, nanoseconds.
    private var lines: [(String, Double)] {
        let rest = [
            ("the system call: bare KVM_RUN", systemCall), ("ours: the handler", handler),
            ("the whole round trip", total),
        ]
        guard let inKernel else { return [("hardware, and KVM's way to the program and back", wayToUser)] + rest }
        return [
            ("hardware and KVM: a port write answered in the kernel", inKernel),
            ("KVM's way to the program and back, beyond that", wayToUser),
        ] + rest
    }

    /// A section; empty where there is nothing to tell.
    static func text(_ report: Report) -> String {
        var table = Table(.left, .right, .right)
        var text = ""
        for mode in ["ring3", "ring0", "real"] {
            guard let breakdown = Breakdown(mode, report.rows) else { continue }
            table.add("from \(mode)")
            for (name, time) in breakdown.lines {
                let part = breakdown.total > 0 ? time / breakdown.total * 100 : 0
                table.add("  \(name)", quantity(time, .nanoseconds), "\(decimal(part, 1)) %")
            }
            text = "\nwhere a port exit's time goes (medians)\n"
        }
        return text.isEmpty ? "" : text + table.lines().joined(separator: "\n") + "\n"
    }
}
