// Where a port exit's time goes: what is the hardware's and the kernel's, what is the handler's; and what the product adds.
//
// Four rows measured in the same minutes tell the first by their differences: a port write that KVM answers itself, one that
// the rig's handler answers, the bare KVM_RUN and that handler within. The rig's handler is next to nothing; what is Swiftlet's
// is the difference of two whole programs, Swiftlet and its C twin. docs/measuring.md explains it. Read next: Progress.swift.

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

    /// Name, nanoseconds. What takes a step of the clock or none is known no better.
    private func lines(_ clockStep: Double) -> [(String, Double)] {
        let rest = [
            ("the system call: bare KVM_RUN", systemCall),
            (
                "the rig's handler" + (handler < clockStep * 1.5 ? ", at most the clock's step" : ""),
                max(handler, clockStep)
            ),
            ("the rig's whole round trip", total),
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
            for (name, time) in breakdown.lines(report.method.clockStep) {
                let part = breakdown.total > 0 ? time / breakdown.total * 100 : 0
                table.add("  \(name)", quantity(time, .nanoseconds), "\(decimal(part, 1)) %")
            }
            text = "\nwhere a port exit's time goes (medians)\n"
        }
        let product = Product(report.rows)
        product?.add(to: &table)
        return text.isEmpty ? "" : text + table.lines().joined(separator: "\n") + "\n"
    }
}

/// The round trip of `swiftlet run`, a call of a whole program, beside that of its C twin; nanoseconds.
struct Product: Equatable {
    let swiftlet: Interval
    let twin: Interval
    /// Repeat by repeat: what Swiftlet takes beyond the same system calls from C.
    let ours: Interval
    /// Likewise: what it takes beyond a run outside of the sandbox; nil where that was not measured.
    let sandbox: Interval?

    /// Nil unless Swiftlet and its twin were measured.
    init?(_ rows: [ReportRow]) {
        func total(_ host: String) -> ReportRow.Part? { rows.first { $0.id == "exits/call-poll/\(host)" }?.total }
        guard let swiftlet = total("swiftlet"), let twin = total("twin"),
            let ours = Interval(of: zip(swiftlet.medians, twin.medians).map { $0 - $1 })
        else { return nil }
        (self.swiftlet, self.twin, self.ours) = (swiftlet.interval, twin.interval, ours)
        sandbox = total("no-sandbox").flatMap { Interval(of: zip(swiftlet.medians, $0.medians).map { $0 - $1 }) }
    }

    fileprivate func add(to table: inout Table) {
        table.add("of a whole program, 'swiftlet run' (call POLL)")
        let lines =
            [("its round trip", swiftlet), ("its C twin's", twin), ("ours: beyond the twin's", ours)]
            + (sandbox.map { [("the sandbox's: beyond --no-sandbox", $0)] } ?? [])
        for (name, time) in lines {
            let interval = "\(quantity(time.low, .nanoseconds)) to \(quantity(time.high, .nanoseconds))"
            table.add("  \(name)", quantity(time.median, .nanoseconds), interval)
        }
    }
}
