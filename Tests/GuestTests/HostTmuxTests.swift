// The chooser on an ordinary terminal: a pane of tmux's with 80 columns and 24 rows, whose keys and screen are tmux's to send and
// to tell, not ours.
//
// Read next: HostTests.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

private let tmux = "/usr/bin/tmux"

/// A server of tmux's own with one pane, and a shell in it that runs a program and says how it ended; gone with this value.
private final class Pane {
    private let socket: String

    init(_ socket: String, _ command: String) throws {
        self.socket = socket
        try ask("new-session", "-d", "-x", "80", "-y", "24", "\(command); echo \"status $?\"; exec cat")
    }

    deinit { _ = try? ask("kill-server") }

    @discardableResult func ask(_ words: String...) throws -> String {
        var child = try Child(tmux, ["-S", socket, "-f", "/dev/null"] + words)
        let ending = child.finish()
        #expect(ending.how == .exited(0), "\(words): \(ending.errorText)")
        return ending.outputText
    }

    /// Keys by tmux's names; what is no name is typed letter by letter.
    func type(_ key: String) throws { try ask("send-keys", key) }

    func rows() throws -> [String] {
        try ask("capture-pane", "-p").components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// For at most ten seconds.
    func waits(_ isWanted: ([String]) -> Bool) throws -> Bool {
        for _ in 0..<100 {
            if isWanted(try rows()) { return true }
            usleep(100_000)
        }
        Issue.record("the pane shows:\n\(try rows().joined(separator: "\n"))")
        return false
    }

    func shows(_ text: String) throws -> Bool { try waits { $0.contains { $0.contains(text) } } }
}

extension GuestTests {
    @Suite(
        .requiresKVM,
        .enabled("tmux is not installed: apt-get install tmux") { FileManager.default.isExecutableFile(atPath: tmux) })
    struct HostInTmux {
        @Test func machinesAreChosenUsedAndStopped() throws {
            let rig = try HostRig(["echo": definition("echo"), "hello": definition("hello")])
            let pane = try Pane(
                rig.folder + "/tmux", "\(House.bench.swiftlet) host --catalogue \(rig.folder) --control \(rig.socket)")
            // The first row and the last one of 24, each of them whole.
            #expect(
                try pane.waits {
                    $0[0].hasPrefix("Swiftlet on ") && $0[0].hasSuffix(": 2 machines, 0 running")
                        && $0[23].hasPrefix("Enter start/console") && $0[23].hasSuffix("q quit")
                })
            try pane.type("Down")
            try pane.type("Enter")
            #expect(try pane.waits { $0[3].hasPrefix("hello") && $0[3].hasSuffix("exited with 0") })
            try pane.type("Up")
            try pane.type("Enter")
            #expect(try pane.waits { $0[2].hasPrefix("echo") && $0[2].contains("running") })
            try pane.type("Enter")
            #expect(try pane.shows("Ctrl-] leaves this console"))
            try pane.type("a word")
            try pane.type("Enter")
            #expect(try pane.waits { $0.filter { $0 == "a word" }.count == 2 })
            try pane.type("C-]")
            #expect(try pane.shows("NAME"))
            usleep(400_000)  // what a terminal answers to a guest's questions is no key
            try pane.type("s")
            #expect(try pane.shows("Stop echo?"))
            try pane.type("y")
            #expect(try pane.waits { $0[2].hasSuffix("stopped by SIGTERM") })
            try pane.type("q")
            #expect(try pane.waits { $0[0] == "status 0" })  // on a screen that was cleared
        }

        @Test func anotherSizeIsUsedAsItIs() throws {
            let rig = try HostRig(["hello": definition("hello")])
            let pane = try Pane(rig.folder + "/tmux", "\(House.bench.swiftlet) host --catalogue \(rig.folder)")
            #expect(try pane.waits { $0[23].hasSuffix("q quit") })
            try pane.ask("resize-window", "-x", "100", "-y", "30")
            #expect(try pane.waits { $0.count >= 30 && $0[29].hasSuffix("q quit") && $0[23].isEmpty })
            try pane.ask("resize-window", "-x", "80", "-y", "18")
            #expect(try pane.waits { $0[17].hasSuffix("q quit") })
            try pane.type("q")
            #expect(try pane.waits { $0[0] == "status 0" })  // on a screen that was cleared
        }
    }
}
