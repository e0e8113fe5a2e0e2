// A guest that uses a disk or sends frames, and prints what each batch took: blockbench and netbench.
//
// Read next: ReceivingGuest.swift.

import Devices
import Host

struct DeviceGuest: Experiment {
    let subject: Subject
    let task: DeviceTask
    let side: DeviceSide
    let equipment: Equipment

    /// That count, of the 50 batches that guests run.
    static let samples = 45

    init(_ subject: Subject, _ task: DeviceTask, _ side: DeviceSide, _ equipment: Equipment) {
        (self.subject, self.task, self.side, self.equipment) = (subject, task, side, equipment)
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.atMost(Self.samples)
        let workshop = equipment.workshop
        try workshop.require(workshop.swiftlet)
        let arguments = try self.arguments
        let text = try equipment.onBothCPUs { () throws(ExperimentError) in
            try tryProgram(try workshop.output(workshop.swiftlet, arguments))
        }
        guard let values = PrintedNumbers(text, "nanoseconds")?.values, values.count >= amount.total else {
            throw .failed("the guest printed no line 'nanoseconds' of \(amount.total) numbers")
        }
        return Samples(total: Array(values.prefix(amount.total).dropFirst(amount.warmUps)))
    }

    private var arguments: [String] {
        get throws(ExperimentError) {
            let workshop = equipment.workshop
            let how = [side.rawValue, "\(task.operations)", "\(side == .ring ? DeviceSide.depth : 1)"]
            if task.needsTap {
                try requireTaps()
                return ["run", "--net", "net=tap", workshop.image("netbench"), "send"] + how + ["1024"]
            }
            let disk = try workshop.disk(mebibytes: 4)
            return ["run", "--block", "disk=\(disk),ro", workshop.image("blockbench")] + how
        }
    }
}

/// Swiftlet makes a tap for a guest where it may.
func requireTaps() throws(ExperimentError) {
    do throws(DeviceError) { _ = try NetDevice(NetOption(name: "net", interface: nil)) } catch {
        throw .unavailable(error.message)
    }
}

extension Workshop {
    /// The path of a file of that size without holes, beside the guests. It stays there: the next run need not write it.
    func disk(mebibytes: Int) throws(ExperimentError) -> String {
        let path = "\(guests)/disk-\(mebibytes).bench"
        let chunk = [UInt8](repeating: 1, count: 1 << 20)
        if let size = try? File.regular(path).size(), size == UInt64(mebibytes) << 20 { return path }
        let file = try tryHost(try File(path, .create))
        for index in 0..<mebibytes { try tryHost(try file.write(chunk, at: UInt64(index) << 20)) }
        _ = try tryHost(try File.regular(path).dropFromPageCache())
        return path
    }
}
