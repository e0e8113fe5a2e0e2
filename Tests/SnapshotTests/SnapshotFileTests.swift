// A snapshot's file: what was written is read; what is damaged, cut short, foreign, newer or hostile is refused in words.
//
// The machine that is saved has not run: no thread, no signals. Read next: RestoredMachineTests.swift.

import CSnapshot
import Foundation
import Host
import TestSupport
import Testing

@testable import Snapshot

@Suite(.requiresKVM) struct SnapshotFileTests {
    private let folder = ScratchFolder()

    private func saved() throws -> (path: String, bytes: [UInt8]) {
        let path = "\(folder.path)/snapshot"
        let machine = try SavedMachine.make(in: folder)
        _ = try machine.save(to: path, byGuest: false)
        return (path, try bytes(path))
    }

    private func bytes(_ path: String) throws -> [UInt8] {
        let file = try File.regular(path)
        return try file.read(at: 0, Int(try file.size()))
    }

    /// Opens and verifies a file with this content; its error's words, or nil.
    private func refusal(of content: [UInt8]) throws -> String? {
        let path = try folder.file("changed", content)
        do throws(SnapshotError) {
            let snapshot = try Snapshot(path)
            try snapshot.verify()
            return nil
        } catch { return error.message }
    }

    @Test func whatWasWrittenIsRead() throws {
        let (path, bytes) = try saved()
        let snapshot = try Snapshot(path)
        try snapshot.verify()
        #expect(snapshot.memorySize == 1 << 20)
        #expect(snapshot.fileSize == UInt64(bytes.count))
        #expect(snapshot.image == "\(folder.path)/guest.elf", "an absolute path")
        #expect(snapshot.savedBytes < 512 << 10, "pages of zeros are left out")
    }

    @Test func onlyItsOwnerMayReadIt() throws {
        let path = try saved().path
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func nothingElseIsLeftBehind() throws {
        let path = try saved().path
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == ["guest.elf", "snapshot"])
        _ = try SavedMachine.make(in: folder).save(to: path, byGuest: false)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
    }

    /// Every byte counts, but those between the sections.
    @Test func everyFlippedByteIsFound() throws {
        let (path, good) = try saved()
        let used = try usedBytes(path)
        var unnoticed: [Int] = []
        for index in good.indices where index < 600 || index % (index < 20_000 ? 41 : 4099) == 0 {
            var bad = good
            bad[index] ^= 0x10
            if try refusal(of: bad) == nil { unnoticed.append(index) }
        }
        #expect(unnoticed.filter { used.contains($0) } == [])
    }

    private func usedBytes(_ path: String) throws -> IndexSet {
        var header = csnapshot_header()
        let file = try File.regular(path)
        #expect(try file.read(&header, at: 0))
        var used = IndexSet(integersIn: 0..<MemoryLayout<csnapshot_header>.size)
        let sections = [
            header.sections.0, header.sections.1, header.sections.2, header.sections.3, header.sections.4,
        ]
        for section in sections { used.insert(integersIn: Int(section.offset)..<Int(section.offset + section.size)) }
        let snapshot = try Snapshot(path)
        for extent in snapshot.extents.list {
            used.insert(integersIn: Int(extent.offset)..<Int(extent.offset) + Int(extent.size))
        }
        return used
    }

    @Test func everyTruncationIsFound() throws {
        let good = try saved().bytes
        for size in [0, 1, 7, 8, 100, 455, 456, 4096, 10_000, good.count / 2, good.count - 1] {
            let words = try refusal(of: Array(good.prefix(size)))
            let expected = size < 8 ? "not a snapshot" : "is cut short: it has \(size) of "
            #expect(words?.contains(expected) == true, "\(size): \(words ?? "accepted")")
        }
        #expect(try refusal(of: good + [0])?.contains("length") == true)
    }

    @Test func foreignFilesAreRefused() throws {
        #expect(try refusal(of: Array("#!/bin/sh\n".utf8))?.contains("not a snapshot") == true)
        #expect(try refusal(of: [UInt8](repeating: 0, count: 8192))?.contains("not a snapshot") == true)
        #expect(throws: SnapshotError.self) { try SavedMachine.open(folder.path) }
        #expect(throws: SnapshotError.self) { try SavedMachine.open("/dev/null") }
        #expect(throws: SnapshotError.self) { try SavedMachine.open("\(folder.path)/none") }
    }

    @Test func textIsAllOfItsBytes() throws {
        func text(_ bytes: [UInt8], from offset: Int = 0) throws -> String? {
            let file = try File.regular(try folder.file("text", bytes))
            return try #require(try Bytes(file, at: 0, count: bytes.count)).text(from: offset)
        }
        #expect(try text(Array("/tmp/\u{e4}".utf8)) == "/tmp/\u{e4}")
        #expect(try text(Array("/tmp/x".utf8), from: 5) == "x")
        #expect(try text(Array("/tmp/x".utf8), from: 6)?.isEmpty == true)
        #expect(try text(Array("/tmp/x".utf8), from: 7) == nil)
        #expect(try text(Array("/tmp\0/x".utf8)) == nil, "the kernel would open another")
        #expect(try text([0x2f, 0xe4]) == nil, "no UTF-8")
    }

    @Test func newerFormatIsNamed() throws {
        var bytes = try saved().bytes
        bytes[8] = 3
        #expect(try refusal(of: bytes)?.contains("format 3, which a newer swiftlet wrote") == true)
    }

    /// Right checksums around numbers that are wrong.
    @Test func hostileNumbersAreRefused() throws {
        let changes: [(inout csnapshot_machine) -> Void] = [
            { $0.vcpu_count = 17 }, { $0.vcpu_count = 0 }, { $0.abi_version = 99 }, { $0.memory_size = 4095 },
            { $0.memory_size = .max },
            { $0.memory_size = 1 << 20 + 1 }, { $0.stack_start = .max }, { $0.clock = .max },
            { $0.waiting_vector = 256 },
            { ($0.timer_deadline, $0.timer_vector) = (0, 3) }, { $0.memory_size = 1 << 62 },
        ]
        for (index, change) in changes.enumerated() {
            let words = try refusal(of: try forged(machine: change))
            #expect(words?.contains("machine state") == true, "\(index): \(words ?? "accepted")")
        }
        let wrong: [(inout csnapshot_extent) -> Void] = [
            { $0.address = 1 << 40 }, { $0.address = 0x1001 }, { $0.address = 0 }, { $0.size = 0 },
            { $0.size = 1 << 21 }, { $0.offset = 0 },
            { $0.offset = 1 << 62 }, { $0.offset += 1 }, { $0.address = .max - 4095 }, { $0.offset = .max - 4095 },
        ]
        for (index, change) in wrong.enumerated() {
            let words = try refusal(of: try forged(extent: change))
            #expect(words?.contains("table of memory") == true, "\(index): \(words ?? "accepted")")
        }
    }

    private func forged(
        machine change: ((inout csnapshot_machine) -> Void)? = nil,
        extent: ((inout csnapshot_extent) -> Void)? = nil
    ) throws -> [UInt8] {
        var bytes = try saved().bytes
        bytes.withUnsafeMutableBytes { file in
            var header = file.loadUnaligned(as: csnapshot_header.self)
            if let change {
                var machine = file.loadUnaligned(
                    fromByteOffset: Int(header.sections.0.offset), as: csnapshot_machine.self)
                change(&machine)
                header.sections.0.checksum = checksum(of: machine)
                file.storeBytes(of: machine, toByteOffset: Int(header.sections.0.offset), as: csnapshot_machine.self)
            }
            if let extent {
                let section = header.sections.3
                let start = Int(section.offset)
                var list = (0..<Int(section.size) / 24).map {
                    file.loadUnaligned(fromByteOffset: start + $0 * 24, as: csnapshot_extent.self)
                }
                extent(&list[list.count - 1])
                header.sections.3.checksum = checksum(of: list)
                for (index, entry) in list.enumerated() {
                    file.storeBytes(of: entry, toByteOffset: start + index * 24, as: csnapshot_extent.self)
                }
            }
            header.checksum = 0
            header.checksum = checksum(of: header)
            file.storeBytes(of: header, as: csnapshot_header.self)
        }
        return bytes
    }

    @Test func checksumIsCRC32C() {
        // RFC 3720, B.4.
        #expect(checksum(of: Array("123456789".utf8)) == 0xe306_9283)
        #expect(checksum(of: [UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    }

    @Test func nearRangesAreMerged() {
        #expect(MemoryScan.merged([0..<1, 3..<4, 10..<12], gap: 2) == [0..<4, 10..<12])
    }
}
