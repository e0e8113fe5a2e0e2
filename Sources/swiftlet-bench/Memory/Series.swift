// What experiments with memory share: series of a host's own system calls, and samples of stamps.
//
// Read next: SlotRows.swift.

import Host
import Measure

/// Nanoseconds of single samples, as many as asked for, after one that is thrown away.
///
/// Never fewer, however slow they are: repeats of unequal length would weigh quick ones more in the row's percentiles. So
/// rows ask for few, and a repeat that takes longer than `limit` counts for nothing.
func series(
    _ count: Int, limit: UInt64 = 3_000_000_000, _ sample: () throws(ExperimentError) -> UInt64
) throws(ExperimentError) -> Samples {
    _ = try sample()
    let end = Clock.monotonic() + limit
    var values: [Double] = []
    for done in 0..<count {
        if Clock.monotonic() > end { throw .failed("only \(done) of \(count) samples within \(limit / 1_000_000) ms") }
        values.append(Double(try sample()))
    }
    return Samples(total: values)
}

/// Nanoseconds of one call.
func time(_ body: () throws(ExperimentError) -> Void) throws(ExperimentError) -> UInt64 {
    let start = Clock.monotonic()
    try body()
    return Clock.monotonic() - start
}

extension Samples {
    /// Stamps of a guest or of HostRun, without the first ones; a sample is `operations` of the same.
    init(
        _ stamps: [(start: UInt64, end: UInt64)], frequency: UInt64, dropping warmUps: Int, operations: Int = 1
    ) {
        let scale = 1e9 / Double(frequency) / Double(operations)
        self.init(total: stamps.dropFirst(warmUps).map { Double($0.end &- $0.start) * scale })
    }
}
