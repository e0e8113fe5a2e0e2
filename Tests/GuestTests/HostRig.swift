// `swiftlet host` under test: a catalogue in a folder of its own, a person at a terminal, and a client of its control socket.
//
// Read next: HostTests.swift.

import Foundation
import GuestCases
import Hosting
import TestSupport

/// A catalogue and what belongs to it, gone with this value.
final class HostRig {
    let folder = NSTemporaryDirectory() + "swiftlet-host-\(UUID().uuidString)"
    var socket: String { folder + "/control" }

    init(_ machines: [String: String]) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, text) in machines { try write("\(name).toml", text) }
    }

    /// As a maker does who edits the catalogue.
    func write(_ file: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
    }

    func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: "\(folder)/\(file)") }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Starts it without terminals.
    func headless(_ options: [String] = []) throws -> Child {
        let child = try Child(
            House.bench.swiftlet, ["host", "--catalogue", folder, "--headless", "--control", socket] + options)
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: socket) { usleep(10_000) }
        return child
    }

    /// Asks it something, and waits for the answer.
    func ask(_ words: String...) throws -> Ending {
        var child = try Child(House.bench.swiftlet, ["host", "--json", "--control", socket] + words)
        return child.finish()
    }

    func report(_ machine: String) throws -> MachineReport? {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode([MachineReport].self, from: Data(try ask("stats", machine).output)).first
    }

    /// Waits for at most ten seconds until a machine's report is as wanted; whether it was.
    func waits(for machine: String, _ isWanted: (MachineReport) -> Bool) throws -> Bool {
        for _ in 0..<200 {
            if let report = try? report(machine), isWanted(report) { return true }
            usleep(50_000)
        }
        return false
    }
}

/// A person at a terminal with the chooser on it.
final class HostAtTerminal {
    private let terminal: PseudoTerminal
    private var screen = VT100()

    init(_ terminal: PseudoTerminal) { self.terminal = terminal }

    convenience init() throws { self.init(try PseudoTerminal()) }

    func start(_ rig: HostRig, _ options: [String] = []) throws -> Child {
        try Child(
            House.bench.swiftlet, ["host", "--catalogue", rig.folder, "--control", rig.socket] + options,
            input: .terminal(terminal.path), output: .terminal(terminal.path))
    }

    func type(_ keys: String) { terminal.type(keys) }

    func resize(rows: Int, columns: Int) { terminal.resize(rows: rows, columns: columns) }

    var text: String { screen.text }
    var lines: [String] { screen.lines }
    var strange: [String] { screen.strange }

    /// The row of a machine in the list.
    func row(_ name: String) -> String { lines.first { $0.hasPrefix("  \(name)") } ?? "" }

    /// For at most ten seconds.
    func shows(_ text: String) -> Bool { waits { $0.contains(text) } }

    func waits(_ isWanted: (String) -> Bool) -> Bool {
        for _ in 0..<500 {
            screen.take(terminal.output(milliseconds: 20))
            if isWanted(screen.text) { return true }
        }
        return false
    }
}
