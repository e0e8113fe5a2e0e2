// Snapshots of guests that said that they are ready: made by the swiftlet that is measured, once, beside the guests.
//
// Read next: Experiment.swift.

import Subcommand

final class SnapshotFiles {
    private let workshop: Workshop
    private var made: Set<String> = []

    init(_ workshop: Workshop) { self.workshop = workshop }

    /// The path of a snapshot of `guest` with a number as its argument, and perhaps a word.
    func path(_ guest: String, _ number: Int, _ word: String? = nil) throws(SubcommandError) -> String {
        let arguments = ["\(number)"] + (word.map { [$0] } ?? [])
        let path = "\(workshop.guests)/\(guest)-\(arguments.joined(separator: "-")).snapshot"
        if made.contains(path) { return path }
        let options = ["run", "--quiet", "--snapshot", path, "--snapshot-exit", workshop.image(guest)]
        _ = try workshop.time((workshop.swiftlet, options + arguments))
        made.insert(path)
        return path
    }

    /// The same for an experiment.
    func require(_ guest: String, _ number: Int, _ word: String? = nil) throws(ExperimentError) -> String {
        try workshop.require(workshop.swiftlet)
        return try tryProgram(try path(guest, number, word))
    }
}
