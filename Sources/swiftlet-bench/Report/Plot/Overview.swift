// The overview: a line for each row, from the fastest sample to the slowest, on one logarithmic axis.
//
// Read next: PercentilePlot.swift.

import Measure
import Subcommand

enum Overview {
    private static let lineHeight = 17.0

    /// Rows of one unit; nil when none of them has samples.
    static func picture(_ group: Group, _ unit: Unit, _ report: Report) -> Picture? {
        let operations = report.rows.filter { $0.group == group && $0.unit == unit && $0.isMeasured }.operations
        let samples = operations.flatMap(\.rows).compactMap { $0.total?.distribution }
        if samples.isEmpty { return nil }
        let lines = operations.reduce(0) { $0 + 1 + $1.rows.count }
        let headings = operations.map { SVG.width($0.what, size: 11.5) * 1.08 }.max() ?? 0  // bold is wider
        let names = operations.flatMap(\.rows).map { SVG.width($0.variant, size: 11) }.max() ?? 0
        let left = min(max(headings + 24, names + 40), 460)
        var figure = Figure(
            "\(group.rawValue): \(unit.kind)", report, width: left + 560, height: Double(lines) * lineHeight + 8,
            left: left,
            beside: 90)
        let scale = LogScale(samples.flatMap { [$0.min, $0.max] }, pixels: (figure.left + 4, figure.right - 4))
        figure.xAxis(scale.ticks.map { (scale($0), tickLabel($0, unit)) }, "\(unit.kind), logarithmic")
        var y = figure.top + 4 + lineHeight / 2
        for operation in operations {
            figure.svg.words(operation.what, (16, y + 4), size: 11.5, bold: true)
            y += lineHeight
            for row in operation.rows {
                if let distribution = row.total?.distribution { figure.draw(row, distribution, scale, y) }
                y += lineHeight
            }
        }
        figure.svg.words("median", (figure.width - 12, figure.top - 6), size: 11, anchor: .end)
        figure.frame()
        figure.key(unit)
        let name = "overview-\(group.rawValue)" + (unit == .nanoseconds ? "" : "-\(fileName(unit.rawValue))")
        return Picture(name: name, svg: figure.document(below: 76))
    }
}

extension Figure {
    /// Thin from the fastest to the slowest, thick from the median to p99, a ring at the median, a bar at p99.9; where more is
    /// better to p1 and at p0.1.
    fileprivate mutating func draw(_ row: ReportRow, _ distribution: Distribution, _ scale: LogScale, _ y: Double) {
        let color = row.place.color
        svg.words(row.variant, (28, y + 4), size: 11)
        svg.line((scale(distribution.min), y), (scale(distribution.max), y), color)
        let (tail, bar) = distribution.tail(row.unit)
        let ends = [scale(distribution.p50), scale(tail)].sorted()
        svg.box((ends[0], y - 3), (ends[1], y + 3), fill: color)
        svg.line((scale(bar), y - 4), (scale(bar), y + 4), color, width: 1.5)
        svg.dot((scale(distribution.p50), y), radius: 3.5, fill: "#ffffff", stroke: color)
        svg.words(quantity(distribution.p50, row.unit), (width - 12, y + 4), size: 11, anchor: .end)
    }

    /// What the marks mean, under the axis.
    fileprivate mutating func key(_ unit: Unit) {
        let y = bottom + 54
        var x = 16.0
        for place in [Place.guest, .kernel, .user, .host] {
            svg.box((x, y - 3), (x + 18, y + 3), fill: place.color)
            svg.words(place.rawValue, (x + 23, y + 4), size: 11)
            x += 36 + SVG.width(place.rawValue, size: 11)
        }
        let (tail, bar) = unit.moreIsBetter ? ("p1", "p0.1") : ("p99", "p99.9")
        svg.words("line: min to max; ring: median; box: median to \(tail); bar: \(bar)", (x + 8, y + 4), size: 11)
    }
}

extension Distribution {
    /// One sample in a hundred is beyond the first, one in a thousand beyond the second.
    fileprivate func tail(_ unit: Unit) -> (Double, Double) {
        unit.moreIsBetter ? (p1 ?? min, p01 ?? min) : (p99, p999)
    }
}

extension Place {
    fileprivate var color: String {
        switch self {
        case .guest: Style(2).color
        case .kernel: Style(0).color
        case .user: Style(1).color
        case .host: Style(7).color
        }
    }
}

extension Unit {
    /// What it is a unit of.
    var kind: String {
        switch self {
        case .nanoseconds: "time"
        case .mebibytesPerSecond: "MiB/s"
        case .count: "number"
        case .kibibytes: "KiB"
        }
    }
}
