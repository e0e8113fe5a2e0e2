// A row for what cannot be: the architecture decides it, not this host, so nothing is tried.
//
// Read next: ExitRows.swift.

struct Impossible: Experiment {
    let subject: Subject
    let reason: String

    init(_ subject: Subject, because reason: String) {
        self.subject = subject
        self.reason = reason
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples { throw .unavailable(reason) }

    /// Reasons that several rows share.
    static let lowAddresses = "real mode reaches 1 MiB, and the local APIC's page lies above"
    static let noPaging = "real mode has no paging"
    static func privileged(_ instruction: String) -> String { "\(instruction) at ring 3 is #GP by the architecture" }
}
