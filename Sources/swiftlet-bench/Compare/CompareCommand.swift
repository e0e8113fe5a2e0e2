// `swiftlet bench compare A.json B.json`: what changed, for people and for CI.
//
// Read next: ../Results/SubmitCommand.swift.

import ArgumentParser
import Host
import Measure
import Subcommand

struct CompareCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "What changed between two reports, with confidence.",
        usage: "swiftlet bench compare [--threshold <percent>] [--absolute] [--agree <percent>] [--json] A.json B.json",
        discussion: """
            Each row's ratio to the bare KVM_RUN is compared, or its own figure with --absolute and where it has no ratio. \
            Both confidence intervals together tell between what the change lies. faster, slower: all of that is beyond the \
            threshold. same: all of it is within. undecided: anything else; more --repeats help.

            With --agree: do two reports of one host agree? At least nine of ten rows' ratios must be within that many \
            percent, and as many intervals must overlap. Reports with failed rows are refused.

            Exit status: 0 nothing got slower (or they agree); 1 something did with confidence, or failed in B only, \
            or cannot be done in B on an equal host (or they do not agree); 125 an error.
            """)

    @Option(help: ArgumentHelp("A smaller difference is none (2).", valueName: "percent"))
    var threshold = 2.0

    @Flag(help: "Compare times, not ratios: for reports of one host within one hour.")
    var absolute = false

    @Option(help: ArgumentHelp("Two reports of one host: do they agree?", valueName: "percent"))
    var agree: Double?

    @Flag(help: "One JSON object on standard output, for scripts.")
    var json = false

    @Argument(help: ArgumentHelp("The report before.", valueName: "A.json"))
    var before: String

    @Argument(help: ArgumentHelp("The report after.", valueName: "B.json"))
    var after: String

    func validate() throws {
        for percent in [threshold, agree ?? 1] where !(percent > 0 && percent < 1000) {
            throw ValidationError("\(percent) percent: above 0 and below 1000")
        }
    }

    func perform() throws(SubcommandError) -> Int32 {
        let (a, b) = (try readReport(before), try readReport(after))
        for (report, path) in [(a, before), (b, after)] where agree != nil {
            if let failure = report.failure { throw SubcommandError("bench: \(path): \(failure)") }
        }
        let comparison = Comparison(a, b, threshold: agree ?? threshold, absolute: absolute && agree == nil)
        if let agree {
            let agreement = Agreement(comparison, within: agree)
            try printResult(json ? try JSON.text(agreement) : comparison.text + agreement.text)
            return agreement.isGood ? 0 : 1
        }
        try printResult(json ? try JSON.text(comparison) : comparison.text)
        return comparison.isGood ? 0 : 1
    }
}

/// The report in a file that `--json` wrote.
func readReport(_ path: String) throws(SubcommandError) -> Report {
    try Report(json: try readFile(path, limit: reportLimit), name: "bench: \(path)")
}

/// Bytes: a hundred times what any report has. The raw samples of all rows, a million each, would be too many to read.
let reportLimit: UInt64 = 64 << 20
let samplesLimit: UInt64 = 1 << 30

/// All of a regular file of at most `limit` bytes.
func readFile(_ path: String, limit: UInt64) throws(SubcommandError) -> [UInt8] {
    do throws(HostError) {
        let file = try File.regular(path)
        let size = try file.size()
        if size <= limit { return try file.read(at: 0, Int(clamping: size)) }
    } catch { throw SubcommandError("bench: \(path): \(errnoText(error.errno))") }
    throw SubcommandError("bench: \(path): too large: more than \(bytes(limit))")
}

extension Comparison {
    var text: String {
        var text = differences.map { "note: another \($0.what): \(shown($0.a)) / \(shown($0.b))\n" }.joined()
        var table = Table(.left, .left, .right, .right, .right, .left)
        table.add("", "", "A", "B", "change", "")
        for row in rows {
            table.add(
                printable(row.id), row.figure == .floorRatio ? "x KVM_RUN" : "", row.figureText(row.a),
                row.figureText(row.b),
                row.change.text, row.verdict.rawValue)
        }
        text += table.lines(indent: 0).joined(separator: "\n") + "\n"
        text += onlyInA.map { "only in A: \(printable($0.id)) (B: \(printable($0.why)))\n" }.joined()
        text += onlyInB.map { "only in B: \(printable($0.id)) (A: \(printable($0.why)))\n" }.joined()
        let counts = [RowPair.Verdict.same, .faster, .slower, .undecided].map { "\(count($0)) \($0.rawValue)" }
        return text + "\(rows.count) rows: \(counts.joined(separator: ", "))\n"
    }

    private func shown(_ text: String) -> String { text.isEmpty ? "(none)" : printable(String(text.prefix(120))) }
}

extension RowPair {
    fileprivate func figureText(_ interval: Interval) -> String {
        if figure == .floorRatio { return ratioText(interval) }
        return "\(quantity(interval.median, unit)) (\(rangeText(interval, unit)))"
    }
}

extension Agreement {
    var text: String {
        var text = apart.map { "apart: \(printable($0))\n" }.joined()
        text += disjoint.map { "intervals do not overlap: \(printable($0))\n" }.joined()
        return text
            + "the intervals are \(threeDigits(width)) % wide in the middle, the widest \(threeDigits(widest)) %\n"
            + "\(close) of \(rows) rows are within \(decimal(limit, 1)) %, \(overlapping) of \(rows) intervals overlap: "
            + (isGood ? "they agree\n" : "they do NOT agree\n")
    }
}
