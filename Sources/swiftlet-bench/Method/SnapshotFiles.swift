// Snapshots of guests that said that they are ready: made by the swiftlet that is measured, once, beside the guests.
//
// Read next: Experiment.swift.

import Subcommand

final class SnapshotFiles {
    private let workshop: Workshop
    private var made: Set<String> = []

    init(_ workshop: Workshop) { self.workshop = workshop }

    /// The path of a snapshot of `guest` with a number as its argument.
    func path(_ guest: String, _ number: Int) throws(SubcommandError) -> String {
        let path = "\(workshop.guests)/\(guest)-\(number).snapshot"
        if made.contains(path) { return path }
        let options = ["run", "--quiet", "--snapshot", path, "--snapshot-exit", workshop.image(guest), "\(number)"]
        _ = try workshop.time((workshop.swiftlet, options))
        made.insert(path)
        return path
    }

    /// The same for an experiment.
    func require(_ guest: String, _ number: Int) throws(ExperimentError) -> String {
        try workshop.require(workshop.swiftlet)
        return try tryProgram(try path(guest, number))
    }
}
