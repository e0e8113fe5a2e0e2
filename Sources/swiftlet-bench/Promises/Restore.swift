// Restore: a whole `swiftlet restore` of a guest with 16 MiB of content, from exec to exit; it exits with its first call.
//
// Beside it the C twin, which makes a machine, loads a guest that exits with its first call, and runs it: what making a VM
// costs at the least. The snapshot is made first, and lies beside the guests. Read next: Resident.swift.

import Subcommand

extension Promises {
    func restore(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let limit = 1.2
        let file = "\(workshop.guests)/ready.snapshot"
        let options = ["run", "--quiet", "--snapshot", file, "--snapshot-exit", workshop.image("ready"), "16"]
        _ = try workshop.time((workshop.swiftlet, options))
        for host in [Workshop.Host.swiftlet, .twin] { try workshop.checkGreeting(host) }
        let contest = try Contest(
            pairs: repeats ?? 200, limit: limit,
            subject: { () throws(SubcommandError) in try workshop.time((workshop.swiftlet, ["restore", file])) },
            reference: { () throws(SubcommandError) in
                try workshop.time(workshop.command(.twin, "exit-status", ["0"]))
            })
        return [
            Finding("restore", "exec to exit of a restore of 16 MiB", unit: "us", scale: 1e-3, contest, limit: limit)
        ]
    }
}
