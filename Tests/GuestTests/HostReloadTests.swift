// A catalogue that changes while its machines run, and bridges that it names: what runs goes on, what is new can be started.
//
// Read next: ../../Sources/Hosting/Supervisor+Reload.swift.

import Foundation
import GuestCases
import Host
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct HostReload {
        @Test func whatRunsGoesOnAndWhatIsNewCanBeStarted() throws {
            let rig = try HostRig([
                "echo": definition("echo"), "hello": definition("hello"), "spin": definition("spin"),
            ])
            var host = try rig.headless()
            for machine in ["echo", "spin"] { #expect(try rig.ask("start", machine).how == .exited(0)) }
            let pid = try #require(try rig.report("spin")?.pid)
            try rig.write("spin.toml", definition("hello", "description = \"Changed\""))
            try rig.remove("echo.toml")
            try rig.write("hello.toml", "nonsense")
            try rig.write("new.toml", definition("hello", "autostart = 0"))
            let words = try rig.ask("reload").outputText
            #expect(words == "The catalogue is read anew: 1 new, 2 changed, 1 gone.\n")

            let spin = try #require(try rig.report("spin"))
            #expect(spin.pid == pid && spin.description.isEmpty && spin.catalogue == "changed")
            #expect(try rig.report("echo")?.catalogue == "removed")
            #expect(try rig.report("hello")?.problem?.contains("hello.toml:1:9: '='") == true)
            #expect(try rig.report("new")?.state == "stopped")

            #expect(try rig.ask("restart", "spin").how == .exited(0))
            #expect(try rig.waits(for: "spin") { $0.end == "exited with 0" && $0.description == "Changed" })
            #expect(try rig.ask("stop", "echo").how == .exited(0))
            #expect(try isGone("echo", rig))
            #expect(try rig.ask("start", "hello").isRefusal(mentioning: "hello.toml:1:9:"))
            #expect(try rig.ask("start", "new").how == .exited(0))
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }

        /// For at most ten seconds.
        private func isGone(_ machine: String, _ rig: HostRig) throws -> Bool {
            for _ in 0..<200 {
                if try rig.ask("stats", machine).isRefusal(mentioning: "no machine '\(machine)'") { return true }
                usleep(50_000)
            }
            return false
        }

        @Test func aMachineThatComesBackIsAsItWas() throws {
            let rig = try HostRig(["echo": definition("echo", "restart = \"always\"")])
            var host = try rig.headless()
            #expect(try rig.ask("start", "echo").how == .exited(0))
            try rig.remove("echo.toml")
            #expect(try rig.ask("reload").outputText.contains(" 1 gone."))
            #expect(try rig.ask("reload").outputText == "The catalogue is read anew: 0 new, 0 changed, 0 gone.\n")
            try rig.write("echo.toml", definition("echo", "restart = \"always\""))
            #expect(try rig.ask("reload").outputText == "The catalogue is read anew: 0 new, 1 changed, 0 gone.\n")
            let report = try #require(try rig.report("echo"))
            #expect(report.state == "running" && report.catalogue == nil)
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }

        /// Its restart policy counts no more, and a machine whose definition is bad now does not start again.
        @Test(arguments: [nil, "nonsense"])
        func whatIsNoMoreDoesNotStartAgain(text: String?) throws {
            let rig = try HostRig(["sleep": definition("sleep", "arguments = [\"3000\"]\nrestart = \"always\"")])
            var host = try rig.headless()
            #expect(try rig.ask("start", "sleep").how == .exited(0))
            if let text { try rig.write("sleep.toml", text) } else { try rig.remove("sleep.toml") }
            #expect(try rig.ask("reload").how == .exited(0))
            // A restart would stop it for good.
            let refusal = text == nil ? "sleep is no longer in the catalogue" : "sleep.toml:1:9:"
            #expect(try rig.ask("restart", "sleep").isRefusal(mentioning: refusal))
            #expect(try text == nil ? isGone("sleep", rig) : rig.waits(for: "sleep") { $0.state == "bad" })
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }

        @Test func withoutAFolderAllStaysAsItWas() throws {
            let rig = try HostRig(["spin": definition("spin")])
            let more = rig.folder + "/more"
            try FileManager.default.createDirectory(atPath: more, withIntermediateDirectories: false)
            var host = try rig.headless(["--catalogue", more])
            #expect(try rig.ask("start", "spin").how == .exited(0))
            try rig.remove("more")
            try rig.remove("spin.toml")
            #expect(try rig.ask("reload").isRefusal(mentioning: "more: No such file or directory"))
            let report = try #require(try rig.report("spin"))
            #expect(report.state == "running" && report.catalogue == nil)
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }
    }

    @Suite(.requiresKVM, .requiresTaps) struct HostBridges {
        private func address(_ interface: String) throws -> [UInt8] {
            let text = try String(contentsOfFile: "/sys/class/net/\(interface)/address", encoding: .utf8)
            return text.dropLast().split(separator: ":").compactMap { UInt8($0, radix: 16) }
        }

        /// Somebody outside finds the server inside, through the firewall between two bridges.
        @Test func machinesAreWiredByBridges() throws {
            let rig = try HostRig([
                "server": definition("netecho", "[[networks]]\nname = \"net\"\nbridge = \"swiftlet-in\""),
                "firewall": definition(
                    "firewall",
                    """
                    arguments = ["allow both arp"]
                    [[networks]]
                    name = "inside"
                    bridge = "swiftlet-in"
                    [[networks]]
                    name = "outside"
                    bridge = "swiftlet-out"
                    """),
            ])
            let cable = PersistentTap()
            try rig.write("swiftlet-in.bridge", "")
            try rig.write("swiftlet-out.bridge", "interfaces = [\"\(cable.name)\"]")
            var host = try rig.headless()
            for machine in ["server", "firewall"] { #expect(try rig.ask("start", machine).how == .exited(0)) }
            let us = try address("swiftlet-out")
            let outside = HostEnd("swiftlet-out")
            let (ours, theirs): ([UInt8], [UInt8]) = ([10, 0, 0, 1], [10, 0, 0, 2])
            let request: [UInt8] =
                [UInt8](repeating: 0xff, count: 6) + us + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + us + ours
                + [0, 0, 0, 0, 0, 0] + theirs
            #expect(
                outside.exchange(request) {
                    $0.starts(with: us) && $0[12...].starts(with: [8, 6, 0, 1, 8, 0, 6, 4, 0, 2])
                })
            let master = linkTarget("/sys/class/net/\(cable.name)/master")
            #expect(master?.hasSuffix("/swiftlet-out") == true)
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
            #expect(
                !names(in: "/sys/class/net").contains { $0.hasPrefix("swiftlet-in") || $0.hasPrefix("swiftlet-out") })
        }

        @Test func aBridgeThatCannotBeMadeIsABadEntry() throws {
            let rig = try HostRig(["hello": definition("hello")])
            try rig.write("lo.bridge", "")
            try rig.write("swiftlet-in.bridge", "interfaces = [\"swiftlet-none\"]")
            var host = try rig.headless()
            #expect(try rig.report("hello")?.state == "stopped")
            #expect(
                try rig.report("lo.bridge")?.problem?.hasSuffix("lo.bridge: the interface 'lo' is no bridge") == true)
            let problem = try rig.report("swiftlet-in.bridge")?.problem
            #expect(problem?.hasSuffix("swiftlet-in.bridge: no interface 'swiftlet-none' on this host") == true)
            try rig.write("swiftlet-in.bridge", "")
            #expect(try rig.ask("reload").outputText == "The catalogue is read anew: 0 new, 0 changed, 1 gone.\n")
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }
    }
}
