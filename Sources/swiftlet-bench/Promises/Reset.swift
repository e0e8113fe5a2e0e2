// Reset: a pool's call into a guest that writes 10 pages, beside the C twin's reset loop.
//
// A sample is the median of a hundred calls, of a pool or a twin that was made for it: the layout of one machine's memory
// would be in all samples otherwise. Read next: Leaks.swift.

import Measure
import Snapshot
import Subcommand

extension Promises {
    func reset(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let limit = 1.1
        try workshop.checkGreeting(.swiftlet)
        let path = try SnapshotFiles(workshop).path("touch-pages", 10)
        let contest = try Contest(
            pairs: repeats ?? 30, limit: limit,
            subject: { () throws(SubcommandError) in try Self.poolMedian(path) },
            reference: { () throws(SubcommandError) in
                let text = try workshop.output(workshop.cProgram("reset"), [path, "discard", "100", "10"])
                return try Self.median(text.split(separator: "\n").compactMap { Double($0) })
            })
        return [
            Finding(
                "reset", "run of a clone that writes 10 pages, and its reset (medians of 100)", unit: "us",
                scale: 1e-3, contest, limit: limit)
        ] + (try leaks(path))
    }

    private static func poolMedian(_ path: String) throws(SubcommandError) -> Double {
        let times: [Double]
        do throws(SnapshotError) { times = try TouchingPool(path).times(100, warmUps: 10) } catch {
            throw SubcommandError("bench: reset: \(error.message)")
        }
        return try median(times)
    }

    private static func median(_ samples: [Double]) throws(SubcommandError) -> Double {
        if samples.isEmpty { throw SubcommandError("bench: reset: no samples") }
        return percentile(0.5, ofSorted: samples.sorted())
    }
}
