// Percentiles and ratios against numbers worked out by hand.
//
// Read next: EnvironmentTests.swift.

import Foundation
import Testing

@testable import Measure

@Suite struct DistributionTests {
    @Test func nothingIsNoDistribution() {
        #expect(Distribution([]) == nil)
        #expect(percentile(0.5, ofSorted: []) == 0)
    }

    @Test func oneSampleIsEveryPercentile() throws {
        let one = try #require(Distribution([7]))
        #expect((one.n, one.min, one.p50, one.p99, one.max) == (1, 7, 7, 7, 7))
    }

    @Test func percentilesAreSamplesByNearestRank() throws {
        let hundred = try #require(Distribution((1...100).map(Double.init).shuffled()))
        #expect((hundred.n, hundred.min, hundred.p50, hundred.p90) == (100, 1, 50, 90))
        #expect((hundred.p99, hundred.max) == (99, 100))
    }

    @Test func oneOutlierMovesOnlyTheMaximum() throws {
        let disturbed = try #require(Distribution([Double](repeating: 10, count: 199) + [1e9]))
        #expect((disturbed.p50, disturbed.p99, disturbed.max) == (10, 10, 1e9))
    }

    @Test func aStepOfTheClockIsNoOutlier() throws {
        // 90 samples of 100 ns, ten that are a step longer, one that is far off.
        let samples = [Double](repeating: 100, count: 90) + [Double](repeating: 110, count: 9) + [141]
        #expect(try #require(Distribution(samples)).outliers == 10)
        #expect(try #require(Distribution(samples, step: 10)).outliers == 1)
    }

    @Test func whereMoreIsBetterTheTailIsTheLowEnd() throws {
        let samples = (1...1000).map(Double.init)
        let all = try #require(Distribution(samples + [-5000, 9000], lowTail: true))
        #expect((all.p01, all.p1, all.outliers) == (1, 10, 1))
    }

    @Test func whatAFileSaysMayBeUnsound() throws {
        let sound = try #require(Distribution([1, 2, 3]))
        #expect(sound.isSound)
        let text = String(decoding: try JSONEncoder().encode(sound), as: UTF8.self)
        for (right, wrong) in [
            ("\"n\":3", "\"n\":0"), ("\"max\":3", "\"max\":1"), ("\"outliers\":0", "\"outliers\":4"),
        ] {
            let changed = text.replacingOccurrences(of: right, with: wrong)
            #expect(changed != text)
            #expect(!(try JSONDecoder().decode(Distribution.self, from: Data(changed.utf8))).isSound)
        }
    }

    @Test(arguments: [(0.0, 1.0), (0.25, 1.0), (0.26, 2.0), (0.75, 3.0), (1.0, 4.0)])
    func rank(part: Double, value: Double) {
        #expect(percentile(part, ofSorted: [1, 2, 3, 4]) == value)
    }
}

@Suite struct RatioTests {
    @Test func noPairIsNoRatio() {
        #expect(Ratio(of: [], to: []) == nil)
        #expect(Ratio(of: [1, 2], to: []) == nil)
        #expect(Ratio(of: [1, 2], to: [1, 0]) == nil && Ratio(of: [0], to: [0]) == nil)
    }

    @Test func driftCancels() throws {
        // The machine gets ten times slower half-way; the ratio stays.
        let reference = [Double](repeating: 100, count: 10) + [Double](repeating: 1000, count: 10)
        let ratio = try #require(Ratio(of: reference.map { $0 * 1.1 }, to: reference))
        #expect(ratio.n == 20)
        #expect(abs(ratio.median - 1.1) < 1e-9 && abs(ratio.low - 1.1) < 1e-9 && abs(ratio.high - 1.1) < 1e-9)
    }

    @Test func medianOfAnEvenNumber() throws {
        #expect(try #require(Ratio(of: [1, 2, 3, 4], to: [1, 1, 1, 1])).median == 2.5)
    }

    /// Binomial table for p = 1/2: with ten pairs the second to the ninth are 97.9 %, with six all of them 96.9 %.
    @Test(arguments: [(1, 0), (5, 0), (6, 0), (8, 0), (9, 1), (10, 1), (20, 5), (100, 39)])
    func ranksOutsideAsInTables(n: Int, outside: Int) {
        #expect(Ratio.ranksOutside(n) == outside)
    }

    @Test func approximationContinuesTheExactRanks() {
        #expect(abs(Ratio.ranksOutside(1001) - Ratio.ranksOutside(1000)) <= 1)
        #expect(Ratio.ranksOutside(1000) == 468)
    }

    @Test func intervalIsInsideTheRatios() throws {
        let ratio = try #require(Ratio(of: (1...10).map(Double.init), to: [Double](repeating: 1, count: 10)))
        #expect((ratio.low, ratio.median, ratio.high) == (2, 5.5, 9))
    }
}
