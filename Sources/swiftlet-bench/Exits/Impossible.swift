// A row for what cannot be: the architecture decides it, not this host, so nothing is tried.
//
// Read next: ExitRows.swift.

import Rig

struct Impossible: Experiment {
    let subject: Subject
    let reason: String

    init(_ name: String, _ what: String, _ mode: CPUMode, _ place: Place, because reason: String) {
        subject = Subject(.exits, name, what, mode.rawValue, place)
        self.reason = reason
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples { throw .unavailable(reason) }

    /// Reasons that several rows share.
    static let lowAddresses = "real mode reaches 1 MiB, and the local APIC's page lies above"
    static let noPaging = "real mode has no paging"
}
