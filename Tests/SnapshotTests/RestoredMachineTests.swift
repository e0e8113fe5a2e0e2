// A machine in this process, saved and made again: it goes on where it stood, and the host is checked first.
//
// Read next: Tests/GuestTests/SnapshotTests.swift, which does so with whole programs at random instants.

import Backing
import CABI
import CSnapshot
import Foundation
import GuestMemory
import Host
import ImageBuilder
import Synchronization
import TestSupport
import Testing

@testable import Snapshot
@testable import VMM

extension Extents {
    var list: [csnapshot_extent] { indices.map { self[$0] } }
}

enum SavedMachine {
    /// A machine that has not run: it exits with 42 when it does.
    static func make(
        in folder: ScratchFolder, _ backing: Backing = .anonymous, memory: UInt64 = 1 << 20, maximum: UInt64? = nil,
        cpus: Int = 1
    ) throws -> Machine {
        let callPage: [UInt8] = [0x00, 0x00, 0x02, 0x00]  // 0x20000
        let store: [UInt8] = [0x48, 0xc7, 0x04, 0x25] + callPage + [42, 0, 0, 0]  // mov qword [call page], 42
        let exit: [UInt8] = [0xba, 0x20, 0x05, 0, 0, 0xef]  // mov edx, 0x520; out dx, eax
        var configuration = Configuration(
            image: try folder.file("guest.elf", ELFBuilder.guest(code: store + exit).build()))
        (configuration.memorySize, configuration.memoryMaximum) = (memory, maximum)
        (configuration.backing, configuration.cpus) = (backing, cpus)
        var phases = Phases(start: Clock.monotonic())
        return try Machine(configuration, console: Console(input: -1, output: -1), phases: &phases)
    }

    static func save(_ machine: Machine, _ path: String) throws(SnapshotError) {
        _ = try machine.save(to: path, byGuest: false)
    }

    static func open(_ path: String) throws(SnapshotError) { _ = try Snapshot(path) }

    static func restore(_ path: String) throws(SnapshotError) -> Machine {
        let snapshot = try Snapshot(path)
        var phases = Phases(start: Clock.monotonic())
        return try Machine(
            restoring: snapshot, Configuration(image: ""), console: Console(input: -1, output: -1), phases: &phases)
    }
}

@Suite(.requiresKVM) struct RestoredMachineTests {
    private let folder = ScratchFolder()
    private var path: String { "\(folder.path)/snapshot" }

    /// Its exit status, from a thread with signals of its own.
    private func run(_ machine: Machine) throws -> Int32 {
        let status = Status()
        let thread = try Thread {
            guard let signals = try? blockStopSignals(), let outcome = try? machine.runSaving(signals: signals) else {
                return
            }
            status.value.store(outcome.stop.exitStatus, ordering: .releasing)
        }
        thread.join()
        return status.value.load(ordering: .acquiring)
    }

    private final class Status: Sendable {
        let value = Atomic<Int32>(-1)
    }

    @Test func goesOnWhereItStood() throws {
        _ = try SavedMachine.make(in: folder).save(to: path, byGuest: false)
        #expect(try run(SavedMachine.restore(path)) == 42)
        #expect(try run(SavedMachine.restore(path)) == 42, "as often as one likes")
    }

    /// A page of a file need not be mapped to have content: this process's page table says nothing about it.
    @Test func whatIsInAFileIsSavedThoughItIsNotMapped() throws {
        let first = try SavedMachine.make(in: folder, .memfd)
        let address = GuestAddress(0x8_0000)
        first.platform.memory.write(UInt64(7), at: address)
        let page = unsafe UnsafeMutableRawPointer(bitPattern: first.platform.memory.hostBase + 0x8_0000)
        let isUnmapped = unsafe madvise(page, 4096, MADV_DONTNEED) == 0
        #expect(isUnmapped)
        _ = try first.save(to: path, byGuest: false)
        #expect(try SavedMachine.restore(path).platform.memory.read(address) == UInt64(7))
    }

    /// Memory is a file, and the file is cut short: half of memory would be saved as zeros.
    @Test func fileThatWasCutShortIsNotSaved() throws {
        let memory = "\(folder.path)/memory"
        let first = try SavedMachine.make(in: folder, .file(memory))
        let isShorter = unsafe truncate(memory, 1 << 19) == 0
        #expect(isShorter)
        let error = #expect(throws: SnapshotError.self) { try SavedMachine.save(first, path) }
        #expect(error?.message.contains("cut short") == true)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func clockAndCountGoOn() throws {
        let first = try SavedMachine.make(in: folder)
        while first.platform.clock.now() < 1_000_000 {}
        _ = try first.save(to: path, byGuest: false)
        let saved = first.platform.clock.now()
        let second = try SavedMachine.restore(path)
        #expect(second.platform.clock.now() >= 1_000_000)
        #expect(second.platform.clock.now() < saved + 10_000_000_000)
        func page(_ machine: Machine) -> swiftlet_call_page? { machine.platform.memory.read(.init(0x2_0000)) }
        #expect(page(first)?.generation == 0)
        #expect(page(second)?.generation == 1)
        #expect(page(second)?.clock.version == 4)
        _ = try second.save(to: path, byGuest: false)
        let third = try SavedMachine.restore(path)
        #expect(page(third)?.generation == 2)
        let (a, b) = (page(second)?.entropy, page(third)?.entropy)
        #expect(withUnsafeBytes(of: a) { Data($0) } != withUnsafeBytes(of: b) { Data($0) })
    }

    /// Saved again without a run between, memory and registers are the same, byte for byte.
    @Test func aSnapshotOfARestoredMachineIsTheSame() throws {
        _ = try SavedMachine.make(in: folder).save(to: path, byGuest: false)
        let other = "\(folder.path)/other"
        _ = try SavedMachine.restore(path).save(to: other, byGuest: false)
        let a = try Snapshot(path)
        let b = try Snapshot(other)
        #expect(a.vcpu.checksum == b.vcpu.checksum)
        let (before, after) = (a.extents.list, b.extents.list)
        #expect(before.map(\.address) == after.map(\.address))
        #expect(before.map(\.size) == after.map(\.size))
        let changed = zip(before, after).filter { $0.checksum != $1.checksum }.map { $0.0 }
        #expect(changed.allSatisfy { $0.address <= 0x2_0000 }, "the call page alone")
    }

    @Test func hostMustHaveItsFeatures() throws {
        _ = try SavedMachine.make(in: folder).save(to: path, byGuest: false)
        let error = #expect(throws: SnapshotError.self) { try Self.check(path, without: 1 << 20) }
        #expect(error?.message.contains("lacks: SSE4.2") == true)
        try Self.check(path, without: 0)
    }

    private static func check(_ path: String, without bits: UInt32) throws(SnapshotError) {
        let snapshot = try Snapshot(path)
        var features = snapshot.features
        features.leaf1_ecx &= ~bits
        try snapshot.checkHost(features)
    }
}
