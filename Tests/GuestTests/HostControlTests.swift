// `swiftlet host` without a person: its control socket, its metrics, its restarts, and that it leaves no machine behind.
//
// Read next: ../../Sources/Hosting/Supervisor.swift.

import Foundation
import GuestCases
import Host
import TestSupport
import Testing

/// Whether a process is there, or about to be reaped.
private func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

extension GuestTests {
    @Suite(.requiresKVM) struct HostControl {
        @Test func machinesAreListedStartedAndStoppedByRequest() throws {
            let rig = try HostRig(["echo": definition("echo"), "spin": definition("spin", "statistics = true")])
            var host = try rig.headless()
            #expect(try rig.ask("start", "echo").how == .exited(0))
            #expect(try rig.ask("start", "spin").how == .exited(0))
            #expect(try rig.ask("start", "spin").isRefusal(mentioning: "spin runs"))
            #expect(try rig.waits(for: "echo") { $0.state == "running" && ($0.residentBytes ?? 0) > 0 })
            #expect(try rig.waits(for: "spin") { $0.state == "running" })
            let first = try #require(try rig.report("spin")?.pid)
            #expect(try rig.ask("restart", "spin").how == .exited(0))
            #expect(try rig.waits(for: "spin") { $0.state == "running" && $0.pid != first && $0.starts == 2 })
            #expect(try rig.ask("stop", "spin").how == .exited(0))
            #expect(try rig.waits(for: "spin") { $0.state == "stopped" && $0.endStatus == 143 && $0.exits != nil })
            #expect(try rig.ask("stop", "spin").isRefusal(mentioning: "does not run"))
            #expect(try rig.ask("start", "none").isRefusal(mentioning: "no machine 'none'"))
            #expect(try rig.ask("explode", "spin").isRefusal(mentioning: "no request"))
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
            #expect(!FileManager.default.fileExists(atPath: rig.socket))
        }

        @Test func aConsoleIsReachedByRequest() throws {
            let rig = try HostRig(["echo": definition("echo", "autostart = 0\nconsole = \"raw\"")])
            var host = try rig.headless()
            #expect(try rig.waits(for: "echo") { $0.state == "running" })
            var console = try Child(
                House.bench.swiftlet, ["host", "--control", rig.socket, "console", "echo"], input: .open)
            console.type("typed")
            let isShown = console.waits(for: "typed")
            #expect(isShown)
            console.type("\u{1d}")
            #expect(console.finish().how == .exited(0))
            #expect(try rig.ask("log", "echo").outputText == "typed\n")
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }

        @Test(arguments: [
            ("restart = \"on-failure\"\nrestart_limit = 2\nrestart_delay = 0.05", "fault-null", 2),
            ("restart = \"on-failure\"\nrestart_delay = 0.05", "hello", 0),
            ("restart = \"always\"\nrestart_limit = 3\nrestart_delay = 0.05", "hello", 3),
            ("restart = \"never\"", "fault-null", 0),
        ])
        func restartsAreThePolicysAndBounded(policy: String, guest: String, restarts: Int) throws {
            let rig = try HostRig(["it": definition(guest, "autostart = 0\n\(policy)")])
            var host = try rig.headless()
            #expect(try rig.waits(for: "it") { $0.state == "stopped" && $0.starts == restarts + 1 })
            usleep(300_000)
            let report = try #require(try rig.report("it"))
            #expect(report.restarts == restarts && report.state == "stopped")
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }

        @Test(arguments: [SIGTERM, SIGKILL])
        func noMachineIsLeftBehind(signal: Int32) throws {
            let rig = try HostRig([
                "spin": definition("spin", "autostart = 0"),
                "sleep": definition("sleep", "autostart = 0\narguments = [\"60000\"]"),
            ])
            var host = try rig.headless()
            var pids: [Int32] = []
            for name in ["spin", "sleep"] {
                #expect(try rig.waits(for: name) { $0.state == "running" && $0.pid != nil })
                pids.append(try #require(try rig.report(name)?.pid))
            }
            #expect(pids.allSatisfy { isAlive($0) })
            host.send(signal)
            #expect(host.finish().how == (signal == SIGTERM ? .exited(0) : .killed(signal: SIGKILL)))
            for _ in 0..<100 where pids.contains(where: { isAlive($0) }) { usleep(50_000) }
            #expect(!pids.contains { isAlive($0) })
        }

        @Test func metricsAreOpenMetrics() throws {
            let rig = try HostRig(["spin": definition("spin", "autostart = 0"), "bad": "x"])
            var host = try rig.headless(["--metrics", "unix:\(rig.folder)/metrics"])
            #expect(try rig.waits(for: "spin") { $0.state == "running" })
            let answer = try String(
                decoding: exchange(rig.folder + "/metrics", "GET /metrics HTTP/1.1\r\n\r\n"), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text"))
            #expect(answer.hasSuffix("# EOF\n"))
            #expect(answer.contains("swiftlet_machines{state=\"running\"} 1\n"))
            #expect(answer.contains("swiftlet_machines{state=\"bad\"} 1\n"))
            #expect(answer.contains("swiftlet_machine_memory_bytes{machine=\"spin\"} 67108864\n"))
            let other = try String(
                decoding: exchange(rig.folder + "/metrics", "POST / HTTP/1.1\r\n\r\n"), as: UTF8.self)
            #expect(other.hasPrefix("HTTP/1.1 405 "))
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }

        @Test func clientsThatMeanNoGoodHoldUpNobody() throws {
            let rig = try HostRig(["hello": definition("hello")])
            var host = try rig.headless()
            let silent = try StreamSocket(connectingTo: rig.socket)
            #expect(try exchange(rig.socket, String(repeating: "x", count: 1000)).starts(with: Array("error ".utf8)))
            #expect(try exchange(rig.socket, "start \u{1b}[2J\n").starts(with: Array("error ".utf8)))
            #expect(try rig.ask("start", "hello").how == .exited(0))
            #expect(try rig.waits(for: "hello") { $0.end == "exited with 0" })
            withExtendedLifetime(silent.fd) {}
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }

        @Test func logsAreWrittenToFiles() throws {
            let rig = try HostRig(["hello": definition("hello", "autostart = 0")])
            var host = try rig.headless(["--logs", rig.folder + "/logs"])
            #expect(try rig.waits(for: "hello") { $0.end == "exited with 0" })
            let log = try String(contentsOfFile: rig.folder + "/logs/hello.log", encoding: .utf8)
            #expect(log.hasPrefix("Hello from ring 3!\r\n"))
            host.send(SIGTERM)
            #expect(host.finish().how == .exited(0))
        }

        @Test func theCatalogueIsCheckedForScripts() throws {
            let rig = try HostRig(["hello": definition("hello"), "bad": "image = 7\n"])
            var check = try Child(House.bench.swiftlet, ["host", "--catalogue", rig.folder, "--check"])
            let ending = check.finish()
            #expect(ending.how == .exited(1))
            #expect(ending.outputText.contains("bad.toml:1:9: image: a string is expected, not an integer\n"))
            var list = try Child(House.bench.swiftlet, ["host", "--catalogue", rig.folder, "--list"])
            let text = list.finish().outputText
            #expect(text.contains("hello"))
        }
    }
}

/// Sends a text and gives all that comes back.
private func exchange(_ path: String, _ text: String) throws -> [UInt8] {
    let socket = try StreamSocket(connectingTo: path)
    _ = socket.send(Array(text.utf8))
    var answer: [UInt8] = []
    while case .done = socket.receive(into: &answer, atMost: 1 << 16) {}
    return answer
}
