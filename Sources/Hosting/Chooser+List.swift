// The chooser's first screen: the list of machines, what is known of the chosen one, and which keys there are.
//
// Read next: Pages.swift.

import Host

extension Chooser {
    /// Rows for what is known of the chosen machine, where the screen has so many.
    private static let detailRows = 8

    func drawList(on screen: inout Screen, _ now: UInt64) {
        let machines = supervisor.machines
        let running = machines.count { $0.state.isAlive }
        screen.put(
            " Swiftlet on \(hostName): \(machines.count) machine\(machines.count == 1 ? "" : "s"), \(running) running",
            row: 0, .reverse, fills: true)
        let columns = Columns(screen.columns)
        columns.put("NAME", "VENDOR", "MEMORY", "STATE", on: &screen, row: 1, .bold)
        let hasDetails = screen.rows >= 16
        let height = max(1, screen.rows - 4 - (hasDetails ? Self.detailRows : 0))
        top = max(min(top, selected), selected - height + 1)
        for (row, machine) in machines.dropFirst(top).prefix(height).enumerated() {
            let isChosen = top + row == selected
            if isChosen { screen.put(" ", row: 2 + row, .reverse, fills: true) }
            columns.put(
                machine.name, machine.definition?.vendor ?? "", machine.definition.map { sizeText($0.memory) } ?? "",
                machine.stateText(now), on: &screen, row: 2 + row, isChosen ? .reverse : .plain)
        }
        if machines.isEmpty { screen.put("  The catalogue has no machine.", row: 2) }
        if hasDetails, let machine { drawDetails(machine, on: &screen, row: 2 + height) }
        drawFoot(on: &screen, now)
        screen.cursor = (min(2 + selected - top, screen.rows - 1), 0)
    }

    private func drawDetails(_ machine: HostedMachine, on screen: inout Screen, row: Int) {
        screen.put(String(repeating: "-", count: screen.columns), row: row)
        let width = screen.columns - 2
        let description = wrapped(asciiBytes(machine.definition?.description ?? ""), width: width)
        var rows = description.prefix(3).filter { !$0.isEmpty }
        if let definition = machine.definition {
            rows.append(asciiBytes("\(definition.id): \(definition.summary)"))
        }
        if let problem = machine.problem { rows += wrapped(asciiBytes(problem), width: width) }
        if let change = machine.change { rows.append(asciiBytes(change)) }
        for line in machine.diagnosis { rows += wrapped(line, width: width) }
        let room = Self.detailRows - 1
        for (index, text) in rows.prefix(room).enumerated() {
            let isCut = index == room - 1 && rows.count > room
            screen.put(isCut ? asciiBytes("... d: all of it") : text, row: row + 1 + index, column: 1)
        }
    }

    private func drawFoot(on screen: inout Screen, _ now: UInt64) {
        var line = message
        let next = supervisor.machines.compactMap { machine in
            if case .countdown(let time) = machine.state { (machine, time) } else { nil }
        }.min { $0.1 < $1.1 }
        if let (machine, time) = next {
            line = "\(machine.id) starts in \(secondsLeft(time, now)) s. Any key: nothing starts by itself."
        }
        if supervisor.ending != nil { line = "Ending: the machines are being stopped." }
        if case .question(let question) = view { line = words(question) }
        screen.put(line, row: screen.rows - 2, column: 1, .bold)
        let last = supervisor.power == nil ? "q quit" : "p power"
        screen.put(
            " Enter start/console  s stop  r restart  l log  d all  h host  c renew  \(last)", row: screen.rows - 1,
            .reverse, fills: true)
    }
}

/// Where the list's columns are on a screen of some width.
private struct Columns {
    private let vendor: Int
    private let memory: Int
    private let state: Int

    init(_ width: Int) {
        state = max(12, width - 28)
        memory = max(8, state - 11)
        vendor = 2 + (memory - 2) * 3 / 5
    }

    func put(
        _ name: String, _ vendorName: String, _ size: String, _ stateText: String, on screen: inout Screen, row: Int,
        _ style: Screen.Style
    ) {
        screen.put(Array(asciiBytes(name).prefix(vendor - 3)), row: row, column: 2, style)
        screen.put(Array(asciiBytes(vendorName).prefix(memory - vendor - 1)), row: row, column: vendor, style)
        screen.put(size, row: row, column: max(0, state - 2 - size.utf8.count), style)
        screen.put(stateText, row: row, column: state, style)
    }
}

/// Whole seconds, the one that runs included.
func secondsLeft(_ time: UInt64, _ now: UInt64) -> UInt64 { (time - min(time, now) + 999_999_999) / 1_000_000_000 }

/// "64 MiB"
func sizeText(_ bytes: UInt64) -> String {
    for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB")] as [(UInt64, String)]
    where bytes >= 1 << shift && bytes & (1 << shift - 1) == 0 { return "\(bytes >> shift) \(unit)" }
    return "\(bytes >> 10) KiB"
}

extension HostedMachine {
    func stateText(_ now: UInt64) -> String {
        switch state {
        case .bad: "bad entry"
        case .stopped: lastEnd?.words ?? (diagnosis.isEmpty ? "stopped" : "cannot start")
        case .countdown(let time): "starts in \(secondsLeft(time, now)) s"
        case .running(let since): "running \(ageText(now - min(now, since)))"
        case .stopping: "stopping"
        case .waiting(let time): "\(lastEnd?.words ?? ""), again in \(secondsLeft(time, now)) s"
        }
    }
}

extension HostedMachine {
    /// What a catalogue that was read anew says of a machine that runs.
    var change: String? {
        isRemoved
            ? "It is no longer in the catalogue: it goes when it has ended."
            : isChanged ? "The catalogue has changed: that counts from its next start." : nil
    }
}

extension MachineDefinition {
    /// What one wants to know at a glance.
    var summary: String {
        var parts = ["\(cpus) CPU\(cpus == 1 ? "" : "s")", sizeText(memory)]
        if let identity { parts.append("identity \(identity)") }
        if restart.when != .never {
            parts.append("restart \(restart.when.rawValue), at most \(restart.limit) in a row")
        }
        if let autostart { parts.append("autostart after \(autostart / 1_000_000_000) s") }
        return parts.joined(separator: ", ")
    }
}

/// Coarse, so that a screen changes seldom: "5 s", "3 min", "2 h", "4 days".
private func ageText(_ nanoseconds: UInt64) -> String {
    switch nanoseconds / 1_000_000_000 {
    case let seconds where seconds < 60: "\(seconds) s"
    case let seconds where seconds < 3600: "\(seconds / 60) min"
    case let seconds where seconds < 2 * 86_400: "\(seconds / 3600) h"
    case let seconds: "\(seconds / 86_400) days"
    }
}
