// Numbers for people: three digits and a unit; and for programs: plain decimals.
//
// Read next: ReportTable.swift.

import Measure
import Subcommand

/// A number with that many digits behind the point.
func decimal(_ value: Double, _ digits: Int) -> String {
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    // Infinite, not a number, or too large: as it is.
    guard let scaled = Int(exactly: (abs(value) * Double(scale)).rounded()) else { return "\(value)" }
    let fraction = String(scaled % scale)
    let sign = value < 0 && scaled != 0 ? "-" : ""
    if digits == 0 { return "\(sign)\(scaled)" }
    return "\(sign)\(scaled / scale).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
}

/// "28.6 us": in the unit that reads well.
func quantity(_ value: Double, _ unit: Unit) -> String {
    switch unit {
    case .nanoseconds:
        let steps: [(Double, String)] = [(1e9, "s"), (1e6, "ms"), (1e3, "us")]
        for (size, name) in steps where abs(value) >= size * 0.9995 { return "\(threeDigits(value / size)) \(name)" }
        return "\(threeDigits(value)) ns"
    case .mebibytesPerSecond:
        return abs(value) >= 1023.5 ? "\(threeDigits(value / 1024)) GiB/s" : "\(threeDigits(value)) MiB/s"
    case .kibibytes: return abs(value) >= 1023.5 ? "\(threeDigits(value / 1024)) MiB" : "\(threeDigits(value)) KiB"
    case .count: return value == value.rounded() ? decimal(value, 0) : threeDigits(value)
    }
}

/// "4.80", "28.6", "317"
func threeDigits(_ value: Double) -> String {
    switch abs(value) {
    case ..<9.995: decimal(value, 2)
    case ..<99.95: decimal(value, 1)
    default: decimal(value, 0)
    }
}

/// "24.9-25.3 us": where a figure lies.
func rangeText(_ interval: Interval, _ unit: Unit) -> String {
    let (low, high) = (quantity(interval.low, unit), quantity(interval.high, unit))
    let (lowWords, highWords) = (low.split(separator: " "), high.split(separator: " "))
    // The unit once, where it is the same.
    let isSame = lowWords.count == 2 && lowWords.last == highWords.last
    return "\(isSame ? String(lowWords[0]) : low)\(dash(interval))\(high)"
}

/// Between the ends of an interval: none can be mistaken for a sign.
private func dash(_ interval: Interval) -> String { interval.low < 0 ? " to " : "-" }

/// A ratio with its interval: "4.799 (4.793-4.803)", to a thousandth where the ratio has that much meaning.
func ratioText(_ ratio: Interval) -> String {
    let digits =
        switch abs(ratio.median) {
        case ..<0.1: 4
        case ..<10: 3
        case ..<100: 2
        case ..<1000: 1
        default: 0
        }
    return
        "\(decimal(ratio.median, digits)) (\(decimal(ratio.low, digits))\(dash(ratio))\(decimal(ratio.high, digits)))"
}

/// A number for a program: no exponent, no unit, no more digits than it has.
func plain(_ value: Double) -> String {
    if !value.isFinite { return "" }
    if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
    let text = "\(value)"
    return text.contains("e") ? decimal(value, 12) : text
}
