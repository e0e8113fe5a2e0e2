// Two things that take turns, and the ratio that comes of it.
//
// A pair is a run of each, in alternating order, so that neither always has the warmer cache. While the pairs do not tell
// whether a promise is kept (its limit lies within the interval), as many again are run, up to four times.
// Read next: Finding.swift.

import Measure
import Subcommand

struct Contest {
    typealias Sample = () throws(SubcommandError) -> Double

    private(set) var subject: [Double] = []
    private(set) var reference: [Double] = []
    /// Pairs run but not counted: they bring files into the page cache.
    private static let warmUps = 2
    private static let rounds = 4

    /// Runs `pairs` pairs, and more if the ratio's promise of at most `limit` is undecided.
    init(pairs: Int, limit: Double, subject a: Sample, reference b: Sample) throws(SubcommandError) {
        for _ in 0..<Self.warmUps { _ = (try a(), try b()) }
        for _ in 0..<Self.rounds {
            for pair in 0..<pairs { try run(pair, a, b) }
            guard let ratio, ratio.low <= limit, ratio.high > limit else { return }
        }
    }

    private mutating func run(_ pair: Int, _ a: Sample, _ b: Sample) throws(SubcommandError) {
        if pair % 2 == 0 { subject.append(try a()) }
        reference.append(try b())
        if pair % 2 == 1 { subject.append(try a()) }
    }

    var ratio: Ratio? { Ratio(of: subject, to: reference) }
}
