// The code of guests/exits: bytes, as the assembler left them.
//
// Read next: ExitRows.swift.

import Host
import Rig
import Subcommand

struct ExitImages: Sendable {
    /// Where NAME.bin and NAME-real.bin are.
    let folder: String

    /// A rig that runs the operation.
    func plan(_ operation: String, _ mode: CPUMode) throws(ExperimentError) -> RigPlan {
        var plan = RigPlan(mode, code: try code(operation, mode))
        plan.hasHandlers = true
        return plan
    }

    func code(_ operation: String, _ mode: CPUMode) throws(ExperimentError) -> [UInt8] {
        let path = "\(folder)/exits/\(operation)\(mode == .real ? "-real" : "").bin"
        do throws(HostError) {
            let file = try File.regular(path)
            return try file.read(at: 0, 1 << 16)
        } catch { throw .failed("\(error.message): 'make guests' builds it") }
    }
}
