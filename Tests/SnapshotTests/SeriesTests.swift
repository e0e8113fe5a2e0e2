// A series of snapshots in this process: a chain holds what a whole snapshot of the same instant holds, and no part of it
// can be another than it was.
//
// Read next: Tests/GuestTests/IncrementTests.swift.

import Backing
import CSnapshot
import Foundation
import GuestMemory
import Host
import TestSupport
import Testing

@testable import Snapshot
@testable import VMM

@Suite(.requiresKVM) struct SeriesTests {
    private let folder = ScratchFolder()
    private var path: String { "\(folder.path)/snapshot" }

    private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    private func refusal(_ path: String) -> String? {
        do throws(SnapshotError) {
            let snapshot = try Snapshot(path)
            try snapshot.verify()
            return nil
        } catch { return error.message }
    }

    /// Changes memory in the ways that the VMM has.
    private func change(_ machine: Machine, _ round: UInt64) {
        let platform = machine.platform
        platform.memory.write(round, at: GuestAddress(0x8_0000 + round * 0x3000))
        platform.memory.write(
            bytes: [UInt8](repeating: UInt8(round), count: 5000), at: GuestAddress(0xa_0ff0 + round * 0x1000))
        _ = platform.memory.withMutableSpan(GuestAddress(0xc_0000 + round * 0x2000), 8) {
            $0.storeBytes(of: round, as: UInt64.self)
        }
        platform.memory.writeMachine(round, at: 0x2ff0)
        _ = MemoryStore.release(
            GuestAddress(0xa_1000 + (round - 1) * 0x1000), 0x1000, of: platform.memory, in: platform.store)
    }

    @Test(arguments: [Backing.anonymous, .memfd])
    func chainHoldsWhatAWholeFileHolds(backing: Backing) throws {
        let machine = try SavedMachine.make(in: folder, backing)
        let series = SnapshotSeries(path)
        #expect(try series.save(machine, byGuest: false).parent == nil)
        for round in 1...4 as ClosedRange<UInt64> {
            change(machine, round)
            let saved = try series.save(machine, byGuest: false)
            #expect(saved.parent == "snapshot.\(round)")
            #expect(saved.fileSize < 300 << 10)
            let (whole, merged) = ("\(folder.path)/whole", "\(folder.path)/merged")
            _ = try machine.save(to: whole, byGuest: false)
            let size = try Self.merge(path, into: merged)
            #expect(size > 0)
            let a = try Snapshot(whole)
            let b = try Snapshot(merged)
            #expect(a.extents.list.map(\.address) == b.extents.list.map(\.address))
            #expect(a.extents.list.map(\.checksum) == b.extents.list.map(\.checksum))
        }
        let chain = try Snapshot(path)
        #expect(chain.parentCount == 4)
        #expect(chain.header.format == 2, "an older reader refuses it as newer")
        let plain = try Snapshot("\(path).1")
        #expect(plain.header.format == 1, "which reads what stands alone")
    }

    private static func merge(_ path: String, into output: String) throws(SnapshotError) -> UInt64 {
        let snapshot = try Snapshot(path)
        return try snapshot.merge(into: output)
    }

    /// The newest file's place may be taken, for nothing is on top of it; that of one below it may not.
    @Test func mergeSparesWhatOthersNeed() throws {
        let machine = try SavedMachine.make(in: folder)
        let series = SnapshotSeries(path)
        for _ in 0..<3 { _ = try series.save(machine, byGuest: false) }
        for parent in ["snapshot.1", "snapshot.2"] {
            #expect(throws: SnapshotError.self) { _ = try Self.merge(path, into: "\(folder.path)/./\(parent)") }
        }
        #expect(refusal(path) == nil)
        #expect(try Self.merge(path, into: path) > 0)
        let merged = try Snapshot(path)
        #expect(merged.parentCount == 0)
        #expect(refusal("\(path).2") == nil)
    }

    /// The file that ends a chain takes the place of the chain's own parts, and of nobody's that has a part's name by now.
    @Test func endOfAChainSparesOthers() throws {
        let machine = try SavedMachine.make(in: folder)
        let series = SnapshotSeries(path)
        for _ in 0...SnapshotSeries.longest { _ = try series.save(machine, byGuest: false) }
        unsafe unlink("\(path).3")
        _ = try folder.file("snapshot.3", [1])
        #expect(try series.save(machine, byGuest: false).whyWhole?.contains("ends a chain") == true)
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(left == ["guest.elf", "snapshot", "snapshot.3"])
        #expect(try bytes("\(path).3") == [1])
    }

    /// A file whose writing fails leaves the changes to the next.
    @Test func failureLosesNothing() throws {
        let machine = try SavedMachine.make(in: folder)
        let series = SnapshotSeries(path)
        _ = try series.save(machine, byGuest: false)
        change(machine, 1)
        let isBlocked = unsafe mkdir("\(path).\(getpid()).new", 0o700) == 0
        #expect(isBlocked)
        #expect(throws: SnapshotError.self) { try Self.save(series, machine) }
        unsafe rmdir("\(path).\(getpid()).new")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["guest.elf", "snapshot"])
        #expect(try series.save(machine, byGuest: false).parent == "snapshot.1")
        let restored = try SavedMachine.restore(path)
        #expect(restored.platform.memory.read(GuestAddress(0x8_3000)) == UInt64(1))
    }

    private static func save(_ series: SnapshotSeries, _ machine: Machine) throws(SnapshotError) {
        _ = try series.save(machine, byGuest: false)
    }

    /// Another file at the path is not built upon, and nobody's file is overwritten.
    @Test func replacedFileIsNotBuiltUpon() throws {
        let machine = try SavedMachine.make(in: folder)
        let series = SnapshotSeries(path)
        _ = try series.save(machine, byGuest: false)
        _ = try folder.file("snapshot.1", [1])
        #expect(try series.save(machine, byGuest: false).parent == "snapshot.2")
        _ = try machine.save(to: path, byGuest: false)
        let saved = try series.save(machine, byGuest: false)
        #expect(saved.parent == nil && saved.whyWhole?.contains("is not what it was") == true)
        unsafe unlink(path)
        #expect(try series.save(machine, byGuest: false).parent == nil)
        #expect(try bytes("\(path).1") == [1])
        #expect(refusal(path) == nil)
    }

    @Test func chainThatLostAPartIsRefused() throws {
        let machine = try SavedMachine.make(in: folder)
        let series = SnapshotSeries(path)
        for _ in 0..<3 { _ = try series.save(machine, byGuest: false) }
        let (first, second) = ("\(path).1", "\(path).2")
        let good = try bytes(first)
        unsafe unlink(first)
        #expect(refusal(path)?.contains("\(first), which is not there") == true)
        _ = try folder.file("snapshot.1", try bytes(second))
        #expect(refusal(path)?.contains("on top of another \(first)") == true)
        _ = try folder.file("snapshot.1", Array(good.dropLast()))
        #expect(refusal(path)?.contains("\(first): the snapshot is cut short") == true)
        _ = try folder.file("snapshot.1", good)
        #expect(refusal(path) == nil, "a copy is as good")
    }

    /// Right checksums around references that lead astray: none is followed out of its folder, or round in a circle.
    @Test func hostileReferencesAreRefused() throws {
        let machine = try SavedMachine.make(in: folder)
        let series = SnapshotSeries(path)
        for _ in 0..<2 { _ = try series.save(machine, byGuest: false) }
        let changes: [(inout csnapshot_parent) -> Void] = [
            { $0.depth = 0 }, { $0.depth = 2 }, { $0.depth = 65 }, { $0.checksum ^= 1 }, { $0.file_size += 1 },
            { $0.identity.words.0 ^= 1 },
        ]
        for (index, change) in changes.enumerated() {
            _ = try folder.file("forged", try forged("snapshot.1", change))
            #expect(refusal("\(folder.path)/forged") != nil, "\(index)")
        }
        for name in ["../x", "/dev/zero", "..", ".", "", "a\0b", "forged"] {
            _ = try folder.file("forged", try forged(name) { _ in })
            #expect(refusal("\(folder.path)/forged") != nil, "\(name)")
        }
        _ = try folder.file("forged", try forged("snapshot.1") { _ in })
        #expect(refusal("\(folder.path)/forged") == nil, "the forger makes no mistakes of its own")
    }

    /// The newest file with another reference to its parent, behind its last byte but one page.
    private func forged(_ name: String, _ change: (inout csnapshot_parent) -> Void) throws -> [UInt8] {
        var file = try bytes(path)
        let room = file.count
        file += [UInt8](repeating: 0, count: 4096)
        var header = file.withUnsafeBytes { $0.loadUnaligned(as: csnapshot_header.self) }
        var section = header.sections.4
        #expect(section.kind == SectionKind.parent.rawValue)
        var record = file.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: Int(section.offset), as: csnapshot_parent.self)
        }
        change(&record)
        let content = withUnsafeBytes(of: record) { Array($0) } + Array(name.utf8)
        file.replaceSubrange(room..<room + content.count, with: content)
        (section.offset, section.size, section.checksum) = (UInt64(room), UInt64(content.count), checksum(of: content))
        header.sections.4 = section
        (header.file_size, header.checksum) = (UInt64(file.count), 0)
        header.checksum = checksum(of: header)
        file.withUnsafeMutableBytes { $0.storeBytes(of: header, as: csnapshot_header.self) }
        return file
    }

    @Test func hostileGrowthIsRefused() throws {
        let machine = try SavedMachine.make(in: folder, memory: 4 << 20, maximum: 12 << 20)
        _ = try machine.save(to: path, byGuest: false)
        #expect(refusal(path) == nil)
        let changes: [(inout csnapshot_growth) -> Void] = [
            { $0.maximum = 2 << 20 }, { $0.maximum = 1 << 41 }, { $0.maximum += 4096 }, { $0.step = 0 },
            { $0.step = 6 << 20 }, { $0.end = 0 }, { $0.end = .max }, { $0.end += 4096 }, { $0.end += 1 << 30 },
        ]
        for (index, change) in changes.enumerated() {
            var file = try bytes(path)
            file.withUnsafeMutableBytes { file in
                var header = file.loadUnaligned(as: csnapshot_header.self)
                let offset = Int(header.sections.4.offset)
                var growth = file.loadUnaligned(fromByteOffset: offset, as: csnapshot_growth.self)
                change(&growth)
                file.storeBytes(of: growth, toByteOffset: offset, as: csnapshot_growth.self)
                header.sections.4.checksum = checksum(of: growth)
                header.checksum = 0
                header.checksum = checksum(of: header)
                file.storeBytes(of: header, as: csnapshot_header.self)
            }
            let forged = try folder.file("forged", file)
            #expect(refusal(forged)?.contains("growth of memory") == true, "\(index)")
        }
    }
}
