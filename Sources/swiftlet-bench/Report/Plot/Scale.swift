// From values to pixels: a logarithmic axis for times, the HDR axis for percentiles (0, 90, 99, 99.9 at equal distances).
//
// Read next: Figure.swift.

import Glibc
import Subcommand

/// A logarithmic axis.
struct LogScale {
    let low: Double
    let high: Double
    let pixels: (from: Double, to: Double)

    /// Room for all of them and a little more; what is not positive has no logarithm and lies at the edge.
    init(_ values: [Double], pixels: (from: Double, to: Double)) {
        let positive = values.filter { $0 > 0 && $0.isFinite }
        low = (positive.min() ?? 1) * 0.96
        high = max(positive.max() ?? 10, low * 1.05) * 1.04
        self.pixels = pixels
    }

    func callAsFunction(_ value: Double) -> Double {
        let part = log(max(value, low) / low) / log(high / low)
        return pixels.from + min(part, 1) * (pixels.to - pixels.from)
    }

    /// The value at a part of the axis, 0 to 1.
    func value(at part: Double) -> Double { low * exp(part * log(high / low)) }

    /// Round values within the axis: decades, 1-2-5, or equal steps where the axis is shorter than a decade.
    var ticks: [Double] {
        let decades = log10(high / low)
        if decades < 0.8 { return evenTicks }
        let factors = decades < 3 ? [1.0, 2, 5] : [1]
        var ticks: [Double] = []
        for exponent in Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up)) {
            ticks += factors.map { $0 * pow(10, Double(exponent)) }
        }
        return ticks.filter { $0 >= low && $0 <= high }
    }

    private var evenTicks: [Double] {
        let rough = (high - low) / 5
        let size = pow(10, log10(rough).rounded(.down))
        let step = ([1.0, 2, 5, 10].first { $0 * size >= rough } ?? 10) * size
        let first = (low / step).rounded(.up)
        return (0..<12).map { (first + Double($0)) * step }.filter { $0 <= high }
    }
}

/// The axis of HdrHistogram's plots: equal distances for 90 %, 99 %, 99.9 %, so that a tail has room.
struct PercentileScale {
    /// The highest part below 1 that there are samples for.
    let last: Double
    let pixels: (from: Double, to: Double)

    init(samples: Int, pixels: (from: Double, to: Double)) {
        last = 1 - 1 / Double(max(samples, 10))
        self.pixels = pixels
    }

    /// Of a part, 0 to 1.
    func callAsFunction(_ part: Double) -> Double {
        let place = log10(1 / (1 - min(part, last))) / log10(1 / (1 - last))
        return pixels.from + place * (pixels.to - pixels.from)
    }

    /// Parts, evenly on this axis.
    func parts(_ count: Int) -> [Double] {
        (0..<count).map { 1 - pow(1 - last, Double($0) / Double(count - 1)) }
    }

    static let ticks = [
        (0, "0"), (0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99"), (0.99999, "99.999"),
    ]
}

/// "2 us", "250 ns": as few digits as tell it.
func tickLabel(_ value: Double, _ unit: Unit) -> String {
    let steps: [(Double, String)] =
        switch unit {
        case .nanoseconds: [(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1, "ns")]
        case .mebibytesPerSecond, .count, .kibibytes: [(1, "")]  // the axis has the unit
        }
    let (size, name) = steps.first { value >= $0.0 * 0.9999 } ?? steps[steps.count - 1]
    var text = decimal(value / size, 3)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return name.isEmpty ? text : "\(text) \(name)"
}
