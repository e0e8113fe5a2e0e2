// What all plots share: title, stamps, a frame with axes and grid, a legend, and where it was measured in small print.
//
// Read next: Overview.swift, PercentilePlot.swift, DensityPlot.swift.

import Subcommand

/// A plot in the making.
struct Figure {
    var svg = SVG()
    /// The frame.
    let left: Double
    let right: Double
    let top: Double
    let bottom: Double
    let width: Double
    private let title: String
    private let report: Report

    /// A frame of `height` pixels; `left` pixels are for what stands before it, `beside` for what stands behind it.
    init(_ title: String, _ report: Report, width: Double = 820, height: Double, left: Double = 78, beside: Double) {
        self.title = title
        self.report = report
        self.width = width
        self.left = left
        right = width - beside
        let stamps = report.stamps
        top = 46 + Double(stamps.count) * 16
        bottom = top + height
        svg.words(title, (16, 26), size: 16, bold: true)
        for (index, stamp) in stamps.enumerated() {
            svg.words(stamp, (16, 44 + Double(index) * 16), size: 11, color: "#b00020", bold: true)
        }
    }

    /// Vertical grid lines with their labels below.
    mutating func xAxis(_ ticks: [(at: Double, label: String)], _ name: String) {
        var free = -Double.infinity
        for tick in ticks {
            svg.line((tick.at, top), (tick.at, bottom), "#e3e3e3")
            let half = SVG.width(tick.label, size: 11) / 2
            if tick.at - half < free { continue }
            svg.words(tick.label, (tick.at, bottom + 16), size: 11, anchor: .middle)
            free = tick.at + half + 4
        }
        svg.words(name, ((left + right) / 2, bottom + 34), anchor: .middle)
    }

    /// Horizontal grid lines with their labels on the left.
    mutating func yAxis(_ ticks: [(at: Double, label: String)], _ name: String) {
        var free = Double.infinity
        for tick in ticks {
            svg.line((left, tick.at), (right, tick.at), "#e3e3e3")
            if tick.at + 4 > free { continue }
            svg.words(tick.label, (left - 6, tick.at + 4), size: 11, anchor: .end)
            free = tick.at - 9
        }
        svg.words(name, (16, (top + bottom) / 2), anchor: .middle, turned: true)
    }

    mutating func frame() { svg.box((left, top), (right, bottom), fill: "none", stroke: "#555555") }

    /// Right of the frame.
    mutating func legend(_ entries: [String]) {
        for (index, entry) in entries.enumerated() {
            let y = top + 10 + Double(index) * 17
            let style = Style(index)
            svg.curve([(right + 12, y), (right + 36, y)], style.color, dashes: style.dashes)
            svg.words(entry, (right + 42, y + 4), size: 11)
        }
    }

    /// The file. The small print begins `below` pixels under the frame.
    func document(below: Double = 56) -> String {
        var svg = svg
        var y = bottom + below
        for line in Self.wrapped(report.origin, width: width - 32, size: 9) {
            svg.words(line, (16, y), size: 9, color: "#666666")
            y += 12
        }
        return svg.document(width: width, height: y + 2, title: title)
    }

    static func wrapped(_ text: String, width: Double, size: Double) -> [String] {
        var lines: [String] = [""]
        for word in text.split(separator: " ") {
            let longer = lines[lines.count - 1] + (lines[lines.count - 1].isEmpty ? "" : " ") + word
            if SVG.width(longer, size: size) > width, !lines[lines.count - 1].isEmpty {
                lines.append(String(word))
            } else {
                lines[lines.count - 1] = longer
            }
        }
        return lines
    }
}

/// Colours that people with any kind of colour vision tell apart (Okabe and Ito), then the same again, dashed.
struct Style {
    private static let colors = [
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a8a8a",
    ]
    let color: String
    let dashes: String

    init(_ index: Int) {
        color = Self.colors[index % Self.colors.count]
        dashes = ["", "6 3", "2 2", "8 2 2 2"][index / Self.colors.count % 4]
    }
}
