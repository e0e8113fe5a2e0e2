// Where `--stats` goes, of `swiftlet run` and of `swiftlet restore`: parsed, and written at the end.
//
// Where they are lost, the exit status is 125 in the place of the guest's own. Read next: StatisticsReport.swift.

import Glibc
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
    /// Writes a run's statistics, and returns its exit status, which was `status`. `emptyRun`: what KVM_RUN needs for an exit
    /// of an empty guest, in TSC cycles.
    public func writeStatistics(
        _ outcome: Outcome, _ phases: Phases, emptyRun: UInt64?, to target: StatisticsTarget, status: Int32
    ) -> Int32 {
        if write(outcome, phases, emptyRun, target) { return status }
        if case .exited = outcome.stop { return Stop.errorStatus }
        return status
    }

    /// Whether they are written.
    private func write(_ outcome: Outcome, _ phases: Phases, _ emptyRun: UInt64?, _ target: StatisticsTarget) -> Bool {
        switch target {
        case .text:
            return writeText(
                statisticsText(outcome, phases, emptyRun: emptyRun) + memoryReport.text,
                patience: outcome.stop.wasAskedFor ? lastWordPatience : nil)
        case .json(let fd):
            return write(statisticsJSON(outcome, phases, emptyRun: emptyRun), to: fd, "descriptor \(fd)")
        case .jsonFile(let path):
            do throws(MachineError) {
                let file = try openForWriting(path)
                return write(statisticsJSON(outcome, phases, emptyRun: emptyRun), to: file.fd, path)
            } catch {
                writeText("swiftlet: no statistics: \(printable(error.message))\n")
                return false
            }
        }
    }

    /// The phases alone, of a run in which nothing was watched.
    public func writePhases(_ phases: Phases, to fd: Int32) { write(phasesJSON(phases), to: fd, "descriptor \(fd)") }

    @discardableResult
    private func write(_ text: String, to fd: Int32, _ name: String) -> Bool {
        if writeText(text, to: fd) { return true }
        let reason = errnoText(errno)
        writeText("swiftlet: statistics could not be written to \(printable(name)): \(reason)\n")
        return false
    }
}
