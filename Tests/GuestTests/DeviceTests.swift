// Disks and networks from outside: what was flushed is there, who else may attach, stops, frames both ways.
//
// Read next: guests/blockbench, guests/netbench, guests/netecho.

import Foundation
import GuestCases
import Host
import TestSupport
import Testing

private let diskSize = 256 << 10

/// A disk and a guest that floods it with numbered records, for those who end it.
private func flood(_ disk: String, _ options: [String] = []) throws -> Child {
    try House.run(options + ["--block", "disk=\(disk)", House.image("blockbench"), "flood", "ring"])
}

extension GuestTests {
    @Suite(.requiresKVM) struct Devices {
        private let folder = TestSupport.ScratchFolder()

        private func disk() throws -> String {
            try folder.file("disk", [UInt8](repeating: 0, count: diskSize))
        }

        /// SIGKILL in the midst of writing: every record that the guest was told is flushed is there, or a later one in its
        /// place; and the lock is gone with the process.
        @Test func whatIsFlushedSurvivesAKill() throws {
            let path = try disk()
            for last in ["\n400\n", "\n1200\n"] {
                var child = try flood(path)
                let childSpeaks = child.waits(for: last)
                #expect(childSpeaks)
                child.send(SIGKILL)
                let ending = child.finish()
                #expect(ending.how == .killed(signal: SIGKILL))
                let content = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
                try expectFlushedRecords(of: ending.outputText, in: content)
            }
        }

        @Test func aSecondWriterIsRefused() throws {
            let path = try disk()
            var first = try flood(path)
            let firstSpeaks = first.waits(for: "8\n")
            #expect(firstSpeaks)
            for options in ["", ",ro"] {
                var second = try House.run(["--block", "disk=\(path)\(options)", House.image("blockbench")])
                #expect(second.finish().isRefusal(mentioning: "another program"))
            }
            first.send(SIGTERM)
            #expect(first.finish().how == .exited(128 + SIGTERM))
            var third = try House.run(["--block", "disk=\(path)", House.image("blockbench")])
            #expect(third.finish().how == .exited(0))
        }

        @Test(arguments: [SIGINT, SIGTERM])
        func aStopEndsRingsToo(signal: Int32) throws {
            var child = try flood(try disk())
            let childSpeaks = child.waits(for: "8\n")
            #expect(childSpeaks)
            child.send(signal)
            #expect(child.finish().how == .exited(128 + signal))
            var timed = try flood(try disk(), ["--timeout", "0.3"])
            #expect(timed.finish().how == .exited(124))
        }

        /// A file system of 64 KiB under a disk of 256: the guest is told, and goes on.
        @Test(.requiresRoot) func aFullHostDiskIsToldToTheGuest() throws {
            let small = "\(folder.path)/small"
            #expect(unsafe mkdir(small, 0o700) == 0)
            guard unsafe mount("none", small, "tmpfs", 0, "size=64k") == 0 else { return }
            defer {
                _ = unsafe umount(small)
                _ = unsafe rmdir(small)
            }
            try File("\(small)/disk", .create).truncate(UInt64(diskSize))
            var child = try flood("\(small)/disk")
            let ending = child.finish()
            #expect(
                ending.how == .exited(1) && ending.outputText.contains("a record is written"), "\(ending.errorText)")
        }
    }

    @Suite(.requiresKVM, .requiresTaps) struct Networks {
        private let us: [UInt8] = [2, 0, 0, 0, 0, 1]

        private func run(_ tap: String, _ arguments: [String]) throws -> Child {
            try House.run(
                ["--net", "net=tap:\(tap),mac=02:00:00:00:00:02", House.image(arguments[0])] + arguments.dropFirst())
        }

        @Test func netechoAnswersARPAndPing() throws {
            let tap = PersistentTap()
            let host = HostEnd(tap.name)
            var child = try run(tap.name, ["netecho", "10.0.0.2", "2"])
            let childSpeaks = child.waits(for: "answers ARP and ping")
            #expect(childSpeaks)
            let them: [UInt8] = [2, 0, 0, 0, 0, 2]
            let (ours, theirs): ([UInt8], [UInt8]) = ([10, 0, 0, 1], [10, 0, 0, 2])
            host.send(
                [UInt8](repeating: 0xff, count: 6) + us + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + us + ours
                    + [0, 0, 0, 0, 0, 0] + theirs)
            let reply: [UInt8] = us + them + [8, 6, 0, 1, 8, 0, 6, 4, 0, 2] + them + theirs + us + ours
            #expect(host.receive { $0.starts(with: reply) })
            host.send(them + us + ping(type: 8, ours, theirs))
            #expect(host.receive { $0 == us + them + ping(type: 0, theirs, ours) })
            #expect(child.finish().how == .exited(0))
        }

        /// IPv4 and ICMP with their checksums, from `source` to `target`.
        private func ping(type: UInt8, _ source: [UInt8], _ target: [UInt8]) -> [UInt8] {
            let header = summed([0x45, 0, 0, 36, 0, 7, 0, 0, 64, 1, 0, 0] + source + target, at: 10)
            return [8, 0] + header + summed([type, 0, 0, 0, 0, 1, 0, 2] + [1, 2, 3, 4, 5, 6, 7, 8], at: 2)
        }

        private func summed(_ bytes: [UInt8], at place: Int) -> [UInt8] {
            var sum: UInt32 = 0
            for index in stride(from: 0, to: bytes.count, by: 2) {
                sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
            }
            while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
            var bytes = bytes
            (bytes[place], bytes[place + 1]) = (UInt8(~sum >> 8 & 0xff), UInt8(~sum & 0xff))
            return bytes
        }

        @Test(arguments: ["call", "ring"])
        func framesComeBack(how: String) throws {
            let tap = PersistentTap()
            let host = HostEnd(tap.name)
            var child = try run(tap.name, ["netbench", "reflect", how, "20"])
            let childSpeaks = child.waits(for: "ready")
            #expect(childSpeaks)
            for number: UInt8 in 0..<20 {
                let body: [UInt8] = [0x88, 0xb5] + [UInt8](repeating: number, count: 50 + Int(number))
                host.send([2, 0, 0, 0, 0, 2] + us + body)
                #expect(host.receive { $0 == us + [2, 0, 0, 0, 0, 2] + body })
            }
            #expect(child.finish().how == .exited(0))
        }

        /// A word that netbench does not know is no measurement.
        @Test(arguments: [["nonsense", "ring"], ["send"], ["send", "nonsense"]])
        func wrongWordsAreNoMeasurement(words: [String]) throws {
            let tap = PersistentTap()
            var child = try run(tap.name, ["netbench"] + words)
            let ending = child.finish()
            #expect(ending.how == .exited(1) && ending.outputText.hasPrefix("FAILED: "), "\(ending.outputText)")
        }

        @Test func aNetworkThatGoesIsToldToTheGuest() throws {
            let tap = PersistentTap()
            var child = try run(tap.name, ["netecho"])
            let childSpeaks = child.waits(for: "answers ARP and ping")
            #expect(childSpeaks)
            deleteInterface(tap.name)
            let ending = child.finish()
            #expect(ending.how == .exited(1) && ending.outputText.contains("the network is still there"))
        }

        @Test func aStopEndsAReceive() throws {
            let tap = PersistentTap()
            for how in ["call", "ring"] {
                var child = try run(tap.name, ["netbench", "reflect", how, "20"])
                let childSpeaks = child.waits(for: "ready")
                #expect(childSpeaks)
                child.send(SIGTERM)
                #expect(child.finish().how == .exited(128 + SIGTERM))
            }
        }
    }
}
