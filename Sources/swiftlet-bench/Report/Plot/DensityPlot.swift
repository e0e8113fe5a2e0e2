// The distribution of one operation's samples: where they lie, and how many modes there are. A percentile hides that.
//
// Read next: Pictures.swift.

import Glibc
import Measure
import Subcommand

enum DensityPlot {
    static func svg(_ title: String, _ curves: [Curve], _ report: Report) -> String {
        let unit = curves.first?.unit ?? .nanoseconds
        let beside = (curves.map { SVG.width($0.name, size: 11) }.max() ?? 0) + 56
        var figure = Figure("\(title): distribution", report, height: curves.frameHeight, beside: beside)
        let x = LogScale(curves.flatMap(visible), pixels: (figure.left, figure.right))
        let all = curves.map { shares($0.sorted, x, bins: bins(curves, x)) }
        let highest = all.joined().max() ?? 1
        func y(_ share: Double) -> Double { figure.bottom - share / highest * (figure.bottom - figure.top - 8) }
        figure.xAxis(
            x.ticks.map { (x($0), tickLabel($0, unit)) },
            "\(unit.kind), logarithmic; what is beyond each row's p99 is not shown")
        figure.yAxis(ticks(highest).map { (y($0), "\(tickLabel($0 * 100, .count)) %") }, "share of samples in a bin")
        for (index, shares) in all.enumerated() {
            let style = Style(index)
            let points = outline(shares, x, y)
            figure.svg.area(points, style.color)
            figure.svg.curve(points, style.color, dashes: style.dashes)
        }
        figure.frame()
        figure.legend(curves.map(\.name))
        return figure.document()
    }

    /// The ends of what is shown: one slow sample in a hundred would squeeze all others into a corner.
    private static func visible(_ curve: Curve) -> [Double] {
        [curve.sorted.first ?? 1, percentile(0.99, ofSorted: curve.sorted)]
    }

    /// Each as wide on the axis as the next: some two pixels, but two steps of the clock at least, or a comb would show.
    private static func bins(_ curves: [Curve], _ x: LogScale) -> Int {
        let steps = curves.compactMap { curve -> Double? in
            let gaps = zip(curve.sorted.dropFirst(), curve.sorted).map { $0 - $1 }.filter { $0 > 0 }
            return gaps.min().map { $0 / percentile(0.5, ofSorted: curve.sorted) }
        }
        guard let step = steps.filter(\.isFinite).min(), step > 0 else { return 240 }
        return Int(min(240, max(40, log(x.high / x.low) / (2 * step))))
    }

    private static func shares(_ samples: [Double], _ x: LogScale, bins: Int) -> [Double] {
        var counts = [Double](repeating: 0, count: bins)
        for sample in samples where sample <= x.high {
            let part = (x(sample) - x.pixels.from) / (x.pixels.to - x.pixels.from)
            counts[min(Int(part * Double(bins)), bins - 1)] += 1
        }
        return counts.map { $0 / Double(max(samples.count, 1)) }
    }

    /// Steps, a bin each, from the first that is not empty to the last.
    private static func outline(_ shares: [Double], _ x: LogScale, _ y: (Double) -> Double) -> [SVG.Point] {
        guard let first = shares.firstIndex(where: { $0 > 0 }), let last = shares.lastIndex(where: { $0 > 0 }) else {
            return []
        }
        let width = (x.pixels.to - x.pixels.from) / Double(shares.count)
        func edge(_ bin: Int) -> Double { x.pixels.from + Double(bin) * width }
        let steps = (first...last).flatMap {
            [(edge($0), y(shares[$0])), (edge($0 + 1), y(shares[$0]))] as [SVG.Point]
        }
        return [(edge(first), y(0))] + steps + [(edge(last + 1), y(0))]
    }

    private static func ticks(_ highest: Double) -> [Double] {
        let steps = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]
        let step = steps.first { highest / $0 <= 6 } ?? 0.25
        return (0...6).map { Double($0) * step }.filter { $0 <= highest }
    }
}
