// Where `--stats` goes, of `swiftlet run` and of `swiftlet restore`: parsed, and written at the end.
//
// The exit status stays the guest's, whatever becomes of its statistics. Read next: StatisticsReport.swift.

import Host

/// Where statistics go.
public enum StatisticsTarget: Sendable {
    case text
    case json(fd: Int32)
    case jsonFile(String)

    /// A descriptor of the caller's.
    public var fd: Int32? { if case .json(let fd) = self { fd } else { nil } }
    /// A file that is opened at the end.
    public var path: String? { if case .jsonFile(let path) = self { path } else { nil } }

    /// The value of `--stats`; nil is text on standard error.
    public init(_ text: String?) throws(StatisticsTargetError) {
        self = .text
        guard let text else { return }
        let isNumber = text.hasPrefix("json:fd:")
        if text == "json" {
            self = .json(fd: 2)
        } else if isNumber, let fd = Int32(text.dropFirst(8)), fd >= 0 {
            if !isOpenDescriptor(fd) {
                throw StatisticsTargetError(message: "--stats=\(text): descriptor \(fd) is not open")
            }
            self = .json(fd: fd)
        } else if text.hasPrefix("json:"), text.count > 5, !isNumber {
            self = .jsonFile(String(text.dropFirst(5)))
        } else {
            throw StatisticsTargetError(message: "--stats=\(text): json, json:FILE or json:fd:N")
        }
    }
}

/// Why a value of `--stats` is none.
public struct StatisticsTargetError: Error {
    public let message: String
}

extension Machine {
    /// Writes a run's statistics. `emptyRun`: what KVM_RUN needs for an exit of an empty guest, in TSC cycles.
    public func writeStatistics(_ outcome: Outcome, _ phases: Phases, emptyRun: UInt64?, to target: StatisticsTarget) {
        switch target {
        case .text:
            writeText(
                statisticsText(outcome, phases, emptyRun: emptyRun) + memoryReport.text,
                patience: outcome.stop.wasAskedFor ? lastWordPatience : nil)
        case .json(let fd):
            write(statisticsJSON(outcome, phases, emptyRun: emptyRun), to: fd, "descriptor \(fd)")
        case .jsonFile(let path):
            do throws(MachineError) {
                let file = try openForWriting(path)
                write(statisticsJSON(outcome, phases, emptyRun: emptyRun), to: file.fd, path)
            } catch { writeText("swiftlet: no statistics: \(printable(error.message))\n") }
        }
    }

    /// The phases alone, of a run in which nothing was watched.
    public func writePhases(_ phases: Phases, to fd: Int32) { write(phasesJSON(phases), to: fd, "descriptor \(fd)") }

    private func write(_ text: String, to fd: Int32, _ name: String) {
        if !writeText(text, to: fd) { writeText("swiftlet: statistics could not be written to \(printable(name))\n") }
    }
}
