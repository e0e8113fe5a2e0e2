// The histogram against exact answers: how far off a percentile may be, and what must be exact.
//
// Read next: ExitTableTests.swift.

import Testing

@testable import Observe

@Suite struct HistogramTests {
    fileprivate func histogram(_ values: some Sequence<UInt64>) -> Histogram {
        values.reduce(into: Histogram()) { $0.record($1) }
    }

    @Test func nothingIsZero() {
        let empty = Histogram()
        #expect((empty.count, empty.total, empty.smallest, empty.largest) == (0, 0, 0, 0))
        #expect(empty.percentile(0.5) == 0)
    }

    /// Every power of two and its neighbours, and the ends: alone, a value is its own median, for extremes are exact; among
    /// others it may be 0.8 % off.
    @Test func aValueKeepsItsPlace() {
        let values = (0..<64).flatMap { shift in [-1, 0, 1].map { (1 as UInt64) << shift &+ UInt64(bitPattern: $0) } }
        for value in values + [.max, .max - 1, 3 << 40 + 7] {
            #expect(histogram([value]).percentile(0.5) == value)
            let median = histogram([0, value, .max]).percentile(0.5)
            #expect(abs(Double(median) - Double(value)) <= Double(value) * 0.008, "\(value) became \(median)")
        }
    }

    @Test func smallValuesAreExact() {
        for value in 0..<128 as Range<UInt64> { #expect(histogram([0, value, 1000]).percentile(0.5) == value) }
    }

    @Test func percentilesAreWithinOnePercent() {
        var generator = SystemRandomNumberGenerator()
        let values = (0..<20000).map { _ in generator.next() >> UInt64.random(in: 10..<60) }
        let (sorted, all) = (values.sorted(), histogram(values))
        for part in [0.001, 0.5, 0.9, 0.99, 0.999, 1] {
            let exact = Double(sorted[Int((part * 20000).rounded(.up)) - 1])
            #expect(abs(Double(all.percentile(part)) - exact) <= exact * 0.01)
        }
        #expect((all.smallest, all.largest, all.count) == (sorted[0], sorted[19999], 20000))
        #expect(all.total == values.reduce(0, &+))
    }

    @Test func nearestRank() {
        let hundred = histogram(1...100)
        #expect([0.5, 0.9, 0.99, 1].map { hundred.percentile($0) } == [50, 90, 99, 100])
        #expect(hundred.percentile(0) == 1)
    }

    /// Totals wrap and nothing traps: the values are a guest's doing.
    @Test func overflowIsNoTrap() {
        #expect(histogram([.max, .max]).total == UInt64.max - 1)
    }
}

extension HistogramTests {
    @Test func twoTogetherAreAsIfOneHadSeenAll() {
        let (some, others): ([UInt64], [UInt64]) = ([3, 900, 5], [1, 1 << 40])
        var sum = histogram(some)
        sum.add(histogram(others))
        #expect(sum == histogram(some + others))
        sum.add(Histogram())
        #expect(sum == histogram(some + others))
        var empty = Histogram()
        empty.add(sum)
        #expect(empty == sum)
    }
}
