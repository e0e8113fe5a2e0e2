// Snapshots of the house's guests, made when they say that they are ready: what clones are made of in tests.
//
// The images are what `make guests` has built. Read next: PoolTests.swift.

import Foundation
import Host
import Synchronization
import TestSupport
import VMM

@testable import Snapshot

/// A guest that was saved at its own call, in a file of its own.
struct SavedGuest {
    let folder = ScratchFolder()
    var path: String { "\(folder.path)/snapshot" }

    private static let images =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/guests/build"

    init(_ guest: String, _ arguments: [String] = [], memory: UInt64 = 8 << 20) throws {
        var configuration = Configuration(image: "\(Self.images)/\(guest).elf")
        for argument in arguments { configuration.append(argument: argument) }
        configuration.memorySize = memory
        (configuration.snapshot, configuration.endsWithSnapshot, configuration.quiet) = (path, true, true)
        var phases = Phases(start: Clock.monotonic())
        let machine = try Machine(configuration, console: Console(input: -1, output: -1), phases: &phases)
        let status = Atomic<Int32>(-1)
        try withExtendedLifetime(status) {
            let result = Shared()
            let thread = try Thread {
                guard let signals = try? blockStopSignals(), let outcome = try? machine.runSaving(signals: signals)
                else { return }
                result.value = outcome.stop.exitStatus
                result.isDone = true
            }
            thread.join()
            precondition(result.isDone && result.value == 0, "\(guest) was not saved")
        }
    }

    func open() throws -> Snapshot { try Self.open(path) }

    static func open(_ path: String) throws(SnapshotError) -> Snapshot { try Snapshot(path) }

    func pool(_ change: (inout PoolOptions) -> Void = { _ in }) throws -> Pool {
        var options = PoolOptions()
        change(&options)
        return try Self.pool(path, options)
    }

    private static func pool(_ path: String, _ options: PoolOptions) throws(SnapshotError) -> Pool {
        try Pool(try Snapshot(path), options)
    }

    func source() throws -> CloneSource { try Self.source(path) }

    private static func source(_ path: String) throws(SnapshotError) -> CloneSource {
        try CloneSource(try Snapshot(path))
    }
}

extension Answer {
    var text: String { String(decoding: output, as: UTF8.self) }
}
