// Invented exits, which fuzzers and benchmarks feed to the exit path: the same handling, seen from outside the module.
//
// Read next: Sources/VMM/InventedExits.swift.

import CABI
import GuestMemory
import Host
import KVM
import Testing

@_spi(InventedExits) @testable import VMM

@Suite struct InventedExitsTests {
    private static func exit(_ number: Int32) -> Exit {
        .portWrite(port: UInt16(SWIFTLET_CALL_PORT + number), size: 4, count: 1, value: 0)
    }

    @Test func callsAreReal() throws {
        var guest = try InventedExits(memorySize: 1 << 20, console: Console(input: -1, output: -1))
        guest.setArguments(swiftlet_entropy(buffer: 0x8_0000, length: 64))
        let entropy = guest.handle(Self.exit(SWIFTLET_CALL_ENTROPY))
        #expect(entropy)
        #expect(guest.memory.bytes(GuestAddress(0x8_0000), 64) != [UInt8](repeating: 0, count: 64))
        let time = guest.handle(Self.exit(SWIFTLET_CALL_WALL_TIME))
        #expect(time)
        #expect(guest.arguments(swiftlet_wall_time.self)?.seconds ?? 0 > 1_700_000_000)
        guest.setArguments(swiftlet_exit(status: 9))
        let end = guest.handle(Self.exit(SWIFTLET_CALL_EXIT))
        #expect(!end)
        #expect(guest.stop?.guestStatus == 9)
        #expect(guest.cause == nil)
    }

    @Test func misuseIsACause() throws {
        var guest = try InventedExits(memorySize: 1 << 20, console: Console(input: -1, output: -1))
        let goesOn = guest.handle(.shutdown)
        #expect(!goesOn)
        #expect(guest.cause == .tripleFault)
        #expect(guest.stop == nil)
    }

    @Test func requestedStopEndsASleep() throws {
        var guest = try InventedExits(memorySize: 1 << 20, console: Console(input: -1, output: -1))
        guest.setArguments(swiftlet_poll(deadline: UInt64(SWIFTLET_NO_DEADLINE), events: 0, ready: 0))
        guest.requestStop()
        let goesOn = guest.handle(Self.exit(SWIFTLET_CALL_POLL))
        #expect(!goesOn)
        #expect(guest.stop?.kind == "signal")
    }

    @Test func interruptsAreSeen() throws {
        try Thread.installKick()
        var guest = try InventedExits(memorySize: 1 << 20, console: Console(input: -1, output: -1))
        let none = guest.interruptToInject()
        #expect(none == nil)
        guest.setArguments(swiftlet_handler(vector: 77, reserved: 0, address: 0x4_0000))
        _ = guest.handle(Self.exit(SWIFTLET_CALL_HANDLER))
        guest.setArguments(swiftlet_timer(deadline: 0, vector: 77, reserved: 0))
        _ = guest.handle(Self.exit(SWIFTLET_CALL_TIMER))
        let vector = guest.interruptToInject()
        #expect(vector == 77)
    }
}
