// An inspection as a table for people.
//
// Every text that came out of the file passes `printable`. Read next: docs/inspect.md.

import Host
import Subcommand

extension Inspection {
    var text: String {
        var lines = ["\(printable(file)): \(kindInWords), \(bytes(size))"]
        if let elf { lines += [""] + elf.lines }
        if let linux { lines += [""] + linux.lines }
        if let snapshot { lines += [""] + snapshot.lines }
        if let memory { lines += [""] + memory.lines + [""] + memory.host.lines }
        let (done, command) = kind == "snapshot" ? ("restored", "restore") : ("run", "run")
        let words = ["swiftlet", command] + (devices ?? []).compactMap(\.option) + [file]
        lines.append("")
        lines.append(
            problem.map { "cannot be \(done): \(printable($0))" }
                ?? "can be \(done): \(printable(words.joined(separator: " ")))")
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Claims {
    fileprivate var lines: [String] {
        var facts = Table(.left, .left)
        facts.add("format", "ELF\(bits), \(byteOrder), \(machine)")
        facts.add("type", type)
        facts.add("entry", hex(entry) + (entrySymbol.map { "  \(printable($0))" } ?? ""))
        return facts.lines() + segmentLines + noteLines
    }

    private var segmentLines: [String] {
        if segments.isEmpty { return ["", "no program headers"] }
        var table = Table(.left, .left, .right, .right, .right, .right)
        table.add("segment", "access", "address", "memory", "offset", "in file")
        for segment in segments {
            table.add(
                segment.type, segment.access, hex(segment.address), hex(segment.memorySize), hex(segment.offset),
                hex(segment.fileSize))
        }
        let more = segmentsLeftOut > 0 ? ["  (and \(segmentsLeftOut) more in the header's count)"] : []
        return [""] + table.lines() + more
    }

    private var noteLines: [String] {
        if notes.isEmpty { return [] }
        var table = Table(.left, .right, .right, .left)
        table.add("note", "type", "size", "meaning")
        for note in notes.prefix(64) {
            let meaning = note.meaning.isEmpty ? "-" : printable(note.meaning)
            table.add(printable(note.owner.prefix(40)), hex(UInt64(note.type)), "\(note.size)", meaning)
        }
        let more = notes.count > 64 ? ["  (and \(notes.count - 64) more)"] : []
        return [""] + table.lines() + more
    }
}

extension LinuxHeader {
    fileprivate var lines: [String] {
        var table = Table(.left, .left)
        if !kernelVersion.isEmpty { table.add("kernel", printable(kernelVersion)) }
        table.add("boot protocol", protocolVersion)
        table.add("64-bit entry", longModeEntry ? "yes" : "no")
        table.add("relocatable", relocatable ? "yes" : "no")
        if initSize != 0 { table.add("memory needed", bytes(UInt64(initSize))) }
        return table.lines()
    }
}

extension MemoryPlan {
    fileprivate var lines: [String] {
        var table = Table(.left, .right, .left, .left)
        table.add("in \(bytes(memorySize)) of memory", "size", "access", "what")
        for region in regions {
            table.add(
                "\(padded(region.start))-\(padded(region.start + region.size - 1))", bytes(region.size), region.access,
                region.what)
        }
        let method = start.map { "  starts as \($0)" }
        return table.lines() + ["", "  entry \(hex(entry))" + (bias == 0 ? "" : ", the image moved by \(hex(bias))")]
            + (method.map { [$0] } ?? [])
    }

    /// All addresses of a table in one width.
    private func padded(_ address: UInt64) -> String {
        let digits = String(address, radix: 16)
        let width = (regions.map { String($0.start + $0.size - 1, radix: 16).count }.max() ?? 0)
        return "0x" + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension SlotPlan {
    fileprivate var lines: [String] {
        var table = Table(.left, .left, .right, .right, .left)
        table.add("slot", "address", "size", "kernel, up to", "what")
        for slot in slots {
            table.add(
                "\(slot.index)", hex(slot.start), bytes(slot.size), kibibytes(slot.kernelBytes), slot.what)
        }
        if let growth {
            table.add(
                "grow", hex(growth.start), bytes(growth.size), kibibytes(growth.kernelBytes),
                "what the guest may ask for: up to \(growth.slots) slots of \(bytes(growth.step))")
        }
        let huge = hugeFrom.map { $0 == 0 ? "everywhere" : "from \(hex($0)) on" } ?? "up to the file system"
        return table.lines() + [
            "", "  memory of \(backing), host addresses at \(bytes(alignment)), huge pages \(huge)",
        ]
    }

    private func kibibytes(_ bytes: UInt64) -> String { "\((bytes + 1023) / 1024) KiB" }
}
