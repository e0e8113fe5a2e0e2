// Restore of a guest with 16 MiB of content: a whole `swiftlet restore`, from exec to exit of a guest that exits with its first
// call; and from exec to the restored guest's first instruction.
//
// Beside it the C twin, which makes a machine, loads a guest and runs it, to its exit or its first act: what making a VM
// costs at the least. The snapshots are made first, and lie beside the guests. Read next: Resident.swift.

import Subcommand

extension Promises {
    func restore(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        try workshop.checkGreeting(.swiftlet)
        try workshop.checkGreeting(.twin)
        let files = SnapshotFiles(workshop)
        return [try wholeRestore(workshop, files, repeats), try firstInstruction(workshop, files, repeats)]
    }

    private static var limit: Double { 1.2 }

    private func wholeRestore(
        _ workshop: Workshop, _ files: SnapshotFiles, _ repeats: Int?
    ) throws(SubcommandError) -> Finding {
        let file = try files.path("ready", RestoreSide.mebibytes)
        let contest = try Contest(
            pairs: repeats ?? 200, limit: Self.limit,
            subject: { () throws(SubcommandError) in try workshop.time((workshop.swiftlet, ["restore", file])) },
            reference: { () throws(SubcommandError) in
                try workshop.time(workshop.command(.twin, "exit-status", ["0"]))
            })
        return Finding(
            "restore", "exec to exit of a restore of 16 MiB", unit: "us", scale: 1e-3, contest, limit: Self.limit)
    }

    private func firstInstruction(
        _ workshop: Workshop, _ files: SnapshotFiles, _ repeats: Int?
    ) throws(SubcommandError) -> Finding {
        func time(_ side: RestoreSide) throws(SubcommandError) -> Double {
            try side.times(workshop, files).untilFirstAct
        }
        let contest = try Contest(
            pairs: repeats ?? 200, limit: Self.limit,
            subject: { () throws(SubcommandError) in try time(.swiftlet) },
            reference: { () throws(SubcommandError) in try time(.twin) })
        return Finding(
            "restore", "exec to the first instruction of a restore of 16 MiB", unit: "us", scale: 1e-3, contest,
            limit: Self.limit)
    }
}
