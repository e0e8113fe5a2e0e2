// The session: what fails once is taken again, what fails for ever is a failed row, what a host cannot do is no failure.
//
// Read next: Report/SubmissionTests.swift.

import Synchronization
import Testing

@testable import swiftlet_bench

@Suite struct SessionTests {
    /// Fails at the given attempts, counted from 0.
    private final class Moody: Experiment, Sendable {
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

    private func row(_ experiment: Moody, repeats: Int = 4) -> Row {
        var session = Session([experiment], repeats: repeats, amount: Amount(samples: 3, warmUps: 0))
        session.run(floor: { 2 }, tell: { _, _, _ in })
        return session.rows[0]
    }

    @Test func whatFailsOnceIsTakenAgain() {
        let row = row(Moody(failsAt: [0, 2, 3]))
        #expect(row.failed == nil && row.unavailable == nil)
        #expect(row.repeats().count == 4 && row.floors == [2, 2, 2, 2])
        #expect(row.note == "3 repeats failed and were taken again")
    }

    @Test func whatFailsThreeTimesInARowIsAFailedRow() {
        let experiment = Moody(failsAt: [1, 2, 3])
        #expect(row(experiment).failed == "a bad day")
        #expect(experiment.attempts.load(ordering: .relaxed) == 4, "and is not tried in later repeats")
    }

    @Test func whatAHostCannotDoIsAskedOnce() {
        let experiment = Moody(failsAt: Set(0..<100), .unavailable("no such thing"))
        #expect(row(experiment).unavailable == "no such thing")
        #expect(experiment.attempts.load(ordering: .relaxed) == 1)
    }

    @Test func whatWorkedAndThenDoesNotHasFailed() {
        #expect(row(Moody(failsAt: [1, 2, 3], .unavailable("suddenly"))).failed == "suddenly")
    }
}
