// The calls that neither wait nor touch the console, each with what it may and may not be given.
//
// Read next: BufferTests.swift.

import CABI
import Glibc
import GuestMemory
import KVM
import Testing
import X86

@testable import VMM

@Suite struct ExitCallTests {
    @Test(arguments: [0, 1, 124, 255] as [UInt64])
    func statusIsTheGuests(status: UInt64) throws {
        let guest = try InventedGuest()
        #expect(guest.call(SWIFTLET_CALL_EXIT, swiftlet_exit(status: status)) == .stop)
        #expect(guest.stop?.guestStatus == UInt8(status))
        #expect(guest.cause == nil)
    }

    @Test(arguments: [256, 1 << 32, UInt64.max])
    func statusThatIsNoneIsMisuse(status: UInt64) throws {
        let guest = try InventedGuest()
        #expect(guest.call(SWIFTLET_CALL_EXIT, swiftlet_exit(status: status)) == .stop)
        #expect(guest.misuse == "exit: status \(status) is not in 0...255")
    }
}

@Suite struct SmallCallTests {
    @Test func wallTimeIsNow() throws {
        let guest = try InventedGuest()
        let before = time(nil)
        #expect(guest.call(SWIFTLET_CALL_WALL_TIME, swiftlet_wall_time()) == .resume)
        let result: swiftlet_wall_time? = guest.result()
        #expect((before...time(nil) + 1).contains(Int(result?.seconds ?? 0)))
        #expect(result?.nanoseconds ?? .max < 1_000_000_000)
    }

    @Test func entropyFillsTheBufferAndNoMore() throws {
        let guest = try InventedGuest()
        for length: UInt64 in [0, 1, 255, 256] {
            let before = guest.platform.memory.bytes(GuestAddress(InventedGuest.buffer), 512)
            let arguments = swiftlet_entropy(buffer: InventedGuest.buffer, length: length)
            #expect(guest.call(SWIFTLET_CALL_ENTROPY, arguments) == .resume)
            let after = guest.platform.memory.bytes(GuestAddress(InventedGuest.buffer), 512)
            #expect(before?.dropFirst(Int(length)) == after?.dropFirst(Int(length)))
            if length > 16 { #expect(before?.prefix(Int(length)) != after?.prefix(Int(length))) }
        }
    }

    @Test(arguments: [257, 1 << 20, UInt64.max])
    func entropyHasItsLimit(length: UInt64) throws {
        let guest = try InventedGuest()
        let arguments = swiftlet_entropy(buffer: InventedGuest.buffer, length: length)
        #expect(guest.call(SWIFTLET_CALL_ENTROPY, arguments) == .stop)
        #expect(guest.misuse == "entropy: \(length) bytes, at most 256")
    }

    @Test func logTakesItsLevelsAndLengths() throws {
        for (length, level) in [(0, 1), (5, 2), (1024, 3), (1, 4)] as [(UInt32, UInt32)] {
            let guest = try InventedGuest()
            let arguments = swiftlet_log(buffer: InventedGuest.buffer, length: length, level: level)
            #expect(guest.call(SWIFTLET_CALL_LOG, arguments) == .resume)
        }
    }

    @Test(
        arguments: [
            (1025, 1, "log: 1025 bytes, at most 1024"), (.max, 1, "log: 4294967295 bytes, at most 1024"),
            (5, 0, "log: level 0 is not in 1...4"), (5, 5, "log: level 5 is not in 1...4"),
            (5, .max, "log: level 4294967295 is not in 1...4"),
        ] as [(UInt32, UInt32, String)])
    func logMisused(length: UInt32, level: UInt32, words: String) throws {
        let guest = try InventedGuest()
        let arguments = swiftlet_log(buffer: InventedGuest.buffer, length: length, level: level)
        #expect(guest.call(SWIFTLET_CALL_LOG, arguments) == .stop)
        #expect(guest.misuse == words)
    }

    @Test func faultAddressIsAskedOfTheVCPU() throws {
        let guest = try InventedGuest()
        #expect(guest.call(SWIFTLET_CALL_FAULT_ADDRESS, swiftlet_fault_address()) == .readFaultAddress)
        guest.context.answerFaultAddress(0xdead_beef)
        #expect(guest.result(swiftlet_fault_address.self)?.address == 0xdead_beef)
    }
}

@Suite struct CommitTests {
    @Test(arguments: [0, 0x1_0000, 0x8_0000, 0xf_f000] as [UInt64])
    func rootInMemoryIsTaken(root: UInt64) throws {
        let guest = try InventedGuest()
        #expect(guest.call(SWIFTLET_CALL_COMMIT, swiftlet_commit(root: root)) == .commit)
        #expect(guest.context.pendingRoot == root)
    }

    @Test(arguments: [1, 0x1000, 0xf000, 0x8_0001, 0x8_0800, 0x10_0000, 0x1_0008_0000, UInt64.max - 4095])
    func rootThatIsNoPageOfMemory(root: UInt64) throws {
        let guest = try InventedGuest()
        #expect(guest.call(SWIFTLET_CALL_COMMIT, swiftlet_commit(root: root)) == .stop)
        #expect(guest.misuse == "commit: root 0x\(String(root, radix: 16)) is not a page of guest memory")
    }

    @Test func nextCommitForgetsTheRoot() throws {
        let guest = try InventedGuest()
        _ = guest.call(SWIFTLET_CALL_COMMIT, swiftlet_commit(root: 0x8_0000))
        _ = guest.call(SWIFTLET_CALL_COMMIT, swiftlet_commit(root: 0))
        #expect(guest.context.pendingRoot == 0)
    }
}

@Suite struct HandlerTests {
    private func gate(_ guest: InventedGuest, _ vector: UInt32) -> [UInt64] {
        let place = AddressMap.idt + UInt64(vector) * 16
        return [0, 8].map { guest.platform.memory.machinePointer(place + $0, 8)?.load(as: UInt64.self) ?? 0 }
    }

    private func install(_ guest: InventedGuest, _ vector: UInt32, _ address: UInt64) -> Action {
        guest.call(SWIFTLET_CALL_HANDLER, swiftlet_handler(vector: vector, reserved: 0, address: address))
    }

    @Test(arguments: [0, 2, 4, 8, 14, 31, 32, 63, 64, 127, 128, 192, 255] as [UInt32])
    func gateLeadsToTheHandlerAndBack(vector: UInt32) throws {
        let guest = try InventedGuest()
        let address: UInt64 = 0xffff_8000_1234_5678
        #expect(install(guest, vector, address) == .resume)
        let own = IDT.gate(vector: Int(vector), handler: address, stack: vector == 8 ? 1 : 0)
        #expect(gate(guest, vector) == [own.low, own.high])
        #expect((0..<256).filter { guest.context.handled[$0] } == [Int(vector)])
        #expect(install(guest, vector, 0) == .resume)
        let stub = IDT.gate(vector: Int(vector), handler: Stub.address(vector: Int(vector)), stack: 1)
        #expect(gate(guest, vector) == [stub.low, stub.high])
        #expect((0..<256).allSatisfy { !guest.context.handled[$0] })
    }

    @Test(
        arguments: [
            (1, 0x4_0000, "vector 1 is the debugger's"), (3, 0, "vector 3 is the debugger's"),
            (256, 0x4_0000, "vector 256 is not in 0...255"), (.max, 0, "vector 4294967295 is not in 0...255"),
            (14, 1 << 47, "address 0x800000000000 is not canonical"),
            (14, 0x7fff_ffff_ffff_ffff, "address 0x7fffffffffffffff is not canonical"),
            (14, 0xffff_7fff_ffff_ffff, "address 0xffff7fffffffffff is not canonical"),
        ] as [(UInt32, UInt64, String)])
    func handlerMisused(vector: UInt32, address: UInt64, words: String) throws {
        let guest = try InventedGuest()
        #expect(install(guest, vector, address) == .stop)
        #expect(guest.misuse == "handler: \(words)")
        #expect((0..<256).allSatisfy { gate(guest, $0) == [0, 0] }, "no gate was touched")
    }
}
