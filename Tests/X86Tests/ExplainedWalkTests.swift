// The walk that explains itself, over tables made by hand in every paging mode and over those that Swiftlet builds: the
// physical address is right, and each fault names its entry and its bit.
//
// Read next: WalkAgreementTests.swift.

import Testing

@testable import X86

/// Physical memory of a hand's making: what is not set is zero, what is outside is nothing.
private final class Words {
    var words: [UInt64: UInt64] = [:]
    var end: UInt64 = 1 << 32

    func walk(_ address: UInt64, _ state: PagingState) -> ExplainedWalk {
        ExplainedWalk(address, state) { [self] place, size in
            guard place < end else { return nil }
            return size == 4 ? (words[place & ~7] ?? 0) >> (place % 8 * 8) & 0xffff_ffff : words[place] ?? 0
        }
    }
}

private let user = Access(.read, isUser: true)
private let userWrite = Access(.write, isUser: true)
private let userExecute = Access(.execute, isUser: true)
private let supervisorWrite = Access(.write, isUser: false)

@Suite struct ExplainedWalkTests {
    private let memory = Words()
    private let state = PagingState.ring3(root: 0x1000)
    /// Its four entries, of tables at 0x1000, 0x2000, 0x3000 and 0x4000.
    private let address: UInt64 = 0x1234_5678_9abc
    private let entries: [UInt64] = [0x1000 + 36 * 8, 0x2000 + 209 * 8, 0x3000 + 179 * 8, 0x4000 + 393 * 8]

    init() {
        for (entry, next) in zip(entries, [0x2007, 0x3007, 0x4007, 0x5_5067] as [UInt64]) { memory.words[entry] = next }
    }

    @Test func fourLevels() {
        let walk = memory.walk(address, state)
        #expect(walk.page == ExplainedWalk.Page(physical: 0x5_5abc, size: 4096) && walk.stop == nil)
        #expect(walk.steps.map(\.level.entryName) == ["PML4E", "PDPTE", "PDE", "PTE"])
        #expect(walk.steps.map(\.entryAddress) == entries && walk.steps.map(\.index) == [36, 209, 179, 393])
        #expect(walk.steps.map(\.isLeaf) == [false, false, false, true])
        #expect(walk.rights(isUser: true) == "rwx")
        #expect(walk.addressBits == ["000100100", "011010001", "010110011", "110001001", "101010111100"])
        #expect(walk.steps[3].meaning(state) == ["writable", "user", "executable", "accessed", "dirty"])
        #expect(walk.steps[3].target(state) == 0x5_5000)
    }

    @Test func largePages() {
        memory.words[entries[2]] = 0x80_00e7
        let large = memory.walk(address, state)
        #expect(large.page == ExplainedWalk.Page(physical: 0x80_0000 | address & 0x1f_ffff, size: 2 << 20))
        #expect(large.addressBits.last?.count == 21 && large.addressBits.count == 4)
        memory.words[entries[1]] = 0x4000_00e7
        #expect(
            memory.walk(address, state).page
                == ExplainedWalk.Page(physical: 0x4000_0000 | address & 0x3fff_ffff, size: 1 << 30))
    }

    @Test(arguments: 0..<4)
    func whatIsNotPresentIsNamed(level: Int) throws {
        memory.words[entries[level]] = 0
        let walk = memory.walk(address, state)
        let fault = try #require(walk.stop)
        #expect(walk.page == nil && walk.steps.count == level + 1 && fault == walk.fault(of: user))
        let name = ["PML4E", "PDPTE", "PDE", "PTE"][level]
        #expect(walk.words(fault) == "bit 0 (present) of the \(name) at \(hex(entries[level])) is clear")
        #expect(walk.errorCode(of: fault, user) == 4 && walk.errorCode(of: fault, userWrite) == 6)
        #expect(walk.errorCode(of: fault, userExecute) == 0x14)
        #expect(walk.errorCode(of: fault, supervisorWrite) == 2)
        #expect(walk.steps[level].meaning(state) == ["not present"])
    }

    @Test(arguments: 0..<4)
    func theFirstLevelThatForbidsIsNamed(level: Int) throws {
        let entry = memory.words[entries[level]] ?? 0
        memory.words[entries[level]] = entry & ~2
        var walk = memory.walk(address, state)
        let name = ["PML4E", "PDPTE", "PDE", "PTE"][level]
        var fault = try #require(walk.fault(of: userWrite))
        #expect(walk.words(fault) == "bit 1 (R/W) of the \(name) at \(hex(entries[level])) is clear")
        #expect(walk.fault(of: user) == nil && walk.errorCode(of: fault, userWrite) == 7)
        #expect(walk.rights(isUser: true) == "r-x")

        memory.words[entries[level]] = entry & ~4
        walk = memory.walk(address, state)
        fault = try #require(walk.fault(of: user))
        #expect(fault.kind == .supervisorOnly && fault.step == level && walk.errorCode(of: fault, user) == 5)
        #expect(walk.fault(of: supervisorWrite) == nil)
        #expect(walk.rights(isUser: true) == "---" && walk.rights(isUser: false) == "rwx")

        memory.words[entries[level]] = entry | 1 << 63
        walk = memory.walk(address, state)
        fault = try #require(walk.fault(of: userExecute))
        #expect(walk.words(fault) == "bit 63 (NX) of the \(name) at \(hex(entries[level])) is set")
        #expect(walk.errorCode(of: fault, userExecute) == 0x15 && walk.rights(isUser: true) == "rw-")
    }

    @Test func writesOfASupervisorNeedWriteProtect() {
        memory.words[entries[3]] = 0x5_5005
        #expect(memory.walk(address, state).fault(of: supervisorWrite)?.kind == .readOnly)
        var open = state
        open.cr0 &= ~CR0.writeProtect
        #expect(memory.walk(address, open).fault(of: supervisorWrite) == nil)
        #expect(memory.walk(address, open).fault(of: userWrite)?.kind == .readOnly)
    }

    @Test func reservedBits() throws {
        memory.words[entries[0]] = 0x2087
        var walk = memory.walk(address, state)
        var fault = try #require(walk.stop)
        #expect(walk.words(fault) == "bit 7 of the PML4E at \(hex(entries[0])) is set, but reserved")
        #expect(
            walk.errorCode(of: fault, userWrite) == 0xf && walk.steps[0].meaning(state).last == "reserved bits 0x80")

        memory.words[entries[0]] = 0x2007
        memory.words[entries[2]] = 0x81_e0e7
        walk = memory.walk(address, state)
        fault = try #require(walk.stop)
        #expect(walk.words(fault).hasPrefix("bits 13 to 16 of the PDE at "))

        var narrow = state
        narrow.physicalBits = 40
        memory.words[entries[2]] = 1 << 40 | 0x4007
        fault = try #require(memory.walk(address, narrow).stop)
        #expect(fault.kind == .reserved && fault.bits == 1 << 40)
        #expect(memory.walk(address, state).stop?.kind == .noMemory)
    }

    @Test func withoutNoExecuteItsBitIsReserved() {
        memory.words[entries[3]] = 1 << 63 | 0x5_5007
        #expect(memory.walk(address, state).fault(of: userExecute)?.kind == .noExecute)
        var old = state
        old.efer &= ~EFER.noExecute
        #expect(memory.walk(address, old).stop == WalkFault(.reserved, step: 3, bits: 1 << 63))
    }

    @Test func tablesWhereNoMemoryIs() throws {
        memory.words[entries[1]] = 0x00ff_ffff_f007
        var walk = memory.walk(address, state)
        var fault = try #require(walk.stop)
        #expect(
            walk.words(fault)
                == "the PDPTE at \(hex(entries[1])) names the PD at 0xfffffff000, where no memory is")
        #expect(walk.errorCode(of: fault, user) == nil && walk.steps.last?.entry == nil)
        walk = memory.walk(address, .ring3(root: 1 << 40))
        fault = try #require(walk.stop)
        #expect(walk.words(fault) == "CR3 names the PML4 at 0x10000000000, where no memory is")
    }

    @Test(arguments: [0x8000_0000_0000, 0xffff_7fff_ffff_ffff, 1 << 63] as [UInt64])
    func addressesThatAreNotCanonical(address: UInt64) throws {
        let walk = memory.walk(address, state)
        let fault = try #require(walk.stop)
        #expect(fault.kind == .notCanonical && walk.steps.isEmpty && walk.errorCode(of: fault, user) == nil)
        #expect(walk.words(fault).contains("bits 63 to 47 differ"))
        var wide = state
        wide.cr4 |= CR4.fiveLevels
        #expect((memory.walk(address, wide).stop?.kind == .notCanonical) == (address == 1 << 63))
    }

    @Test func fiveLevels() {
        var state = state
        state.cr4 |= CR4.fiveLevels
        state.cr3 = 0x8000
        memory.words[0x8000 + 5 * 8] = 0x1007
        let walk = memory.walk(5 << 48 | address, state)
        #expect(walk.page?.physical == 0x5_5abc && walk.steps.map(\.level.kind.rawValue).first == "PML5")
        #expect(walk.addressBits.count == 6 && walk.steps.count == 5)
    }

    @Test func supervisorsMayBeKeptFromWhatUsersReach() {
        var state = state
        state.cr4 |= CR4.supervisorExecution | CR4.supervisorAccess
        let walk = memory.walk(address, state)
        #expect(walk.fault(of: Access(.execute, isUser: false))?.kind == .userCode)
        #expect(walk.fault(of: Access(.read, isUser: false))?.kind == .userData)
        #expect(walk.rights(isUser: true) == "rwx")
    }

    @Test func withoutPagingAnAddressIsItsOwn() {
        let state = PagingState(cr0: CR0.protectedMode, cr3: 0, cr4: 0, efer: 0)
        let walk = memory.walk(0xffff_f123, state)
        #expect(walk.page == ExplainedWalk.Page(physical: 0xffff_f123, size: 4096) && walk.steps.isEmpty)
        #expect(walk.fault(of: userWrite) == nil && walk.addressBits == ["000100100011"])
        #expect(memory.walk(1 << 32, state).stop?.kind == .above4GiB)
    }

    @Test func thirtyTwoBits() {
        var state = PagingState(
            cr0: CR0.protectedMode | CR0.paging, cr3: 0x7000, cr4: CR4.largePages, efer: 0)
        memory.words[0x7000 + 4 * 2] = 0x9007  // entries 2 and 3 share a word
        memory.words[0x9000 + 8 * 1] = 0xa007 << 32  // entry 3
        var walk = memory.walk(2 << 22 | 3 << 12 | 0x45, state)
        #expect(walk.page == ExplainedWalk.Page(physical: 0xa045, size: 4096))
        #expect(walk.steps.map(\.entryAddress) == [0x7008, 0x900c])
        memory.words[0x7008] = 0x0080_2087  // 4 MiB, with bit 32 of the address in bit 13
        walk = memory.walk(2 << 22 | 0x1_2345, state)
        #expect(walk.page == ExplainedWalk.Page(physical: 1 << 32 | 0x81_2345, size: 4 << 20))
        state.cr4 = 0
        #expect(memory.walk(2 << 22 | 0x1_2345, state).steps.first?.isLeaf == false, "bit 7 is ignored")
    }

    @Test func physicalAddressExtension() throws {
        let state = PagingState(
            cr0: CR0.protectedMode | CR0.paging | CR0.writeProtect, cr3: 0x7020, cr4: CR4.physicalAddressExtension,
            efer: EFER.noExecute)
        memory.words[0x7020 + 8 * 3] = 0x9001
        memory.words[0x9000 + 8 * 5] = 0xb003
        memory.words[0xb000 + 8 * 7] = 1 << 35 | 0x5000 | 1 << 63 | 5
        var walk = memory.walk(3 << 30 | 5 << 21 | 7 << 12 | 9, state)
        #expect(walk.page?.physical == 1 << 35 | 0x5009)
        #expect(walk.steps.first?.meaning(state).isEmpty == true, "it has neither rights nor such bits")
        #expect(walk.fault(of: user)?.step == 1, "the PDE is the first with such a bit")
        #expect(walk.fault(of: Access(.execute, isUser: false))?.kind == .noExecute)
        #expect(walk.fault(of: supervisorWrite)?.step == 2)
        memory.words[0x7020 + 8 * 3] = 0x9003
        walk = memory.walk(3 << 30, state)
        #expect(walk.stop == WalkFault(.reserved, step: 0, bits: 2))
    }
}
