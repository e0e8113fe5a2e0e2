// SVG, written by hand: lines, boxes, curves and words are all that a plot needs, and any browser or paper takes it.
//
// SVG 1.1, sections 8 to 10. Read next: ../swiftlet-inspect/Inspect.swift.

import Host

/// Elements of a picture, in the order of painting. Coordinates are in pixels, y downwards.
public struct SVG {
    public typealias Point = (x: Double, y: Double)

    public private(set) var elements = ""

    public init() {}

    public enum Anchor: String, Sendable { case start, middle, end }

    public mutating func line(_ from: Point, _ to: Point, _ color: String, width: Double = 1) {
        elements +=
            "<line x1=\"\(n(from.x))\" y1=\"\(n(from.y))\" x2=\"\(n(to.x))\" y2=\"\(n(to.y))\" stroke=\"\(color)\" "
            + "stroke-width=\"\(n(width))\"/>\n"
    }

    public mutating func box(_ from: Point, _ to: Point, fill: String, stroke: String = "none") {
        elements +=
            "<rect x=\"\(n(from.x))\" y=\"\(n(from.y))\" width=\"\(n(to.x - from.x))\" height=\"\(n(to.y - from.y))\" "
            + "fill=\"\(fill)\" stroke=\"\(stroke)\"/>\n"
    }

    public mutating func dot(_ center: Point, radius: Double, fill: String, stroke: String) {
        elements +=
            "<circle cx=\"\(n(center.x))\" cy=\"\(n(center.y))\" r=\"\(n(radius))\" fill=\"\(fill)\" "
            + "stroke=\"\(stroke)\" stroke-width=\"1.5\"/>\n"
    }

    /// A polyline, dashed where `dashes` says so.
    public mutating func curve(_ points: [Point], _ color: String, dashes: String = "") {
        if points.isEmpty { return }
        let path = points.map { "\(n($0.x)),\(n($0.y))" }.joined(separator: " ")
        let dashed = dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\""
        elements +=
            "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.6\" "
            + "stroke-linejoin=\"round\"\(dashed)/>\n"
    }

    /// An area, nearly transparent, so that those behind it stay visible.
    public mutating func area(_ points: [Point], _ color: String) {
        if points.isEmpty { return }
        let path = points.map { "\(n($0.x)),\(n($0.y))" }.joined(separator: " ")
        elements += "<polygon points=\"\(path)\" fill=\"\(color)\" fill-opacity=\"0.12\" stroke=\"none\"/>\n"
    }

    public mutating func words(
        _ text: String, _ at: Point, size: Double = 12, anchor: Anchor = .start, color: String = "#222222",
        bold: Bool = false, turned: Bool = false
    ) {
        let weight = bold ? " font-weight=\"bold\"" : ""
        let turn = turned ? " transform=\"rotate(-90 \(n(at.x)) \(n(at.y)))\"" : ""
        elements +=
            "<text x=\"\(n(at.x))\" y=\"\(n(at.y))\" font-size=\"\(n(size))\" text-anchor=\"\(anchor.rawValue)\" "
            + "fill=\"\(color)\"\(weight)\(turn)>\(Self.escaped(text))</text>\n"
    }

    /// The whole file, on white: a paper has no dark mode.
    public func document(width: Double, height: Double, title: String) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <svg xmlns="http://www.w3.org/2000/svg" width="\(n(width))" height="\(n(height))" \
        viewBox="0 0 \(n(width)) \(n(height))" font-family="DejaVu Sans, Verdana, Helvetica, Arial, sans-serif">
        <title>\(Self.escaped(title))</title>
        <rect width="100%" height="100%" fill="#ffffff"/>
        \(elements)</svg>

        """
    }

    /// What XML takes, and nothing that a row's note may have brought along.
    public static func escaped(_ text: String) -> String {
        printable(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// A wide guess: no font is at hand here, and the reader's may be another.
    public static func width(_ text: String, size: Double = 12) -> Double { Double(text.count) * size * 0.62 }

    private func n(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let (whole, rest) = (abs(tenths) / 10, abs(tenths) % 10)
        return (tenths < 0 ? "-" : "") + (rest == 0 ? "\(whole)" : "\(whole).\(rest)")
    }
}
