// `--stats`: phases and exits, as a table for people and as JSON for scripts.
//
// JSON by hand: one flat object, and the start path links no Foundation. Read next: Statistics.swift.

import CABI
import Host
import Observe

extension Machine {
    /// A table. `emptyRun`: what KVM_RUN needs for an exit of an empty guest, in TSC cycles.
    public func statisticsText(_ outcome: Outcome, _ phases: Phases, emptyRun: UInt64? = nil) -> String {
        var lines = ["swiftlet: phases"]
        for phase in phases.list {
            lines.append("  \(pad("\(phase.name)", 16))\(pad(microseconds(phase.nanoseconds), 12, left: true)) us")
        }
        let total = phases.list.reduce(0) { $0 + $1.nanoseconds }
        lines.append("  \(pad("total", 16))\(pad(microseconds(total), 12, left: true)) us")
        return lines.joined(separator: "\n") + "\n" + (exitReport(outcome, emptyRun)?.text ?? "") + strangerText
    }

    /// The exits alone, of a run that is not over.
    func exitText(_ outcome: Outcome) -> String? { exitReport(outcome, nil)?.text }

    private func exitReport(_ outcome: Outcome, _ emptyRun: UInt64?) -> ExitReport? {
        outcome.exits.map { ExitReport($0, frequency: platform.clock.frequency, emptyRun: emptyRun) }
    }

    /// The phases alone, and when they were: of a run in which nothing was watched.
    public func phasesJSON(_ phases: Phases) -> String {
        "{\(phaseFields(phases)),\"written_ns\":\(Clock.monotonic())}\n"
    }

    /// The guest's clock and ours are read one after the other: their distance is when the guest's was zero.
    private func phaseFields(_ phases: Phases) -> String {
        let zero = Clock.monotonic() &- platform.clock.now()
        let fields = phases.list.map { "\"\($0.name)_ns\":\($0.nanoseconds)" }.joined(separator: ",")
        return "\"phases\":{\(fields)},\"start_ns\":\(phases.start),\"clock_zero_ns\":\(zero)"
    }

    /// `{"outcome":"exit","status":0,...}`; docs/stats.md describes every field.
    public func statisticsJSON(_ outcome: Outcome, _ phases: Phases, emptyRun: UInt64?) -> String {
        let made = outcome.exits?.lines.filter { $0.key.kind == .call }.sorted { $0.key.detail < $1.key.detail } ?? []
        let calls = made.map { "\"\($0.name)\":\($0.count)" }.joined(separator: ",")
        var detail = ""
        switch outcome.stop {
        case .crashed(let crash):
            detail =
                ",\"reason\":\"\(jsonText(crash.headline(guest.layout)))\",\"rip\":\"\(hex(crash.registers.rip))\",\"vcpu\":\(crash.vcpu)"
        case .signalled(let signal): detail = ",\"signal\":\(signal)"
        default: break
        }
        return "{\"outcome\":\"\(outcome.stop.kind)\",\"status\":\(outcome.stop.exitStatus)\(detail)"
            + ",\"memory_bytes\":\(configuration.memorySize),\(phaseFields(phases)),\"calls\":{\(calls)}"
            + strangerFields + ",\"kicks\":\(outcome.exits?.count(ExitKey(.kick)) ?? 0)"
            + (exitReport(outcome, emptyRun).map { ",\($0.json)" } ?? "") + ",\"memory\":\(memoryReport.json)}\n"
    }
}

func callName(_ number: Int32) -> String {
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
    case SWIFTLET_CALL_RECLAIM: "reclaim"
    case SWIFTLET_CALL_GROW: "grow"
    case SWIFTLET_CALL_BLOCK: "block"
    case SWIFTLET_CALL_NET: "net"
    case SWIFTLET_CALL_RING: "ring"
    case SWIFTLET_CALL_START_VCPU: "start-vcpu"
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
