// Several vCPUs in a snapshot's file: what is written is read, and what is wrong with their part is refused.
//
// The machine that is saved has not run: all but its first vCPU wait to be started. Read next: PoolTests.swift.

import CSnapshot
import Host
import TestSupport
import Testing
import VMM

@testable import Snapshot

@Suite(.requiresKVM) struct OtherVCPUTests {
    private let folder = ScratchFolder()

    private func saved(cpus: Int) throws -> String {
        let path = "\(folder.path)/snapshot"
        try SavedMachine.save(try SavedMachine.make(in: folder, cpus: cpus), path)
        return path
    }

    @Test func allOfThemAreThere() throws {
        let path = try saved(cpus: 3)
        let snapshot = try Snapshot(path)
        #expect(snapshot.vcpuCount == 3 && snapshot.header.format == 2)
        let others = OtherVCPUs(snapshot.others)
        #expect(others.count == 2)
        #expect((0..<3).map { others.record($0)?.is_started } == [0, 0, nil])
        #expect(others.state(2) == nil && others.state(-1) == nil)
        let machine = try SavedMachine.restore(path)
        #expect(machine.others.count == 2)
        let again = "\(folder.path)/again"
        try SavedMachine.save(machine, again)
        #expect(try Snapshot(again).vcpuCount == 3)
        #expect(try snapshot.describe().vcpuCount == 3)
    }

    @Test func aMachineOfOneIsWrittenAsEver() throws {
        let snapshot = try Snapshot(try saved(cpus: 1))
        #expect(snapshot.vcpuCount == 1 && snapshot.header.format == 1 && snapshot.others == nil)
    }

    @Test func aMergedFileHasThemToo() throws {
        let snapshot = try Snapshot(try saved(cpus: 2))
        let merged = "\(folder.path)/merged"
        _ = try snapshot.merge(into: merged)
        #expect(try Snapshot(merged).vcpuCount == 2)
    }

    @Test func itIsNotCloned() throws {
        let path = try saved(cpus: 2)
        #expect(throws: SnapshotError.self) { _ = try CloneSource(try Snapshot(path)) }
    }

    /// Right checksums around numbers that are wrong.
    @Test func hostileRecordsAreRefused() throws {
        let path = try saved(cpus: 2)
        let changes: [(inout csnapshot_other) -> Void] = [
            { $0.waiting_vector = 256 }, { ($0.timer_deadline, $0.timer_vector) = (0, 3) },
            { ($0.timer_deadline, $0.timer_vector) = (0, 256) },
        ]
        for change in changes { #expect(try refusal(path, record: change)?.contains("state of other vCPUs") == true) }
        for count: UInt32 in [1, 3, 16] {
            #expect(try refusal(path, count: count)?.contains("state of other vCPUs") == true, "\(count)")
        }
        #expect(try refusal(path) == nil, "the forger makes no mistakes of its own")
    }

    private func refusal(
        _ path: String, record change: (inout csnapshot_other) -> Void = { _ in }, count: UInt32 = 2
    ) throws -> String? {
        let original = try File.regular(path)
        var bytes = try original.read(at: 0, Int(try original.size()))
        bytes.withUnsafeMutableBytes { file in
            var header = file.loadUnaligned(as: csnapshot_header.self)
            var machine = file.loadUnaligned(fromByteOffset: Int(header.sections.0.offset), as: csnapshot_machine.self)
            machine.vcpu_count = count
            header.sections.0.checksum = checksum(of: machine)
            file.storeBytes(of: machine, toByteOffset: Int(header.sections.0.offset), as: csnapshot_machine.self)
            let (start, size) = (Int(header.sections.4.offset), Int(header.sections.4.size))
            var record = file.loadUnaligned(fromByteOffset: start, as: csnapshot_other.self)
            change(&record)
            file.storeBytes(of: record, toByteOffset: start, as: csnapshot_other.self)
            header.sections.4.checksum = checksum(of: Array(file[start..<start + size]))
            header.checksum = 0
            header.checksum = checksum(of: header)
            file.storeBytes(of: header, as: csnapshot_header.self)
        }
        do throws(SnapshotError) {
            _ = try Snapshot(try write(bytes))
            return nil
        } catch { return error.message }
    }

    private func write(_ bytes: [UInt8]) throws(SnapshotError) -> String {
        do { return try folder.file("forged", bytes) } catch { throw .unsupported("no room") }
    }
}
