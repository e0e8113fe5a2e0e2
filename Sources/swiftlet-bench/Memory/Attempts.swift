// What experiments with memory share: errors of three modules as one, and series of a host's own system calls.
//
// Read next: SlotRows.swift.

import Host
import KVM
import Measure
import Rig

func tryKVM<T: ~Copyable>(_ body: @autoclosure () throws(KVMError) -> T) throws(ExperimentError) -> T {
    do throws(KVMError) { return try body() } catch { throw ExperimentError(error) }
}

func tryHost<T: ~Copyable>(_ body: @autoclosure () throws(HostError) -> T) throws(ExperimentError) -> T {
    do throws(HostError) { return try body() } catch { throw ExperimentError(error) }
}

func tryRig<T: ~Copyable>(_ body: @autoclosure () throws(RigError) -> T) throws(ExperimentError) -> T {
    do throws(RigError) { return try body() } catch { throw ExperimentError(error) }
}

/// What Linux answers that has no memory or address space left, or does not know the request.
private let refusals: [Int32] = [12, 22, 25, 38, 95]  // ENOMEM, EINVAL, ENOTTY, ENOSYS, EOPNOTSUPP

extension ExperimentError {
    init(_ error: KVMError) {
        let text = "\(error.request): \(errnoText(error.errno))"
        self = refusals.contains(error.errno) ? .unavailable(text) : .failed(text)
    }

    init(_ error: HostError) {
        self = refusals.contains(error.errno) ? .unavailable(error.message) : .failed(error.message)
    }
}

/// Nanoseconds of single samples. Ends with enough of them or after `limit`, whichever is first, but not before the third:
/// a slow operation gets few, and a report has a time limit of its own. The first is thrown away.
func series(
    _ count: Int, limit: UInt64 = 20_000_000, _ sample: () throws(ExperimentError) -> UInt64
) throws(ExperimentError) -> Samples {
    var values: [Double] = []
    _ = try sample()
    let end = Clock.monotonic() + limit
    while values.count < max(count, 3), values.count < 3 || Clock.monotonic() < end {
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

extension Amount {
    /// For what is slow.
    func atMost(_ samples: Int) -> Amount {
        Amount(samples: min(self.samples, samples), warmUps: min(warmUps, max(1, samples / 10)))
    }

    var total: Int { warmUps + samples }
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
