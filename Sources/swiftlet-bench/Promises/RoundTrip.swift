// The round trip of a port exit: from the guest's OUT through KVM and the VMM back to the next instruction.
//
// The guest `ports` measures it, in TSC cycles, and prints the median of a thousand calls: one sample here. Most of it is
// the hardware's and the kernel's; the ratio tells what is ours. Read next: Native.swift.

import Subcommand

extension Promises {
    func roundTrip(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let limit = 1.01
        let contest = try Contest(
            pairs: repeats ?? 30, limit: limit,
            subject: { () throws(SubcommandError) in try cycles(workshop, .swiftlet) },
            reference: { () throws(SubcommandError) in try cycles(workshop, .twin) })
        return [Finding("roundtrip", "port exit and back, in the guest", unit: "TSC cycles", contest, limit: limit)]
    }

    private func cycles(_ workshop: Workshop, _ host: Workshop.Host) throws(SubcommandError) -> Double {
        try workshop.number("cycles-per-exit", of: workshop.command(host, "ports", ["1000"]))
    }
}
