// The firewall guest with single frames on its taps, wrong rules, and its ends: a key, a stop, a network that goes.
//
// Read next: guests/firewall/forward.c.

import Foundation
import GuestCases
import TestSupport
import Testing

private let us: [UInt8] = [2, 0, 0, 0, 0, 1]

/// A frame of ours, of an Ethernet type and with what is behind it.
private func frame(_ type: [UInt8], _ rest: [UInt8]) -> [UInt8] { [2, 0, 0, 0, 0, 2] + us + type + rest }

/// IPv4 from 10.9.0.1 to 10.9.0.2 with a UDP datagram to a port; `flags` is the header's word of fragments.
private func datagram(_ port: UInt8, flags: [UInt8] = [0, 0], payload: Int = 20) -> [UInt8] {
    let size = 28 + payload
    var header: [UInt8] =
        [0x45, 0, UInt8(size >> 8), UInt8(size & 0xff), 0, 0] + flags + [64, 17, 0, 0, 10, 9, 0, 1, 10, 9, 0, 2]
    var sum = stride(from: 0, to: 20, by: 2).reduce(0) { $0 + Int(header[$1]) << 8 + Int(header[$1 + 1]) }
    sum = sum & 0xffff + sum >> 16
    (header[10], header[11]) = (UInt8(~sum >> 8 & 0xff), UInt8(~sum & 0xff))
    return header + [0, 9, 0, port, UInt8((size - 20) >> 8), UInt8((size - 20) & 0xff), 0, 0]
        + [UInt8](repeating: port, count: payload)
}

extension GuestTests.Firewalls {
    @Suite struct Frames {
        /// Behind all those that must not arrive comes one that does, so they would have been there.
        @Test func whatIsNotUnderstoodIsDenied() throws {
            let taps = Taps()
            let inside = HostEnd(taps.inside.name)
            let outside = HostEnd(taps.outside.name)
            var firewall = try startFirewall(taps, ["deny out udp to any port 1", "allow out any"])
            let wrongSum = datagram(2).enumerated().map { $0 == 10 ? ~$1 : $1 }
            for bytes in [
                frame([8, 0], datagram(1)), frame([8, 0], datagram(2, flags: [0x20, 0])),
                frame([8, 0], datagram(2, flags: [0, 1])), frame([8, 0], wrongSum), frame([8, 0], [0x45]),
                frame([8, 0], Array(datagram(2).dropLast())), frame([8, 0], [0x46] + datagram(2).dropFirst()),
                frame([0x81, 0], [0, 1, 8, 0] + datagram(2)), frame([0x86, 0xdd], [UInt8](repeating: 0x60, count: 40)),
                frame([0x88, 0xb5], datagram(2)), frame([8, 6], [0, 1]),
                frame([8, 6], [0, 1, 8, 0, 6, 4, 0, 3] + [UInt8](repeating: 0, count: 20)),
            ] { inside.send(bytes) }
            outside.send(frame([8, 0], datagram(3)))
            inside.send(frame([8, 0], datagram(4)))
            var arrived: [[UInt8]] = []
            let last = frame([8, 0], datagram(4))
            #expect(
                outside.receive {
                    if $0.dropFirst(6).starts(with: us), $0[..<6] == last[..<6] { arrived.append($0) }
                    return $0 == last
                })
            // What was sent to this end itself is seen there too.
            #expect(arrived.filter { $0 != frame([8, 0], datagram(3)) } == [last])
            let comesIn = inside.receive(milliseconds: 100) { $0 == frame([8, 0], datagram(3)) }
            #expect(!comesIn)
            let (counts, text) = firewall.endFirewall()
            #expect(counts["deny out udp to any port 1"] == [1, 0, 62] && counts["allow out any"][0] >= 1, "\(text)")
            for (reason, least) in [
                ("fragment", 2), ("malformed", 2), ("cut short", 3), ("IPv4 options", 1), ("VLAN tag", 1), ("IPv6", 1),
                ("another protocol than ARP and IPv4", 1), ("no rule allows it", 1),
            ] { #expect(counts["lost: \(reason)"][0] >= least, "\(reason): \(text)") }
        }

        @Test func framesThatAreAllowedKeepTheirOrderAndTheirBytes() throws {
            let taps = Taps()
            let inside = HostEnd(taps.inside.name)
            let outside = HostEnd(taps.outside.name)
            var firewall = try startFirewall(taps, ["report 1", "allow in udp"])
            for number: UInt8 in 0..<200 {
                let sent = frame([8, 0], datagram(number, payload: Int(number) * 7))
                outside.send(sent)
                if number % 50 == 49 { #expect(inside.receive { $0 == sent }) }
            }
            let isReported = firewall.waits(for: "allow in udp\n")
            #expect(isReported, "counts come by themselves")
            let (counts, text) = firewall.endFirewall()
            let bytes = (0..<200).reduce(0) { $0 + 42 + $1 * 7 }
            #expect(counts["allow in udp"] == [200, 0, bytes] && counts.connections == 200, "\(text)")
        }

        /// Whatever else the host does: who computes is seen running or waiting for a processor.
        @Test func idleItSleeps() throws {
            let taps = Taps()
            let firewall = try startFirewall(taps, ["allow both any"])
            usleep(300_000)
            let looks = try (0..<50).map { _ in
                usleep(10_000)
                return try sleeps(firewall.pid)
            }
            #expect(looks.count { $0 } >= 40, "it slept at \(looks.count { $0 }) of 50 looks")
        }

        /// Whether all threads of a process do: the third word of /proc/PID/task/TID/stat (proc(5)).
        private func sleeps(_ pid: pid_t) throws -> Bool {
            let folder = "/proc/\(pid)/task"
            return try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { thread in
                let words = try String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8).split(
                    separator: " ")
                return words[2] == "S"
            }
        }

        @Test func aNetworkThatIsDownLosesFramesAndOneThatIsGoneEndsIt() throws {
            let taps = Taps()
            let inside = HostEnd(taps.inside.name)
            var firewall = try startFirewall(taps, ["allow out udp"])
            setInterface(taps.outside.name, isUp: false)
            inside.send(frame([8, 0], datagram(1)))
            usleep(100_000)
            firewall.type("\n")
            let isCounted = firewall.waits(for: "lost: the other network is down\n")
            #expect(isCounted)
            deleteInterface(taps.outside.name)
            let ending = firewall.finish()
            #expect(ending.how == .exited(1) && ending.outputText.contains("firewall: the network outside is gone\n"))
            #expect(FirewallCounts(ending.outputText)["allow out udp"][0] == 1)
        }

        @Test(arguments: [SIGTERM, SIGINT])
        func aStopEndsIt(signal: Int32) throws {
            let taps = Taps()
            var firewall = try startFirewall(taps, ["allow both any"])
            firewall.closeInput()
            usleep(100_000)
            firewall.send(signal)
            #expect(firewall.finish().how == .exited(128 + signal))
        }
    }

    @Suite struct Rules {
        private let folder = TestSupport.ScratchFolder()

        private func ending(_ image: String, _ options: [String], _ rules: [String] = []) throws -> Ending {
            let taps = Taps()
            var child = try House.run(taps.options + options + [House.image(image)] + rules)
            return child.finish()
        }

        @Test(arguments: [
            ("allow both arp; alow in any", "firewall: line 2: 'alow': a line begins with allow, deny,"),
            ("allow in udp to 10.0.0.1/8", "firewall: line 1: '10.0.0.1/8': the address has bits behind its prefix"),
            ("", "firewall: there is no rule: nothing would pass\n"),
            ("allow in any \u{1b}[2J", "firewall: line 1: '.[2J': here may stand"),
        ])
        func wrongOnesAreRefused(rules: String, words: String) throws {
            let ending = try ending("firewall", [], rules.isEmpty ? [] : [rules])
            #expect(ending.how == .exited(1) && ending.outputText.hasPrefix(words), "\(ending.outputText)")
        }

        @Test func inAModule() throws {
            let file = try folder.file("rules", Array("# rules\n\nallow in tcp\nallow on tcp\n".utf8))
            var ended = try ending("firewall", ["--module", file])
            #expect(ended.how == .exited(1) && ended.outputText.hasPrefix("firewall: line 4: 'on': "))
            ended = try ending("firewall", ["--module", file], ["allow both any"])
            #expect(ended.how == .exited(1) && ended.outputText.contains("not in both"))
        }

        @Test func onADisk() throws {
            let text = Array("# rules\nallow in tcp\nallow both arp\n".utf8)
            let disk = try folder.file("rules", text + [UInt8](repeating: 0, count: 512 - text.count))
            let taps = Taps()
            var firewall = try startFirewall(
                taps, [], options: ["--block", "rules=\(disk),ro"], image: "firewall-disk")
            #expect(firewall.endFirewall().1.contains("firewall: 2 rules;"))
            let large = try folder.file("large", [UInt8](repeating: UInt8(ascii: "#"), count: 1 << 17))
            var ended = try ending("firewall-disk", ["--block", "rules=\(large),ro"])
            #expect(ended.how == .exited(1) && ended.outputText.contains("does not end within 65536 bytes"))
            let wrong = try folder.file("wrong", Array("deny".utf8) + [UInt8](repeating: 0, count: 508))
            ended = try ending("firewall-disk", ["--block", "rules=\(wrong),ro"])
            #expect(ended.how == .exited(1) && ended.outputText.hasPrefix("firewall: line 1: behind the action"))
        }

        /// The parser, the packets and the connections, on the host and under the sanitizers.
        @Test func theFirewallsOwnTestsPass() throws {
            var child = try Child(House.bench.images + "/native/firewall-tests", [])
            let ending = child.finish()
            #expect(ending.how == .exited(0) && ending.outputText.hasSuffix(" 0 do not hold\n"), "\(ending.outputText)")
        }
    }
}
