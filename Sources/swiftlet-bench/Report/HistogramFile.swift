// `--hgrm`: HdrHistogram's percentile output, which its plotter and others read (hdrhistogram.github.io/HdrHistogram).
//
// Three significant digits. Values are recorded in thousandths, because a batch's mean may be a few nanoseconds. Its readers
// pass over lines with a "#". Read next: SVG.swift.

import Histogram

/// The percentile distribution of samples in their own unit, which a comment at the end names.
func histogramText(_ samples: [Double], unit: Unit, comments: [String] = []) -> String {
    var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    for sample in samples { histogram.record(UInt64((max(0, sample) * scale).rounded())) }
    var text = CSV.lines(comments)
    // A guest's stamp may be taken before the host's that it is compared with: lateness can be negative.
    let negative = samples.count { $0 < 0 }
    if negative > 0 { text += "# \(negative) of \(samples.count) samples are below zero: here they are 0\n" }
    histogram.outputPercentileDistribution(
        to: &text, outputValueUnitScalingRatio: scale, percentileTicksPerHalfDistance: 5)
    return text + "#[Unit    = \(unit.rawValue)]\n"
}

private let scale = 1000.0
