// `--stats`: phases and exits, as a table for people and as JSON for scripts.
//
// JSON by hand: one flat object, and the start path links no Foundation. Read next: Statistics.swift.

import CABI
import Host

extension Outcome {
    /// A table.
    public func statisticsText(_ phases: Phases) -> String {
        var lines = ["swiftlet: phases"]
        for phase in phases.list {
            lines.append("  \(pad("\(phase.name)", 16))\(pad(microseconds(phase.nanoseconds), 12, left: true)) us")
        }
        let total = phases.list.reduce(0) { $0 + $1.nanoseconds }
        lines.append("  \(pad("total", 16))\(pad(microseconds(total), 12, left: true)) us")
        lines.append("swiftlet: exits")
        for call in statistics.madeCalls {
            lines.append("  \(pad(callName(call.number), 16))\(pad("\(call.count)", 12, left: true))")
        }
        lines.append("  \(pad("kicks", 16))\(pad("\(statistics.kicks)", 12, left: true))")
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Machine {
    /// `{"outcome":"exit","status":0,...}`; docs/stats.md describes every field.
    public func statisticsJSON(_ outcome: Outcome, _ phases: Phases) -> String {
        let phaseFields = phases.list.map { "\"\($0.name)_ns\":\($0.nanoseconds)" }.joined(separator: ",")
        let calls = outcome.statistics.madeCalls.map { "\"\(callName($0.number))\":\($0.count)" }.joined(separator: ",")
        var detail = ""
        switch outcome.stop {
        case .crashed(let crash):
            detail = ",\"reason\":\"\(jsonText(crash.headline(guest.layout)))\",\"rip\":\"\(hex(crash.registers.rip))\""
        case .signalled(let signal): detail = ",\"signal\":\(signal)"
        default: break
        }
        return "{\"outcome\":\"\(outcome.stop.kind)\",\"status\":\(outcome.stop.exitStatus)\(detail)"
            + ",\"memory_bytes\":\(configuration.memorySize),\"phases\":{\(phaseFields)},\"calls\":{\(calls)}"
            + ",\"kicks\":\(outcome.statistics.kicks)}\n"
    }
}

private func callName(_ number: Int32) -> String {
    switch number {
    case SWIFTLET_CALL_EXIT: "exit"
    case SWIFTLET_CALL_CONSOLE_WRITE: "console-write"
    case SWIFTLET_CALL_CONSOLE_READ: "console-read"
    case SWIFTLET_CALL_WALL_TIME: "wall-time"
    case SWIFTLET_CALL_POLL: "poll"
    case SWIFTLET_CALL_COMMIT: "commit"
    case SWIFTLET_CALL_ENTROPY: "entropy"
    case SWIFTLET_CALL_LOG: "log"
    case SWIFTLET_CALL_HANDLER: "handler"
    case SWIFTLET_CALL_TIMER: "timer"
    case SWIFTLET_CALL_FAULT_ADDRESS: "fault-address"
    case SWIFTLET_CALL_SNAPSHOT: "snapshot"
    default: "call-\(number)"
    }
}

private func microseconds(_ nanoseconds: UInt64) -> String {
    "\(nanoseconds / 1000).\(nanoseconds % 1000 / 100)"
}

private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.utf8.count))
    return left ? space + text : text + space
}
