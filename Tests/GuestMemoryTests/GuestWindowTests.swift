// The window: where the gate refuses there is none, and through it goes what the gate would have let through.

import Testing

@testable import GuestMemory

@Suite struct GuestWindowTests {
    private static func memory() throws -> GuestMemory { try GuestMemory(low: 0x1_0000..<0x10_0000) }

    @Test(arguments: [0, 0xff00, 0xf_ff01, 0x10_0000, .max] as [UInt64])
    func noWindowOutsideMemory(address: UInt64) throws {
        let memory = try Self.memory()
        let window = GuestWindow<256>(memory, GuestAddress(address))
        #expect(window == nil)
    }

    @Test(arguments: [0x1_0000, 0x1_0001, 0xf_ff00] as [UInt64])
    func readsAndWritesGuestMemory(address: UInt64) throws {
        let memory = try Self.memory()
        let found = GuestWindow<256>(memory, GuestAddress(address))
        let window = try #require(found)
        memory.write(UInt64(0x0123_4567_89ab_cdef), at: GuestAddress(address))
        #expect(window.read(UInt32.self) == 0x89ab_cdef)
        window.write(UInt16(0xffff))
        let word: UInt64? = memory.read(GuestAddress(address))
        #expect(word == 0x0123_4567_89ab_ffff)
    }

    @Test func typesLargerThanTheWindowTrap() async {
        await #expect(processExitsWith: .failure) {
            let memory = try GuestMemory(low: 0x1_0000..<0x10_0000)
            _ = GuestWindow<4>(memory, GuestAddress(0x1_0000))?.read(UInt64.self)
        }
    }
}
