// What memory is whose, from the kernel's files.
//
// Read next: Sources/Measure/MemoryUse.swift.

import Measure
import Testing

@Suite struct MemoryUseTests {
    private static let meminfo = """
        MemTotal:       24684084 kB
        Slab:             700000 kB
        SReclaimable:     600000 kB
        KernelStack:        4000 kB
        PageTables:        20000 kB
        SecPageTables:       300 kB
        VmallocTotal:   34359738367 kB
        VmallocUsed:       16000 kB
        Percpu:              800 kB

        """
    private static let rollup = """
        55d0-7ffd ---p 00000000 00:00 0                          [rollup]
        Rss:                8000 kB
        Anonymous:           744 kB
        AnonHugePages:         0 kB

        """

    @Test func isTheKernelsAndTheProcesss() throws {
        let use = try #require(MemoryUse(meminfo: Self.meminfo, rollup: Self.rollup))
        #expect((use.kernel, use.own) == (737_100, 744))
    }

    @Test func olderKernelsSayLess() throws {
        let old = Self.meminfo.replacing("SecPageTables", with: "Other").replacing("Percpu", with: "More")
        #expect(MemoryUse(meminfo: old, rollup: "")?.kernel == 736_000)
        #expect(MemoryUse(meminfo: old, rollup: "")?.own == 0)
    }

    @Test(arguments: ["", "Slab: many kB\n", "Slab:\n"]) func whatIsNotThereIsNotZero(_ text: String) {
        #expect(MemoryUse(meminfo: text, rollup: Self.rollup) == nil)
    }
}
