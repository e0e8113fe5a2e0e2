// The firewall guest between two networks with real hosts in them: what its rules allow gets through, with its replies, and
// nothing else does; and it counts all of it.
//
// What it makes of any single frame, and of wrong rules, is tested without a machine: guests/firewall/tests.
// Read next: docs/firewall.md, FirewallFrameTests.swift.

import Foundation
import GuestCases
import Host
import TestSupport
import Testing

/// What the firewall's last counts say.
struct FirewallCounts {
    private var rows: [(text: String, frames: Int, replies: Int, bytes: Int)] = []
    let connections: Int

    init(_ output: String) {
        let last = output.components(separatedBy: "firewall: after ").last ?? ""
        connections = last.split(separator: " ").dropFirst(2).first.flatMap { Int($0) } ?? -1
        for line in last.split(separator: "\n").dropFirst(2) {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true)
            guard words.count == 4, let frames = Int(words[0]), let bytes = Int(words[2]) else { continue }
            let text = words[3].drop { $0 == " " }
            rows.append((String(text), frames, Int(words[1]) ?? 0, bytes))
        }
    }

    /// Of a rule, or of "lost: WHY"; zeros where there is no such row.
    subscript(text: String) -> [Int] {
        rows.first { $0.text == text }.map { [$0.frames, $0.replies, $0.bytes] } ?? [0, 0, 0]
    }
}

/// A firewall's two networks.
struct Taps: ~Copyable {
    let inside = PersistentTap()
    let outside = PersistentTap()

    var options: [String] { ["--net", "inside=tap:\(inside.name)", "--net", "outside=tap:\(outside.name)"] }
}

/// Runs a firewall with these rules; it forwards when this returns.
func startFirewall(
    _ taps: borrowing Taps, _ rules: [String], options: [String] = [], image: String = "firewall"
) throws -> Child {
    let text = rules.isEmpty ? [] : [rules.joined(separator: "; ")]
    var child = try House.run(taps.options + options + [House.image(image)] + text, input: .open)
    let isThere = child.waits(for: "q ends.\n")
    try #require(isThere)
    return child
}

extension Child {
    /// Has the firewall end, and tell what it has counted.
    mutating func endFirewall() -> (FirewallCounts, String) {
        type("q\n")
        let ending = finish(seconds: 60)
        #expect(ending.how == .exited(0), "\(ending.errorText)")
        return (FirewallCounts(ending.outputText), ending.outputText)
    }
}

/// Two hosts, 10.9.0.1 inside and 10.9.0.2 outside, with nothing between them but the firewall.
private struct Hosts: ~Copyable {
    let inside = NetworkNamespace()
    let outside = NetworkNamespace()
    var firewall: Child

    init(_ rules: [String]) throws {
        let taps = Taps()
        firewall = try startFirewall(taps, rules)
        inside.take(taps.inside.name, host: 1)
        outside.take(taps.outside.name, host: 2)
    }
}

/// An ICMP echo's message (RFC 792) with a few bytes in it.
private func echo(_ sequence: UInt8) -> [UInt8] {
    let sum = ~(0x0800 + 0x7777 + UInt16(sequence))
    return [8, 0, UInt8(sum >> 8), UInt8(sum & 0xff), 0x77, 0x77, 0, sequence]
}

/// Whether a host's pings are answered by another.
private func pings(_ from: NetworkNamespace, _ host: UInt8, count: UInt8, milliseconds: Int32 = 5000) -> Int {
    let socket = from.ping()
    var answers = 0
    for number in 0..<count {
        #expect(socket.send(echo(number), host: host, port: 0))
        // Behind the IPv4 header: type 0 and what was sent.
        while let packet = socket.receive(milliseconds: milliseconds) {
            if packet.count >= 28, packet[20] == 0, packet[24...].elementsEqual([0x77, 0x77, 0, number]) {
                answers += 1
                break
            }
        }
    }
    return answers
}

extension GuestTests {
    @Suite(.requiresKVM, .requiresTaps) struct Firewalls {
        @Test func pingPassesTheWayThatIsAllowed() throws {
            var hosts = try Hosts(["allow both arp", "allow out icmp type 8"])
            #expect(pings(hosts.inside, 2, count: 3) == 3)
            #expect(pings(hosts.outside, 1, count: 2, milliseconds: 200) == 0)
            let (counts, text) = hosts.firewall.endFirewall()
            let size = 14 + 20 + 8
            #expect(counts["allow out icmp type 8"] == [3, 3, 6 * size], "\(text)")
            #expect(counts["lost: no rule allows it"][0] >= 2 && counts["allow both arp"][0] >= 2, "\(text)")
            #expect(counts.connections == 1, "\(text)")
        }

        @Test func withoutAWordForARPNobodyFindsAnybody() throws {
            var hosts = try Hosts(["allow both ip"])
            #expect(pings(hosts.inside, 2, count: 1, milliseconds: 500) == 0)
            let (counts, text) = hosts.firewall.endFirewall()
            #expect(counts["allow both ip"] == [0, 0, 0] && counts["lost: no rule allows it"][0] > 0, "\(text)")
        }

        /// A connection of TCP's, with more in it than a table of anybody's or a window holds, both ways.
        @Test func tcpPassesWithItsReplies() throws {
            var hosts = try Hosts(["allow both arp", "allow out tcp to 10.9.0.2 port 8000-8001"])
            let server = hosts.outside.listener(host: 2, port: 8000)
            let client = hosts.inside.stream()
            #expect(client.connects(host: 2, port: 8000))
            let connection = server.accept()
            let text = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            #expect(exchange(text, client, connection) && exchange(text, connection, client))
            let (counts, output) = hosts.firewall.endFirewall()
            let row = counts["allow out tcp to 10.9.0.2 port 8000-8001"]
            #expect(row[0] > 20 && row[1] > 20 && row[2] > 2_000_000, "\(output)")
        }

        /// Whether what one sends is what the other gets; in pieces that no socket's buffer refuses.
        private func exchange(_ text: [UInt8], _ from: TestSocket, _ to: TestSocket) -> Bool {
            var received: [UInt8] = []
            for start in stride(from: 0, to: text.count, by: 50_000) {
                let piece = Array(text[start..<min(start + 50_000, text.count)])
                guard from.send(piece) else { return false }
                while received.count < start + piece.count {
                    guard let bytes = to.receive(), !bytes.isEmpty else { return false }
                    received += bytes
                }
            }
            return received == text
        }

        @Test func otherPortsAndTheOtherDirectionAreDenied() throws {
            var hosts = try Hosts([
                "allow both arp", "deny out tcp to any port 8001", "log out tcp", "allow out tcp to any port 8000-8010",
            ])
            let open = hosts.outside.listener(host: 2, port: 8000)
            let denied = hosts.outside.listener(host: 2, port: 8001)
            let inner = hosts.inside.listener(host: 1, port: 8000)
            #expect(hosts.inside.stream().connects(host: 2, port: 8000))
            #expect(!hosts.inside.stream().connects(host: 2, port: 8001, milliseconds: 300))
            #expect(!hosts.outside.stream().connects(host: 1, port: 8000, milliseconds: 300))
            #expect(open.isReady() && !denied.isReady() && !inner.isReady())
            let (counts, text) = hosts.firewall.endFirewall()
            #expect(counts["deny out tcp to any port 8001"][0] >= 1 && counts["log out tcp"][0] == 1, "\(text)")
            #expect(counts["lost: no rule allows it"][0] >= 1, "\(text)")
            #expect(text.contains("log: line 3: out tcp 10.9.0.1:") && text.contains(" > 10.9.0.2:8000, 74 bytes\n"))
        }

        @Test func udpPassesWithItsReplies() throws {
            var hosts = try Hosts(["allow both arp", "allow out udp to any port 53"])
            let server = hosts.outside.datagram()
            let client = hosts.inside.datagram()
            server.bind(host: 2, port: 53)
            client.bind(host: 1, port: 5353)
            for number: UInt8 in 0..<10 {
                #expect(client.send([number], host: 2, port: 53))
                #expect(server.receive() == [number])
                #expect(server.send([number, number], host: 1, port: 5353))
                #expect(client.receive() == [number, number])
            }
            let stranger = hosts.outside.datagram()
            #expect(stranger.send([1], host: 1, port: 5353) && server.send([1], host: 1, port: 5354))
            #expect(client.send([0], host: 2, port: 54) && client.receive(milliseconds: 200) == nil)
            let (counts, text) = hosts.firewall.endFirewall()
            #expect(counts["allow out udp to any port 53"] == [10, 10, 10 * (42 + 1) + 10 * (42 + 2)], "\(text)")
            #expect(counts["lost: no rule allows it"][0] >= 3, "\(text)")
        }

        /// "Nobody listens there" (ICMP, destination unreachable) finds who has asked.
        @Test func anErrorAboutAConnectionPasses() throws {
            var hosts = try Hosts(["allow both arp", "allow out udp"])
            let client = hosts.inside.datagram()
            #expect(client.connects(host: 2, port: 9) && client.send([1]))
            let isTold = (0..<250).contains { _ in
                usleep(20_000)
                return client.error == ECONNREFUSED
            }
            let (counts, text) = hosts.firewall.endFirewall()
            #expect(isTold && counts["allow out udp"].prefix(2) == [1, 1], "\(text)")
        }
    }
}
