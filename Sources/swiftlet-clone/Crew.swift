// Who runs the guests: threads of this process, or processes.
//
// Read next: ThreadCrew.swift, ProcessCrew.swift.

import Host
import Subcommand

/// Used by the main thread only.
protocol Crew: AnyObject {
    /// Starts a guest whose console writes to `output`, which is closed when it has ended, and not before.
    func start(_ index: Int, output: consuming File) throws(SubcommandError)

    /// How a guest ended whose console is closed.
    func end(of index: Int) -> Life

    /// Asks all that run to end; to be called again until they have. With `atOnce` they are not asked.
    func stop(atOnce: Bool)
}
