// Buffers that are not memory, or wrap around, for each call that takes one: always misuse, never an access.
//
// Read next: ConsoleCallTests.swift.

import CABI
import GuestMemory
import Testing
import X86

@testable import VMM

/// A call with a buffer.
enum BufferCall: CaseIterable, Sendable {
    case write, read, entropy, log

    func make(_ guest: InventedGuest, _ address: UInt64, _ length: UInt64) -> Action {
        switch self {
        case .write:
            guest.call(SWIFTLET_CALL_CONSOLE_WRITE, swiftlet_console_write(buffer: address, length: length))
        case .read:
            guest.call(
                SWIFTLET_CALL_CONSOLE_READ,
                swiftlet_console_read(buffer: address, length: length, deadline: 0, result: 0))
        case .entropy: guest.call(SWIFTLET_CALL_ENTROPY, swiftlet_entropy(buffer: address, length: length))
        case .log:
            guest.call(
                SWIFTLET_CALL_LOG,
                swiftlet_log(buffer: address, length: UInt32(clamping: length), level: UInt32(SWIFTLET_LOG_INFO)))
        }
    }
}

@Suite struct BufferTests {
    /// None of these is memory: page zero, the machine's tables, behind the end, across the end, around the end of
    /// addresses.
    static let wrong: [(UInt64, UInt64)] = [
        (0, 1), (0, 256), (0x1000, 8), (0x2000, 256), (0xffff, 1), (0xffff, 2), (0x10_0000, 1), (0xf_ffff, 2),
        (0xf_ff80, 0x81), (0xc000_0000, 16), (1 << 32, 16), (1 << 63, 1), (.max, 1), (.max, 2), (.max - 127, 128),
        (.max - 127, 256), (0x8_0000 | 1 << 40, 64),
    ]

    @Test(arguments: BufferCall.allCases, wrong.indices)
    func bufferOutsideMemoryIsMisuse(call: BufferCall, index: Int) throws {
        let (address, length) = Self.wrong[index]
        let guest = try InventedGuest()
        #expect(call.make(guest, address, length) == .stop)
        let words = "\(length) bytes at 0x\(String(address, radix: 16)) are not in guest memory"
        #expect(guest.misuse?.hasSuffix(words) == true, "\(guest.misuse ?? "no misuse")")
    }

    @Test(arguments: [BufferCall.write, .read], [0x1_0000, 0x8_0000, 0xf_ffff] as [UInt64])
    func lengthThatWrapsIsMisuse(call: BufferCall, address: UInt64) throws {
        for length in [UInt64.max, .max - address, .max - address + 1, .max - address + 2, 1 << 63, 1 << 32] {
            let guest = try InventedGuest()
            #expect(call.make(guest, address, length) == .stop)
            #expect(guest.misuse?.contains("are not in guest memory") == true)
        }
    }

    @Test(arguments: BufferCall.allCases)
    func firstAndLastBytesOfMemoryAreMemory(call: BufferCall) throws {
        let guest = try InventedGuest()
        guest.input.closeWriter()
        #expect(call.make(guest, 0x1_0000, 1) == .resume)
        #expect(call.make(guest, InventedGuest.end - 256, 256) == .resume)
        #expect(call.make(guest, InventedGuest.end - 1, 1) == .resume)
    }

    /// The call page is memory too: a buffer may lie on the arguments themselves, which were copied before.
    @Test func bufferOnTheCallPage() throws {
        let guest = try InventedGuest()
        let page = AddressMap.callPage(vcpu: 0)
        guest.input.write(String(repeating: "x", count: 32))
        #expect(BufferCall.read.make(guest, page, 32) == .resume)
        #expect(guest.result(swiftlet_console_read.self)?.result == 32)
        #expect(guest.result(swiftlet_console_read.self)?.length == 32, "the answer is written over what was read")
        #expect(BufferCall.write.make(guest, page, 16) == .resume)
        #expect(guest.output.readText().utf8.count == 16)
    }
}
