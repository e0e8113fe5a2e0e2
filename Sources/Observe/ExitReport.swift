// What a run's exits cost, as a table for people and as JSON for scripts (docs/stats.md).
//
// The table is recorded in TSC cycles; here they become time. Where the time in the guest ends and the kernel's begins no
// one can see from outside KVM_RUN: an exit with an empty guest, measured on the same host, tells what the kernel and the
// CPU need for one. Read next: TraceFile.swift.

/// A table, and what turns it into time.
public struct ExitReport: Sendable {
    let table: ExitTable
    /// TSC cycles a second; not 0.
    let frequency: Double
    /// Cycles of KVM_RUN for an exit with an empty guest; nil when it could not be measured.
    let emptyRun: UInt64?

    public init(_ table: ExitTable, frequency: UInt64, emptyRun: UInt64?) {
        self.table = table
        self.frequency = Double(max(frequency, 1))
        self.emptyRun = emptyRun
    }

    /// Of KVM_RUN's time, when the host ran something else: of a thread that is ready that is nearly always in KVM_RUN.
    var waited: UInt64 { UInt64(min(Double(table.run), Double(table.waited ?? 0) * frequency / 1e9)) }
    /// Of KVM_RUN's time, what entries and exits took: never more than is left.
    var kernel: UInt64? { emptyRun.map { min(table.run - waited, $0 &* table.exits) } }
    var guest: UInt64? { kernel.map { table.run - waited - $0 } }

    func nanoseconds(_ cycles: UInt64) -> UInt64 { UInt64((Double(cycles) * 1e9 / frequency).rounded()) }

    /// Exits with the most time first.
    private var lines: [ExitTable.Line] { table.lines.sorted { ($1.total, $0.name) < ($0.total, $1.name) } }
}

extension ExitReport {
    public var text: String {
        let all = max(1, table.run &+ table.handler)
        var text = "swiftlet: exits" + padded("KVM_RUN, us", 42) + padded("handler, us", 37) + "\n"
        text += padded("count  share       total       p50       p99       max", 72)
        text += padded("total       p50       p99       max", 41) + "\n"
        for line in lines {
            let share = Int((Double(line.total) * 1000 / Double(all)).rounded())
            text += "  \(title(line))" + padded("\(line.count)", max(1, 29 - title(line).utf8.count - 2))
            text += padded("\(share / 10).\(share % 10)%", 7) + columns(line.run) + columns(line.handler) + "\n"
        }
        return text + "swiftlet: time\n" + row("in the guest", guest)
            + row("entries and exits", kernel, about: emptyRun)
            + row("waiting for a CPU", table.waited.map { _ in waited })
            + row("handler", table.handler) + row("observing", table.observer)
    }

    private func title(_ line: ExitTable.Line) -> String {
        guard let detail = line.key.kind.detailName, line.key.kind != .call, line.key != .rest else { return line.name }
        return "\(line.name) \(detail == "errno" ? "\(line.key.detail)" : "0x" + String(line.key.detail, radix: 16))"
    }

    private func columns(_ histogram: Histogram) -> String {
        let values = [0.5, 0.99].map { histogram.percentile($0) } + [histogram.largest]
        return padded(microseconds(histogram.total), 12) + values.map { padded(microseconds($0), 10) }.joined()
    }

    private func row(_ name: String, _ cycles: UInt64?, about: UInt64? = nil) -> String {
        let value = cycles.map { microseconds($0) + " us" } ?? "not known"
        let how = about.map { ", at \(microseconds($0)) us each with an empty guest" } ?? ""
        return "  \(name)\(padded(value, 31 - name.utf8.count))\(how)\n"
    }

    /// "12.34"
    private func microseconds(_ cycles: UInt64) -> String {
        let hundredths = (nanoseconds(cycles) + 5) / 10
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

extension ExitReport {
    /// `"exits":[...],"time":{...}`, without the braces around.
    public var json: String {
        let exits = lines.map { line in
            let detail = line.key.kind.detailName.map { ",\"\($0)\":\"0x\(String(line.key.detail, radix: 16))\"" } ?? ""
            return "{\"kind\":\"\(line.key.kind.rawValue)\",\"name\":\"\(line.name)\"\(detail),\"count\":\(line.count)"
                + ",\"run_ns\":\(json(line.run)),\"handler_ns\":\(json(line.handler))}"
        }
        func number(_ cycles: UInt64?) -> String { cycles.map { "\(nanoseconds($0))" } ?? "null" }
        return "\"exits\":[\(exits.joined(separator: ","))],\"time\":{\"run_ns\":\(number(table.run))"
            + ",\"guest_ns\":\(number(guest)),\"kernel_ns\":\(number(kernel))"
            + ",\"waited_ns\":\(table.waited.map { "\($0)" } ?? "null")"
            + ",\"handler_ns\":\(number(table.handler)),\"observer_ns\":\(number(table.observer))"
            + ",\"empty_exit_ns\":\(number(emptyRun))}"
    }

    private func json(_ histogram: Histogram) -> String {
        let parts = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)]
        let percentiles = parts.map { ",\"\($0.0)\":\(nanoseconds(histogram.percentile($0.1)))" }.joined()
        return "{\"total\":\(nanoseconds(histogram.total)),\"min\":\(nanoseconds(histogram.smallest))\(percentiles)"
            + ",\"max\":\(nanoseconds(histogram.largest))}"
    }
}
