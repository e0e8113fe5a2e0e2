// Durations that were measured: how many, and what they say.
//
// Read next: Measurements.swift.

struct Samples: Encodable, Equatable, Sendable {
    /// How many, and of how many operations each is the mean.
    var n: Int
    var operationsPerSample: Int
    /// Nanoseconds an operation.
    var median: Double
    var p99: Double
    var minimum: Double

    enum CodingKeys: String, CodingKey {
        case n
        case operationsPerSample
        case median = "medianNs"
        case p99 = "p99Ns"
        case minimum = "minimumNs"
    }

    /// Of nanoseconds for `operations` operations each, less what is no part of them. Nil without a sample.
    init?(nanoseconds: [UInt64], operations: Int = 1, overhead: Double = 0) {
        if nanoseconds.isEmpty || operations < 1 { return nil }
        let sorted = nanoseconds.sorted()
        func value(_ index: Int) -> Double { max(0, Double(sorted[index]) - overhead) / Double(operations) }
        n = sorted.count
        operationsPerSample = operations
        median = value((sorted.count - 1) / 2)
        p99 = value((sorted.count - 1) * 99 / 100)
        minimum = value(0)
    }
}
