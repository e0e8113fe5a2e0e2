// Many clones at once, and many lives: what `make pool-test` does with 500 and 10,000, and looks at memory and descriptors.
//
// SWIFTLET_POOL_CYCLES and SWIFTLET_CLONES in the environment are those numbers. Without them there are few, and nothing is
// said of the process or the host, which other tests use too. Read next: docs/pools.md.

import Foundation
import TestSupport
import Testing
import VMM

@testable import Snapshot

private func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

@Suite(.requiresKVM, .serialized) struct PoolLoadTests {
    @Test func nothingIsLeftOfManyCycles() throws {
        let cycles = number("SWIFTLET_POOL_CYCLES") ?? 100
        let isAlone = number("SWIFTLET_POOL_CYCLES") != nil
        let guest = try SavedGuest("upper")
        let keeping = try guest.pool()
        let throwingAway = try guest.pool { $0.kept = 0 }
        func run(_ count: Int) throws {
            for cycle in 0..<count {
                #expect(try keeping.call(Array("cycle".utf8)).text == "CYCLE")
                // A tenth of them make a machine and close it.
                if cycle % 10 == 0 { #expect(try throwingAway.call(Array("once".utf8)).text == "ONCE") }
            }
        }
        try run(isAlone ? 500 : 0)
        let before = Usage()
        try run(cycles)
        if !isAlone { return }
        let used = Usage().since(before)
        print("\(cycles) cycles, \(cycles / 10) machines made and closed: \(used)")
        #expect(used.descriptors == 0)
        #expect(used.resident < 2 << 10, "KiB")
        #expect(used.slab < 32 << 10, "KiB, of the whole host")
    }

    @Test func manyAreAliveAtOnce() throws {
        let guest = try SavedGuest("touch", memory: 64 << 20)
        let source = try guest.source()
        guard let count = number("SWIFTLET_CLONES") else {
            _ = try live(8, source)
            return
        }
        raiseDescriptorLimit()
        // What the host has left is others' affair too: the least of some measurements is nearest to the truth.
        var each = Int.max
        for _ in 0..<5 where each > 1024 {
            let used = try live(count, source)
            each = min(each, used.unavailable / count)
            print("\(count) clones of a guest with 64 MiB that touches 10 pages: \(used)")
        }
        print("\(each) KiB each, the kernel's own included, beyond shared pages")
        #expect(each <= 1024, "KiB")
    }

    /// Makes so many, and has each live twice while all are there; what they used.
    private func live(_ count: Int, _ source: CloneSource) throws -> Usage {
        let before = Usage()
        var clones: [Clone] = []
        for index in 0..<count { clones.append(try Self.make(source, UInt32(index))) }
        for clone in clones {
            #expect(try clone.run().status == 0)
            try clone.reset()
        }
        let used = Usage().since(before)
        for clone in clones { #expect(try clone.run().status == 0, "all are alive") }
        return used
    }

    private static func make(_ source: CloneSource, _ index: UInt32) throws(SnapshotError) -> Clone {
        try Clone(source, index: index)
    }

    private func raiseDescriptorLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

/// What the process and the host use, in KiB.
private struct Usage: CustomStringConvertible {
    var descriptors = 0
    var resident = 0
    var slab = 0
    var unavailable = 0

    init() {
        descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        resident = Self.field("/proc/self/status", "VmRSS")
        slab = Self.field("/proc/meminfo", "Slab")
        unavailable = -Self.field("/proc/meminfo", "MemAvailable")
    }

    private static func field(_ path: String, _ name: String) -> Int {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    func since(_ before: Usage) -> Usage {
        var result = self
        result.descriptors -= before.descriptors
        result.resident -= before.resident
        result.slab -= before.slab
        result.unavailable -= before.unavailable
        return result
    }

    var description: String {
        "\(descriptors) more descriptors, \(resident) KiB more resident, slab \(slab) KiB, host \(unavailable) KiB less available"
    }
}
