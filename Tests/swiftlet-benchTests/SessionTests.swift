// The session: what fails once is taken again, what fails for ever is a failed row, what a host cannot do is no failure.
//
// Read next: Report/SubmissionTests.swift.

import Synchronization
import Testing

@testable import swiftlet_bench

@Suite struct SessionTests {
    /// Fails at the given attempts, counted from 0.
    private final class FlakyExperiment: Experiment, Sendable {
        let subject = Subject(.exits, "moody", "a moody one", "ring3", .user)
        let failures: Set<Int>
        let error: ExperimentError
        let attempts = Atomic<Int>(0)

        init(failsAt failures: Set<Int>, _ error: ExperimentError = .failed("a bad day")) {
            self.failures = failures
            self.error = error
        }

        func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
            let attempt = attempts.wrappingAdd(1, ordering: .relaxed).oldValue
            if failures.contains(attempt) { throw error }
            return Samples(total: [Double](repeating: 7, count: amount.samples))
        }
    }

    private func row(_ experiment: FlakyExperiment, repeats: Int = 4) -> Row {
        var session = Session([experiment], repeats: repeats, amount: Amount(samples: 3, warmUps: 0))
        session.run(floor: { 2 }, tell: { _, _, _ in })
        return session.rows[0]
    }

    @Test func whatFailsOnceIsTakenAgain() {
        let row = row(FlakyExperiment(failsAt: [0, 2, 3]))
        #expect(row.failed == nil && row.unavailable == nil)
        #expect(row.repeats().count == 4 && row.floors == [2, 2, 2, 2])
        #expect(row.note == "3 repeats failed and were taken again")
    }

    @Test func whatFailsThreeTimesInARowIsAFailedRow() {
        let experiment = FlakyExperiment(failsAt: [1, 2, 3])
        #expect(row(experiment).failed == "a bad day")
        #expect(experiment.attempts.load(ordering: .relaxed) == 4, "and is not tried in later repeats")
    }

    @Test func whatAHostCannotDoIsAskedOnce() {
        let experiment = FlakyExperiment(failsAt: Set(0..<100), .unavailable("no such thing"))
        #expect(row(experiment).unavailable == "no such thing")
        #expect(experiment.attempts.load(ordering: .relaxed) == 1)
    }

    @Test func whatWorkedAndThenDoesNotHasFailed() {
        #expect(row(FlakyExperiment(failsAt: [1, 2, 3], .unavailable("suddenly"))).failed == "suddenly")
    }

    /// Gives so many samples, and remembers in which repeat.
    private final class Sparing: Experiment, Sendable {
        let subject = Subject(.exits, "sparing", "few", "ring3", .user)
        let counts: [Int]
        let turns = Mutex<[Int]>([])

        init(_ counts: [Int]) { self.counts = counts }

        func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
            turns.withLock { $0.append(amount.turn) }
            return Samples(total: [Double](repeating: 7, count: counts[amount.turn]))
        }
    }

    private func row(_ counts: [Int]) -> (Row, turns: [Int]) {
        let experiment = Sparing(counts)
        var session = Session([experiment], repeats: counts.count, amount: Amount(samples: 3, warmUps: 0))
        session.run(floor: { 2 }, tell: { _, _, _ in })
        return (session.rows[0], experiment.turns.withLock { $0 })
    }

    @Test func noSamplesAreNoMeasurement() {
        let (row, turns) = row([3, 0])
        #expect(row.failed == "it gave no samples")
        #expect(turns == [0, 1, 1, 1], "each attempt knows its repeat")
    }

    @Test func aRowThatTakesFewerSaysSo() {
        #expect(row([3, 3]).0.note == nil)
        #expect(row([2, 2]).0.note == "2 of 3 samples in each repeat")
        #expect(row([3, 1]).0.note == "1 to 3 of 3 samples in each repeat")
    }

    /// What several rows share was taken again for all of them.
    @Test func sharedRunsThatWereTakenAgainAreCounted() {
        var row = Row(Subject(.startup, "x", "x", "x", .host))
        var samples = Samples(total: [1])
        samples.repetitions = 2
        row.add(samples, floor: nil)
        #expect(row.note == "2 repeats failed and were taken again")
    }
}
