// Solo5 unikernels from outside: the command line of solo5-hvt with its exit statuses, and a network both ways.
//
// Read next: docs/solo5.md, guests/hvt-net/main.c.

import Foundation
import Glibc
import GuestCases
import Host
import TestSupport
import Testing

/// A link of the program under the name of Solo5's tender.
private struct Tender: ~Copyable {
    let folder: ScratchFolder
    let path: String

    init(_ name: String = "solo5-hvt") throws {
        let folder = try ScratchFolder()
        let path = "\(folder.path)/\(name)"
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: House.bench.swiftlet)
        self.path = path
        self.folder = folder
    }

    func start(_ arguments: [String]) throws -> Child { try Child(path, arguments) }

    func run(_ arguments: [String]) throws -> Ending {
        var child = try start(arguments)
        return child.finish(seconds: 30)
    }
}

extension GuestTests {
    @Suite(.requiresKVM) struct Unikernels {
        @Test func underTheTendersNameStatusesAreTheTenders() throws {
            let tender = try Tender()
            let hello = House.image("hvt-hello")
            var ending = try tender.run(["--mem=4", "--", hello, "a", "--solo5:quiet"])
            #expect(ending.how == .exited(0) && ending.outputText == "Hello from ring 0!\na --solo5:quiet\n")
            ending = try tender.run([hello, "exit", "37"])
            #expect(ending.how == .exited(37) && ending.errorText.isEmpty)
            ending = try tender.run([House.image("hvt-faults"), "text"])
            #expect(ending.how == .exited(1), "a crash has a status of its own only under swiftlet's name")
            #expect(ending.errorText.hasPrefix("solo5-hvt: KVM: host/guest translation fault: rip=0x"))
            for (arguments, words) in [
                ([], "Missing KERNEL operand"), (["--mem=4098", hello], "exceeds the max size"),
                (["--block:none=/dev/null", hello], "Resource not declared in manifest: 'none'"),
                (
                    ["/nonexistent/kernel"],
                    "solo5-hvt: /nonexistent/kernel: Could not open: No such file or directory\n"
                ),
                (["/etc/passwd"], "/etc/passwd: invalid executable: not an ELF image but a file of unknown kind\n"),
                ([House.image("hello")], "No Solo5 ABI information found in executable"),
            ] as [([String], String)] {
                ending = try tender.run(arguments)
                #expect(ending.how == .exited(1), "\(arguments)")
                #expect(ending.errorText.contains(words), "\(arguments): \(ending.errorText)")
            }
        }

        @Test func allThatIsSaidHasTheTendersName() throws {
            let tender = try Tender()
            // Where the host emulates ring 0 it goes on there, with a line that says so.
            let ending = try tender.run([House.image("hvt-privileged"), "cr3"])
            #expect(ending.how == .exited(0) && ending.outputText == "before\nbehind\n")
            let lines = ending.errorText.split(separator: "\n")
            #expect(lines.allSatisfy { $0.hasPrefix("solo5-hvt: ") }, "\(ending.errorText)")
        }

        /// As the tender says it; who wants silence has it.
        @Test(arguments: [("3", 1), ("4", 0), ("2M", 0), ("2052K", 1)])
        func memoryThatIsRoundedIsSaid(size: String, lines: Int) throws {
            for quiet in [[], ["--quiet"]] {
                var child = try House.run(quiet + ["--mem", size, House.image("hvt-hello")])
                let ending = child.finish()
                #expect(ending.how == .exited(0))
                let words = "swiftlet: --mem: a unikernel's memory is a multiple of 2 MiB: it gets 2 MiB\n"
                #expect(ending.errorText == (lines == 1 && quiet.isEmpty ? words : ""))
            }
        }

        @Test func aNameThatIsNotDeclaredIsToldThoseThatAre() throws {
            var child = try House.run(["--block", "disk=/dev/null", House.image("hvt-block")])
            let words = "Resource not declared in manifest: 'disk': it declares storage (BLOCK_BASIC)"
            #expect(child.finish().isRefusal(mentioning: words))
        }

        /// What it advises, its own command line can take.
        @Test func underTheTendersNameAdviceIsTheTenders() throws {
            let folder = TestSupport.ScratchFolder()
            let odd = try folder.file("odd", [UInt8](repeating: 0, count: 1025))
            let tender = try Tender()
            let image = House.image("hvt-block")
            let missing = "Device 'storage' of type BLOCK_BASIC declared but not attached. "
            for (arguments, words) in [
                ([image], "\(missing)All declared devices must be attached: add --block:storage=PATH"),
                (
                    ["--block:storage=/nowhere", image],
                    "Could not open block device: /nowhere: No such file or directory: 'truncate -s 64M /nowhere' makes a disk"
                ),
                (
                    ["--block:storage=\(odd)", image],
                    "storage: Backing storage size must be block aligned (512 bytes): \(odd): 1025 bytes are no multiple "
                        + "of its sectors' 512: lengthen it to 1536"
                ),
            ] {
                let ending = try tender.run(arguments)
                #expect(ending.how == .exited(1) && ending.errorText == "solo5-hvt: \(words)\n", "\(ending.errorText)")
            }
            var child = try House.run([image])
            #expect(child.finish().isRefusal(mentioning: "must be attached: add --block storage=PATH"))
        }

        /// What is there of Solo5's own is not replaced.
        @Test func installingMakesTheLink() throws {
            let folder = TestSupport.ScratchFolder()
            for isTaken in [false, true] {
                let prefix = "\(folder.path)/\(isTaken)"
                let link = "\(prefix)/bin/solo5-hvt"
                try FileManager.default.createDirectory(atPath: "\(prefix)/bin", withIntermediateDirectories: true)
                if isTaken { try "theirs".write(toFile: link, atomically: false, encoding: .utf8) }
                let variables = ["PREFIX=\(prefix)", "DESTDIR="]
                var child = try Child("/usr/bin/make", ["-C", House.root, "install-tender"] + variables)
                #expect(child.finish().how == .exited(0))
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
                #expect(target == (isTaken ? nil : "swiftlet"))
            }
        }

        @Test func asASubcommandToo() throws {
            var child = try Child(House.bench.swiftlet, ["solo5-hvt", "--mem=2", House.image("hvt-hello")])
            let ending = child.finish(seconds: 30)
            #expect(ending.how == .exited(0) && ending.outputText == "Hello from ring 0!\n")
        }

        @Test func twoDisksAreNotOneFile() throws {
            let folder = TestSupport.ScratchFolder()
            let disk = try folder.file("disk", [UInt8](repeating: 1, count: 4096))
            let tender = try Tender()
            let ending = try tender.run(["--block:storage=\(disk)", "--block:other=\(disk)", House.image("hvt-block")])
            let words = "solo5-hvt: the disk 'storage' and the disk 'other' are one file\n"
            #expect(ending.how == .exited(1) && ending.errorText == words, "\(ending.errorText)")
        }

        @Test func abortLeavesACore() throws {
            let tender = try Tender("solo5-hvt-debug")
            let folder = tender.folder.path
            let ending = try tender.run(["--dumpcore=\(folder)", House.image("hvt-hello"), "exit", "255"])
            #expect(ending.how == .exited(255))
            let cores = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("core.") }
            #expect(!ending.errorText.contains("dumped 0 pages"), "whichever ring it was in, its memory is there")
            #expect(cores.count == 1 && ending.errorText.contains("\(folder)/\(cores.first ?? "?")\n"))
        }

        @Test(.requiresTaps, arguments: ["call", "ring"])
        func framesGoBothWays(way: String) throws {
            let tap = PersistentTap()
            let host = HostEnd(tap.name)
            let tender = try Tender()
            var child = try tender.start(["--net:service=\(tap.name)", House.image("hvt-net"), way])
            try expectEcho(host, "\(way): ")
            let ending = child.finish(seconds: 30)
            #expect(ending.how == .exited(0) && ending.outputText == "hvt-net: ok\n", "\(ending.errorText)")
        }

        @Test(.requiresTaps) func solo5sOptionsAttachANetwork() throws {
            let tap = PersistentTap()
            let host = HostEnd(tap.name)
            let tender = try Tender()
            var child = try tender.start([
                "--mem=4", "--net:service=\(tap.name)", "--net-mac:service=02:00:00:0a:0b:0c", "--",
                House.image("hvt-net"), "ring",
            ])
            let isGreeted = host.receive { $0.count >= 15 && $0[6..<12].elementsEqual([2, 0, 0, 10, 11, 12]) }
            #expect(isGreeted, "the address that was asked for")
            let isBack = host.exchange(frame("f")) { isOurs($0, first: "f") && $0[6] != 4 }
            #expect(isBack)
            host.send(frame("q"))
            #expect(child.finish(seconds: 30).how == .exited(0))
        }

        /// Its own thread sleeps in a poll, the ring's on the doorbell.
        @Test(.requiresTaps) func signalEndsOneThatWaitsForFrames() throws {
            let tap = PersistentTap()
            let host = HostEnd(tap.name)
            let tender = try Tender()
            var child = try tender.start(["--net:service=\(tap.name)", House.image("hvt-net"), "ring"])
            let isGreeted = host.receive { isOurs($0, first: "g") }
            #expect(isGreeted)
            child.send(SIGTERM)
            let ending = child.finish(seconds: 30)
            #expect(ending.how == .exited(1) && ending.errorText == "solo5-hvt: Exiting on signal 15\n")
        }

        @Test(.requiresTaps) func interfaceThatIsTakenAwayEndsTheMachine() throws {
            let tap = PersistentTap()
            let host = HostEnd(tap.name)
            let tender = try Tender()
            var child = try tender.start(["--net:service=\(tap.name)", House.image("hvt-net"), "ring"])
            let isGreeted = host.receive { isOurs($0, first: "g") }
            #expect(isGreeted)
            deleteInterface(tap.name)
            let ending = child.finish(seconds: 30)
            let words = ": reading from the network interface 'service' (\(tap.name))\n"
            #expect(ending.how == .exited(1), "\(ending.errorText)")
            #expect(ending.errorText.hasPrefix("solo5-hvt: Fatal error when reading: "), "\(ending.errorText)")
            #expect(ending.errorText.hasSuffix(words), "\(ending.errorText)")
        }
    }
}

/// Each frame that is sent comes back; then the guest is told to end.
private func expectEcho(_ host: borrowing HostEnd, _ way: String) throws {
    let isGreeted = host.receive { isOurs($0, first: "g") }
    #expect(isGreeted, "\(way)the guest's greeting")
    for number in 0..<20 {
        let sent = frame("f", number: UInt8(number), count: 60 + number * 70)
        // With the addresses the other way round.
        let isBack = host.exchange(sent) {
            isOurs($0, first: "f") && $0[6] != 4 && $0.dropFirst(12) == sent.dropFirst(12)
        }
        #expect(isBack, "\(way)frame \(number)")
    }
    host.send(frame("q"))
}

/// A frame of the type for experiments (IEEE Std 802, 9.2.3) from address 04:..., to everybody.
private func frame(_ first: Character, number: UInt8 = 0, count: Int = 60) -> [UInt8] {
    var frame = [UInt8](repeating: 0xff, count: 6) + [4, 0, 0, 0, 0, 1, 0x88, 0xb5, first.asciiValue ?? 0]
    frame += (frame.count..<count).map { UInt8(truncatingIfNeeded: $0) ^ number }
    return frame
}

private func isOurs(_ frame: [UInt8], first: Character) -> Bool {
    frame.count >= 15 && frame[12] == 0x88 && frame[13] == 0xb5 && frame[14] == first.asciiValue
}
