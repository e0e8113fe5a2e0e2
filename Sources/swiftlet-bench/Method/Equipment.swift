// What experiments are made with: programs, guests, and the two CPUs that they may use.
//
// Read next: Workshop.swift, SnapshotFiles.swift, then Experiment.swift.

struct Equipment: Sendable {
    let workshop: Workshop
    let images: ExitImages
    /// The vCPU's thread is pinned here; it is the thread that calls `Experiment.measure`.
    let cpu: Int
    /// For a second thread (one that spins, rings or kicks); nil on a host with one CPU.
    let otherCPU: Int?
}
