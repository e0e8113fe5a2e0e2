// A snapshot as a table for people.
//
// Read next: docs/inspect.md.

import Host
import Snapshot
import Subcommand

extension SnapshotDescription {
    var lines: [String] { facts + [""] + partLines + [""] + savedLines }

    private var facts: [String] {
        var table = Table(.left, .left)
        table.add("guest", printable(image))
        let most = memoryMax.map { ", may ask for \(bytes($0)) in all" } ?? ""
        table.add("memory", bytes(memorySize) + (memoryNow > memorySize ? ", grown to \(bytes(memoryNow))" : "") + most)
        table.add("at", "\(hex(instructionPointer)), clock \(seconds(clock)) s")
        if vcpuCount > 1 { table.add("vCPUs", "\(vcpuCount), of which the first is there") }
        if let timerDeadline { table.add("timer", "at \(seconds(timerDeadline)) s") }
        table.add("CPU", "\(printable(cpuMaker)), XCR0 \(hex(xcr0))")
        return table.lines()
    }

    private func seconds(_ nanoseconds: UInt64) -> String {
        let digits = String(nanoseconds % 1_000_000_000 / 1_000_000)
        return "\(nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }

    private var partLines: [String] {
        var table = Table(.left, .right, .right, .right, .right, .left, .left, .left)
        table.add("file", "size", "memory", "zeroed", "ranges", "format", "written by", "identity")
        for part in parts {
            table.add(
                printable(part.file), bytes(part.size), bytes(part.savedBytes), bytes(part.zeroedBytes),
                "\(part.rangeCount)", "\(part.format)", printable(part.program), part.identity ?? "-")
        }
        let chain = parts.count == 1 ? [] : ["  written on top of each other: all of them are needed, in one folder"]
        return table.lines() + chain
    }

    private var savedLines: [String] {
        var table = Table(.left, .right, .left)
        table.add("memory in the file", "size", "at")
        for range in saved.prefix(64) {
            table.add(
                "\(hex(range.start))-\(hex(range.start + range.size - 1))", bytes(range.size),
                range.offset.map { hex($0) } ?? "zero")
        }
        return table.lines() + (saved.count > 64 ? ["  (and \(saved.count - 64) more)"] : [])
    }
}
