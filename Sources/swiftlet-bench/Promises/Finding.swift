// What a benchmark found: samples of both sides, the ratio, the promise and whether it is kept.
//
// Read next: PromiseReport.swift.

import Measure
import Subcommand

/// One line of a promise and what became of it.
struct Finding: Encodable {
    /// One side's samples.
    struct Side: Encodable {
        var name: String
        var samples: Distribution
        /// Every sample, in the order in which it was taken.
        var raw: [Double]

        /// Nil without a sample. `scale` brings samples to the finding's unit.
        init?(_ name: String, _ samples: [Double], scale: Double = 1) {
            let scaled = samples.map { $0 * scale }
            guard let distribution = Distribution(scaled) else { return nil }
            self.name = name
            self.samples = distribution
            raw = scaled
        }
    }

    /// What is promised of `measured`, and what became of it.
    struct Promise: Encodable {
        enum Verdict: String, Encodable {
            case kept
            case missed
            /// The limit lies within the confidence interval: the host is too noisy to tell.
            case undecided
        }

        var words: String
        var limit: Double
        var measured: Double
        var verdict: Verdict

        /// `interval` is the confidence interval of `measured`, if it has one: kept or missed is what all of it says.
        init(words: String, limit: Double, measured: Double?, interval: Interval? = nil) {
            let measured = measured ?? .greatestFiniteMagnitude
            self.words = words
            self.limit = limit
            self.measured = measured
            let (low, high) = (interval?.low ?? measured, interval?.high ?? measured)
            verdict = high <= limit ? .kept : low > limit ? .missed : .undecided
        }
    }

    var benchmark: String
    var what: String
    var unit: String
    var sides: [Side]
    var ratio: Ratio?
    var promise: Promise?

    /// A comparison with a promise about the ratio.
    init(
        _ benchmark: String, _ what: String, unit: String, scale: Double = 1, _ contest: Contest,
        sides: (String, String) = ("swiftlet", "twin"), limit: Double
    ) {
        self.benchmark = benchmark
        self.what = what
        self.unit = unit
        self.sides = [
            Side(sides.0, contest.subject, scale: scale), Side(sides.1, contest.reference, scale: scale),
        ].compactMap(\.self)
        ratio = contest.ratio
        promise = Promise(
            words: "at most \(decimal(limit, 2)) times \(sides.1)", limit: limit, measured: contest.ratio?.median,
            interval: contest.ratio)
    }

    init(_ benchmark: String, _ what: String, unit: String, sides: [Side?], promise: Promise?) {
        self.benchmark = benchmark
        self.what = what
        self.unit = unit
        self.sides = sides.compactMap(\.self)
        self.promise = promise
    }
}

extension Finding {
    /// A paragraph with a table.
    var text: String {
        var table = Table(.left, .right, .right, .right, .right, .right, .right)
        table.add("", "n", "min", "p50", "p90", "p99", "max")
        for side in sides {
            let s = side.samples
            let digits = s.p50 < 100 ? 2 : s.p50 < 10_000 ? 1 : 0
            table.add(
                side.name, "\(s.n)", decimal(s.min, digits), decimal(s.p50, digits), decimal(s.p90, digits),
                decimal(s.p99, digits), decimal(s.max, digits))
        }
        var lines = ["\(benchmark): \(what), \(unit)"] + table.lines()
        if let ratio {
            lines.append(
                "  ratio \(decimal(ratio.median, 3)), with 95 % confidence \(decimal(ratio.low, 3)) to "
                    + "\(decimal(ratio.high, 3)) (\(ratio.n) pairs)")
        }
        if let promise { lines.append("  promise: \(promise.words): \(promise.outcome)") }
        return lines.joined(separator: "\n") + "\n\n"
    }
}

extension Finding.Promise {
    fileprivate var outcome: String {
        let figure = decimal(measured, abs(measured) < 10 ? 3 : 1)
        return switch verdict {
        case .kept: "kept (\(figure))"
        case .missed: "NOT KEPT (\(figure))"
        case .undecided: "undecided (\(figure)), this host is too noisy: try --repeats 200"
        }
    }
}
