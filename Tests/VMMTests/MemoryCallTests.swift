// The calls by which a guest gives memory back and asks for more, with whatever it may say.
//
// Read next: HandlerTests in CallTests.swift.

import CABI
import GuestMemory
import KVM
import Testing

@testable import VMM

@Suite struct ReclaimTests {
    @Test func pagesReadAsZerosAndNeighboursStay() throws {
        let guest = try InventedGuest()
        for page in 0..<4 as Range<UInt64> { guest.write("text", at: InventedGuest.buffer + page * 4096) }
        let arguments = swiftlet_reclaim(start: InventedGuest.buffer + 4096, size: 8192)
        #expect(guest.call(SWIFTLET_CALL_RECLAIM, arguments) == .resume)
        let words = (0..<4).map { guest.text(4, at: InventedGuest.buffer + $0 * 4096) }
        #expect(words == ["text", "\0\0\0\0", "\0\0\0\0", "text"])
        guest.write("again", at: InventedGuest.buffer + 4096)
        #expect(guest.text(5, at: InventedGuest.buffer + 4096) == "again")
    }

    @Test(arguments: [0x1_0000, InventedGuest.buffer, InventedGuest.end - 4096] as [UInt64])
    func nothingMayBeGivenBackAnywhere(start: UInt64) throws {
        let guest = try InventedGuest()
        #expect(guest.call(SWIFTLET_CALL_RECLAIM, swiftlet_reclaim(start: start, size: 0)) == .resume)
    }

    /// Its own call page too: the guest harms nobody but itself.
    @Test func allOfMemoryMayBeGivenBack() throws {
        let guest = try InventedGuest()
        guest.write("text")
        let arguments = swiftlet_reclaim(start: 0x1_0000, size: InventedGuest.end - 0x1_0000)
        #expect(guest.call(SWIFTLET_CALL_RECLAIM, arguments) == .resume)
        #expect(guest.text(4) == "\0\0\0\0")
        #expect(guest.result(swiftlet_reclaim.self)?.size == 0)
        #expect(guest.call(SWIFTLET_CALL_EXIT, swiftlet_exit(status: 3)) == .stop)
        #expect(guest.stop?.guestStatus == 3)
    }

    @Test(
        arguments: [
            (0, 4096), (0x1000, 0x6000), (0x1_0000 - 4096, 8192), (InventedGuest.end - 4096, 8192),
            (InventedGuest.end, 4096), (0x1_0000_0000, 4096), (InventedGuest.buffer, .max - 4095),
            (.max - 4095, 4096), (.max - 4095, 8192), (InventedGuest.buffer + 1, 4096),
            (InventedGuest.buffer, 4095), (InventedGuest.buffer, 1), (InventedGuest.buffer + 2048, 2048),
        ] as [(UInt64, UInt64)])
    func whatIsNoPageOfMemory(start: UInt64, size: UInt64) throws {
        let guest = try InventedGuest()
        guest.write("text")
        #expect(guest.call(SWIFTLET_CALL_RECLAIM, swiftlet_reclaim(start: start, size: size)) == .stop)
        let place = GuestAddress(start).description
        #expect(guest.misuse == "reclaim: \(size) bytes at \(place) are not whole pages of guest memory")
        #expect(guest.text(4) == "text")
    }
}

@Suite struct GrowTests {
    private func grow(_ guest: InventedGuest, _ size: UInt64) -> swiftlet_grow? {
        #expect(guest.call(SWIFTLET_CALL_GROW, swiftlet_grow(size: size, start: 7, granted: 7)) == .resume)
        return guest.result()
    }

    @Test func memoryComesInStepsUntilThereIsNoMore() throws {
        let guest = try InventedGuest()
        let fourGiB: UInt64 = 1 << 32
        var result = grow(guest, 1)
        #expect(result?.start == fourGiB && result?.granted == 2 << 20)
        #expect(guest.word(fourGiB + 2 << 20 - 8, as: UInt64.self) == 0)
        #expect(guest.word(fourGiB + 2 << 20, as: UInt8.self) == nil)
        result = grow(guest, 14 << 20)
        #expect(result?.start == fourGiB + 2 << 20 && result?.granted == 14 << 20)
        result = grow(guest, 1)
        #expect(result?.start == 0 && result?.granted == 0)
        // A call's buffer may lie there, but not across its end.
        let inside = swiftlet_entropy(buffer: fourGiB + 16 << 20 - 8, length: 8)
        #expect(guest.call(SWIFTLET_CALL_ENTROPY, inside) == .resume)
        #expect(guest.word(fourGiB + 16 << 20 - 8, as: UInt64.self) != 0)
        let reclaim = swiftlet_reclaim(start: fourGiB, size: 16 << 20)
        #expect(guest.call(SWIFTLET_CALL_RECLAIM, reclaim) == .resume)
        #expect(guest.word(fourGiB + 16 << 20 - 8, as: UInt64.self) == 0)
        let across = swiftlet_entropy(buffer: fourGiB + 16 << 20 - 8, length: 9)
        #expect(guest.call(SWIFTLET_CALL_ENTROPY, across) == .stop)
    }

    @Test(arguments: [0, 16 << 20 + 1, 1 << 40, 1 << 63, .max] as [UInt64])
    func whatThereIsNotIsRefused(size: UInt64) throws {
        let guest = try InventedGuest()
        let result = grow(guest, size)
        #expect(result?.start == 0 && result?.granted == 0 && result?.size == size)
        #expect(grow(guest, 16 << 20)?.granted == 16 << 20)
    }
}
