// A file that somebody makes shorter while it is guest memory: no death, but a note and zeros.
//
// Read next: PrefaultTests.swift.

import Glibc
import GuestMemory
import Host
import TestSupport
import Testing

@testable import Backing

@Suite struct BusErrorTests {
    @Test func aLostPageIsZeroAndNoted() throws {
        let folder = ScratchFolder()
        let path = folder.path + "/memory"
        let memory = try splitMemory()
        let store = try MemoryStore.open(.file(path), for: memory)
        memory.write(UInt64(7), at: GuestAddress(2 << 20))
        memory.write(UInt64(8), at: GuestAddress(1 << 20))
        #expect(store?.pageWasLost == false)
        let file = try openAgain(path)
        try file.truncate(2 << 20)
        #expect(store?.lostPages(memory) == true, "seen before any page is touched")
        #expect(store?.pageWasLost == false)
        #expect(memory.read(GuestAddress(1 << 20), as: UInt64.self) == 8)
        #expect(store?.pageWasLost == false)
        #expect(memory.read(GuestAddress(2 << 20), as: UInt64.self) == 0)
        #expect(store?.pageWasLost == true)
        #expect(memory.write(UInt64(9), at: GuestAddress(1 << 32)) == true)
        #expect(memory.read(GuestAddress(1 << 32), as: UInt64.self) == 9)
        _ = store
    }

    /// Also of two machines at once, whichever was there first.
    @Test func eachMachineHasItsOwn() throws {
        let folder = ScratchFolder()
        let first = try splitMemory()
        let second = try splitMemory()
        let stores = [
            try MemoryStore.open(.file(folder.path + "/first"), for: first),
            try MemoryStore.open(.file(folder.path + "/second"), for: second),
        ]
        try openAgain(folder.path + "/first").truncate(0)
        #expect(first.read(GuestAddress(1 << 20), as: UInt64.self) == 0)
        #expect(stores.map { $0?.pageWasLost } == [true, false])
        try openAgain(folder.path + "/second").truncate(0)
        #expect(second.read(GuestAddress(1 << 20), as: UInt64.self) == 0)
        #expect(stores.map { $0?.pageWasLost } == [true, true])
    }

    @Test(arguments: [0, 1, 4096])
    func aFileIsWholeUntilAByteIsMissing(missing: Int) throws {
        let folder = ScratchFolder()
        let memory = try GuestMemory(low: 0x1_0000..<2 << 20)
        let store = try MemoryStore.open(.file(folder.path + "/memory"), for: memory)
        try openAgain(folder.path + "/memory").truncate(UInt64(2 << 20 - missing))
        #expect(store?.lostPages(memory) == (missing > 0))
    }

    /// For writing, and without emptying it.
    private func openAgain(_ path: String) throws -> File {
        let fd = open(path, O_RDWR | O_CLOEXEC)
        #expect(fd >= 0)
        return File(owning: fd)
    }
}
