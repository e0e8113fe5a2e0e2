// The rows of `swiftlet bench exits`, and their order: an operation that the kernel answers stands beside its like in user
// space.
//
// Read next: PortRows.swift.

import Rig

/// All of them, in the order of the table.
func exitExperiments(_ equipment: Equipment) -> [any Experiment] {
    let rows = ExitRows(equipment: equipment)
    return rows.clock + rows.ports + rows.strings + rows.memory + rows.instructions + rows.registers + rows.calls
        + rows.faults
        + rows.interrupts + rows.threads
}

/// Makes rows of an operation for each mode. The rows themselves are in extensions, a file for each kind.
struct ExitRows {
    let equipment: Equipment

    /// One for each mode that the operation exists in; in the others the row says why it does not.
    func rows(
        _ name: String, _ what: String, _ place: Place, not: [CPUMode: String] = [:],
        _ change: (inout RigExperiment) -> Void = { _ in }
    ) -> [any Experiment] {
        CPUMode.allCases.map { mode -> any Experiment in
            var row = RigExperiment(equipment.images, name, what, mode, place)
            if let reason = not[mode] { return Impossible(row.subject, because: reason) }
            change(&row)
            return row
        }
    }

    var clock: [any Experiment] {
        rows("clock", "nothing: two time stamps", .guest) {
            $0.subject.note =
                $0.mode == .real ? "in real mode a stamp serialises by MOV to CR2, elsewhere by LFENCE" : nil
        }
    }
}
