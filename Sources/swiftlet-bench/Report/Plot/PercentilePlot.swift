// Percentiles of one operation: a curve for each of its rows, the tail drawn out as HdrHistogram's plots do.
//
// Read next: DensityPlot.swift.

import Measure
import Subcommand

/// A row's samples, sorted.
struct Curve {
    let name: String
    let sorted: [Double]
    let unit: Unit
}

enum PercentilePlot {
    static func svg(_ title: String, _ curves: [Curve], _ report: Report) -> String {
        let unit = curves.first?.unit ?? .nanoseconds
        let beside = (curves.map { SVG.width($0.name, size: 11) }.max() ?? 0) + 56
        var figure = Figure("\(title): percentiles", report, height: curves.frameHeight, beside: beside)
        let x = PercentileScale(samples: curves.map(\.sorted.count).max() ?? 0, pixels: (figure.left, figure.right))
        let y = LogScale(
            curves.flatMap { [$0.sorted.first ?? 1, $0.sorted.last ?? 1] }, pixels: (figure.bottom, figure.top))
        figure.yAxis(y.ticks.map { (y($0), tickLabel($0, unit)) }, "\(unit.kind), logarithmic")
        figure.xAxis(PercentileScale.ticks.filter { $0.0 <= x.last + 1e-9 }.map { (x($0.0), $0.1) }, "percentile")
        for (index, curve) in curves.enumerated() {
            let points = x.parts(300).filter { $0 <= 1 - 1 / Double(max(curve.sorted.count, 2)) + 1e-12 }.map { part in
                (x: x(part), y: y(percentile(part, ofSorted: curve.sorted)))
            }
            let style = Style(index)
            figure.svg.curve(points, style.color, dashes: style.dashes)
        }
        figure.frame()
        figure.legend(curves.map(\.name))
        return figure.document()
    }
}

extension [Curve] {
    /// Tall enough for the legend.
    var frameHeight: Double { Swift.max(320, Double(count) * 17 + 16) }
}
