// The walk that explains itself and the reports' walk find the same, in tables that Swiftlet's own builder makes and in wrecks
// of them.
//
// Read next: PVClockTests.swift.

import Testing

@testable import X86

@Suite struct WalkAgreementTests {
    private let tables = Tables(0x10_0000..<0x20_0000)

    private func explained(_ address: UInt64) -> ExplainedWalk {
        ExplainedWalk(address, .ring3(root: tables.builder.root)) { [tables] place, _ in tables.memory.loadEntry(place)
        }
    }

    /// The two walks, of one address; the older one knows nothing of reserved bits.
    private func agrees(_ address: UInt64) -> Bool {
        let (old, new) = (tables.walk(address), explained(address))
        if new.stop?.kind == .reserved { return true }
        guard let old else { return new.page == nil && new.stop != nil }
        let isWritable = new.fault(of: Access(.write, isUser: false)) == nil
        let isExecutable = new.fault(of: Access(.execute, isUser: false)) == nil
        let isUser = new.fault(of: Access(.read, isUser: true)) == nil
        return new.page == ExplainedWalk.Page(physical: old.physical, size: old.pageSize)
            && isWritable == old.flags.contains(.writable) && isExecutable != old.flags.contains(.noExecute)
            && isUser == old.flags.contains(.user)
    }

    private func map() {
        #expect(tables.map(0x1000..<0x6000, .supervisor))
        #expect(tables.map(0x4_0000..<0x5_0000, .code))
        #expect(tables.map(0x5_0000..<0x1000_1000, .data))
    }

    @Test func inTablesOfTheBuilder() {
        map()
        for page in stride(from: 0 as UInt64, to: 0x1010_0000, by: 0x7000) { #expect(agrees(page + page % 4096)) }
        #expect(explained(0x4_0123).rights(isUser: true) == "r-x" && explained(0x6_0000).rights(isUser: true) == "rw-")
        #expect(explained(0x2000).rights(isUser: true) == "---" && explained(0x2000).rights(isUser: false) == "r--")
        #expect(explained(0).stop?.kind == .notPresent)
    }

    @Test func inWrecks() {
        map()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let entry = 0x10_0000 + random.next(upperBound: UInt64(0x6000 / 8)) * 8
            tables.memory.storeEntry(random.next() & random.next(), entry)
            #expect(agrees(random.next(upperBound: 0x2000_0000)))
        }
    }
}
