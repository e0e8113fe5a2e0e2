// Guests on a disk that fails, and on one whose power is cut: an error is told, and what was flushed is there.
//
// Read next: Tests/TestSupport/FaultyDisk.swift, guests/disk-orders, guests/blockbench (flood).

import Foundation
import GuestCases
import Host
import TestSupport
import Testing

private let (ioError, noSpace) = (-2, -3)  // SWIFTLET_IO_ERROR, SWIFTLET_NO_SPACE
private let floodedBytes = 256 << 10

/// A guest that does what it is told with this disk.
private func orders(_ disk: FaultyDisk) throws -> Child {
    try House.run(["--block", "disk=\(disk.path)", House.image("disk-orders")], input: .open)
}

extension Child {
    /// Whether an order comes to this.
    fileprivate mutating func answers(_ order: String, _ result: Int, _ more: String = "") -> Bool {
        type("\(order)\n")
        return waits(for: "\(order): \(result)\(more)\n", seconds: 5)
    }
}

extension GuestTests {
    @Suite(.requiresKVM, .requiresFuse) struct FaultyDisks {
        @Test(arguments: ["call", "ring"])
        func anErrorIsTheGuestsAndTheMachineGoesOn(how: String) throws {
            let disk = try FaultyDisk(size: 16384)
            var guest = try orders(disk)
            disk.fail(.read, 4096..<8192)
            disk.fail(.write, 8192..<8193, with: EIO)
            disk.fail(.write, 12288..<16384, with: ENOSPC)
            for (order, result, more) in [
                ("read 1", ioError, ""), ("write 0", 0, ""), ("write 2", ioError, ""), ("write 3", noSpace, ""),
                ("read 0", 0, ", 1"), ("flush 0", 0, ""),
            ] {
                let isAnswered = guest.answers("\(how) \(order)", result, more)
                #expect(isAnswered, "\(order)")
            }
            #expect(disk.durable[0] == 1 && disk.written[8192...].allSatisfy { $0 == 0 })
            guest.closeInput()
            #expect(guest.finish().how == .exited(0))
        }

        /// What the page cache took and the disk did not: the flush says so, and the next one tells of the next writes.
        @Test(arguments: ["call", "ring"], [(EIO, ioError), (ENOSPC, noSpace)])
        func aFlushTellsOfWritesThatFailed(how: String, error: (number: Int32, result: Int)) throws {
            let disk = try FaultyDisk(size: 16384, .writeBack)
            var guest = try orders(disk)
            disk.fail(.write, 4096..<8192, with: error.number)
            var isAnswered = guest.answers("\(how) write 1", 0) && guest.answers("\(how) flush 1", error.result)
            #expect(isAnswered)
            disk.heal()
            isAnswered = guest.answers("\(how) write 2", 0) && guest.answers("\(how) flush 2", 0)
            #expect(isAnswered && disk.durable[8192] == 3)
            disk.fail(.flush, with: error.number)
            isAnswered = guest.answers("\(how) flush 3", error.result) && guest.answers("\(how) read 2", 0, ", 3")
            #expect(isAnswered)
            guest.closeInput()
            #expect(guest.finish().how == .exited(0))
        }

        /// A time limit ends the guest, but the memory that the disk reads into goes later.
        @Test func aMachineEndsWithReadsUnderWay() throws {
            let disk = try FaultyDisk(size: 16384)
            let options = ["--timeout", "0.5", "--block", "disk=\(disk.path)"]
            var guest = try House.run(options + [House.image("disk-orders")], input: .open)
            let isAnswered = guest.answers("ring read 0", 0, ", 0")
            disk.hold(.read)
            guest.type("ring read 1\n")
            usleep(1_000_000)
            #expect(isAnswered && disk.waiting == 1)
            disk.release()
            #expect(guest.finish().how == .exited(124))
        }

        /// hvt has no word for it: the machine ends, and says so.
        @Test(arguments: [FaultyDisk.Operation.read, .write])
        func aUnikernelsDiskThatFailsEndsIt(operation: FaultyDisk.Operation) throws {
            let disk = try FaultyDisk(size: floodedBytes)
            disk.fail(operation, 51200..<51201)  // the eleventh block that it uses
            let image = House.image("hvt-block")
            var child = try House.run(["--block", "storage=\(disk.path)", image])
            var ending = child.finish()
            let (doing, which) = (operation == .read ? "reading" : "writing", "the disk 'storage' (\(disk.path))")
            let part = "\(doing) \(operation == .read ? "from" : "to") \(which)"
            #expect(ending.isRefusal(mentioning: "\(part) failed: \(errnoText(EIO))"), "\(ending.errorText)")
            child = try Child(House.bench.swiftlet, ["solo5-hvt", "--block:storage=\(disk.path)", image])
            ending = child.finish()
            let words = "solo5-hvt: Fatal error when \(doing): \(errnoText(EIO)): \(part)\n"
            #expect(ending.how == .exited(1) && ending.errorText == words, "\(ending.errorText)")
        }

        /// Who never flushes is not told of writes that fail behind the page cache; whoever runs it is.
        @Test(arguments: ["call", "ring"])
        func whatIsLostWithoutAFlushIsToldAtTheEnd(how: String) throws {
            let words = "making permanent what was written to the disk 'disk'"
            for (end, status) in [("input", 125), ("signal", 128 + SIGTERM), ("flush", 0)] {
                let disk = try FaultyDisk(size: 16384, .writeBack)
                var guest = try orders(disk)
                disk.fail(.write, with: ENOSPC)
                var isAnswered = guest.answers("\(how) write 1", 0)
                if end == "flush" { isAnswered = isAnswered && guest.answers("\(how) flush 1", noSpace) }
                if end == "signal" { guest.send(SIGTERM) } else { guest.closeInput() }
                let ending = guest.finish()
                #expect(isAnswered && ending.how == .exited(status), "\(end): \(ending.errorText)")
                let lines = ending.errorText.split(separator: "\n").filter { $0.contains(words) }
                #expect(lines.count == (end == "flush" ? 0 : 1), "\(ending.errorText)")
                #expect(lines.allSatisfy { $0.hasSuffix("failed: \(errnoText(ENOSPC))") }, "\(lines)")
            }
        }

        /// Nobody takes the answer of who submits and exits; whoever runs it is told.
        @Test(arguments: [
            (FaultyDisk.Caching.none, FaultyDisk.Operation.write, "write"), (.writeBack, .write, "flush"),
            (.writeBack, .flush, "flush"),
        ])
        func whatFailsBehindTheGuestsEndIsTold(
            caching: FaultyDisk.Caching, failing: FaultyDisk.Operation, last: String
        ) throws {
            for fails in [true, false] {
                let disk = try FaultyDisk(size: 16384, caching)
                var guest = try orders(disk)
                let isAnswered = guest.answers("ring write 1", 0)
                if fails { disk.fail(failing) }
                guest.type("leave \(last) 1\n")
                let ending = guest.finish()
                let words =
                    "making permanent what was written to the disk 'disk' (\(disk.path)) failed: \(errnoText(EIO))"
                let isRight =
                    fails ? ending.how == .exited(125) && ending.errorText.contains(words) : ending.how == .exited(0)
                #expect(isAnswered && isRight, "\(ending.how) \(ending.errorText)")
                #expect(fails || disk.durable[4096] == 2)
            }
        }

        /// It can be opened for writing, and then every write fails. Without the right to make one there is nothing to show.
        @Test func aDeviceThatTakesNoWritesIsRefused() throws {
            let folder = TestSupport.ScratchFolder()
            let file = try folder.file("disk", [UInt8](repeating: 1, count: 4096))
            guard var setup = try? Child("/sbin/losetup", ["--read-only", "--find", "--show", file]) else { return }
            let loop = String(setup.finish().outputText.dropLast())
            guard loop.hasPrefix("/dev/loop") else { return }
            var child = try House.run(["--block", "disk=\(loop)", House.image("disk-orders")])
            let refused = child.finish()
            child = try House.run(["--block", "disk=\(loop),ro", House.image("disk-orders")])
            let accepted = child.finish()
            setup = try Child("/sbin/losetup", ["--detach", loop])
            _ = setup.finish()
            #expect(refused.isRefusal(mentioning: "attach it with ,ro"), "\(refused.errorText)")
            #expect(accepted.how == .exited(0), "\(accepted.errorText)")
        }

        /// hvt has no call to flush.
        @Test func aUnikernelsWritesAreFlushedAtItsEnd() throws {
            let image = House.image("hvt-block")
            for (program, status) in [(["run", "--block", "storage="], 125), (["solo5-hvt", "--block:storage="], 1)] {
                var disk = try FaultyDisk(size: floodedBytes, .writeBack)
                let arguments = { (disk: FaultyDisk) in program.dropLast() + [program[program.count - 1] + disk.path] }
                var child = try Child(House.bench.swiftlet, arguments(disk) + [image])
                #expect(child.finish().how == .exited(0))
                let isThere = disk.durable == disk.written
                #expect(isThere)
                disk = try FaultyDisk(size: floodedBytes, .writeBack)
                disk.fail(.write)
                child = try Child(House.bench.swiftlet, arguments(disk) + [image])
                let ending = child.finish()
                #expect(ending.how == .exited(Int32(status)) && ending.outputText == "hvt-block: ok\n")
                #expect(ending.errorText.contains("written to the disk 'storage'"), "\(ending.errorText)")
            }
        }

        /// At any moment: every record that the guest was told is flushed is there, or a later one in its place.
        @Test(arguments: ["call", "ring"], [FaultyDisk.Caching.none, .writeBack])
        func whatIsFlushedSurvivesAPowerCut(how: String, caching: FaultyDisk.Caching) throws {
            for _ in 0..<5 {
                let disk = try FaultyDisk(size: floodedBytes, caching)
                var child = try House.run(["--block", "disk=\(disk.path)", House.image("blockbench"), "flood", how])
                let childSpeaks = child.waits(for: "\n16\n")
                #expect(childSpeaks)
                usleep(.random(in: 0..<100_000))
                let left = disk.cutPower()
                child.send(SIGKILL)
                try expectFlushedRecords(of: child.finish().outputText, in: left)
            }
        }
    }
}

/// Of `blockbench flood`: record n of 512 bytes says n in each of its words, at place n modulo the disk's places, and the last
/// whole line of the output that is a number is the last that is flushed; a guest may have complained about its disk since.
func expectFlushedRecords(of output: String, in disk: [UInt8]) throws {
    // What is behind the last line's end may be cut off.
    let flushed = try #require(
        output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { UInt64($0) }.last)
    let places = UInt64(disk.count / 512)
    var missing: [String] = []
    for number in max(1, flushed - min(flushed - 1, places - 1))...flushed {
        let place = Int(number % places) * 512
        let words = stride(from: place, to: place + 512, by: 8).map { start in
            disk[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let found = words[0]
        if found < number || (found - number) % places != 0 || !words.allSatisfy({ $0 == found }) {
            missing.append("record \(number) is \(found)")
        }
    }
    #expect(missing.isEmpty, "\(missing.count) of \(flushed): \(missing.prefix(3))")
}
