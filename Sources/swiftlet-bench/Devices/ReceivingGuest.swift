// A guest that takes frames which wait for it: they are sent to its tap while it waits for a line, then it gets the line.
//
// So what is measured is the taking, not the waiting, and the sender needs no CPU meanwhile. The guest's tap is its swiftlet's
// own, and goes with it; its name is in /proc/PID/fdinfo (drivers/net/tun.c). Read next: ../Programs/CProgram.swift.

import Host
import Subcommand

struct ReceivingGuest: Experiment {
    let subject: Subject
    let side: DeviceSide
    let equipment: Equipment

    init(_ subject: Subject, _ side: DeviceSide, _ equipment: Equipment) {
        (self.subject, self.side, self.equipment) = (subject, side, equipment)
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.atMost(DeviceGuest.samples)
        let workshop = equipment.workshop
        try workshop.require(workshop.swiftlet)
        try workshop.require(workshop.cProgram("devices"))
        try requireTaps()
        let values = try equipment.onBothCPUs { () throws(ExperimentError) in
            try tryProgram(try batches(amount.total))
        }
        return Samples(total: Array(values.dropFirst(amount.warmUps)))
    }

    private func batches(_ count: Int) throws(SubcommandError) -> [Double] {
        let workshop = equipment.workshop
        let frames = "\(subject.operations)"
        var child = try workshop.start(
            workshop.swiftlet,
            ["run", "--net", "net=tap", workshop.image("netbench"), "receive", side.rawValue, frames]
                + ["\(side == .ring ? DeviceSide.depth : 1)"],
            talks: true)
        _ = try line(child)  // "ready"
        guard let interface = Self.interface(of: child.pid) else {
            throw SubcommandError("bench: /proc does not tell the tap of \(workshop.swiftlet)")
        }
        var values: [Double] = []
        for _ in 0..<count {
            _ = try workshop.output(workshop.cProgram("devices"), ["feed", interface, frames])
            child.type("\n")
            let text = try line(child)
            guard let value = PrintedNumbers(text, "nanoseconds")?.values.first else {
                throw SubcommandError("bench: netbench printed '\(text)'")
            }
            values.append(value)
        }
        try? child.closeInput()
        try workshop.check(child.finish(limit: Workshop.limit).end, workshop.swiftlet)
        return values
    }

    private func line(_ child: borrowing ChildProcess) throws(SubcommandError) -> String {
        var text = ""
        while text.last != "\n" {
            guard let more = child.read(nanoseconds: Self.limit) else {
                throw SubcommandError("bench: netbench did not receive its frames")
            }
            text += more
        }
        return text
    }

    /// Nanoseconds for a batch.
    private static let limit: UInt64 = 10_000_000_000

    /// The first tap that a process has open.
    private static func interface(of pid: Int32) -> String? {
        for path in paths(matching: "/proc/\(pid)/fdinfo/*") {
            for line in (kernelText(path) ?? "").split(separator: "\n") where line.hasPrefix("iff:") {
                return line.dropFirst(4).split(separator: "\t").first.map(String.init)
            }
        }
        return nil
    }
}
