// Guests of a dozen instructions, assembled by hand: enough to make a call, to crash, or to loop for ever.
//
// Read next: MachineTests.swift.

import CABI
import ImageBuilder
import X86

enum GuestCode {
    private static let callPage = UInt32(AddressMap.callPage(vcpu: 0))

    private static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }

    /// An instruction that ends in the absolute address of its operand.
    static func absolute(_ opcode: [UInt8], _ address: UInt32) -> [UInt8] { opcode + word(address) }

    /// mov qword [call page + offset], imm32
    static func argument(_ offset: UInt32, _ value: UInt32) -> [UInt8] {
        [0x48, 0xc7, 0x04, 0x25] + word(callPage + offset) + word(value)
    }

    /// mov [call page], rax
    static let argumentFromRAX: [UInt8] = [0x48, 0x89, 0x04, 0x25] + word(callPage)

    /// mov edx, port; out dx, eax
    static func call(_ number: Int32) -> [UInt8] {
        [0xba] + word(UInt32(SWIFTLET_CALL_PORT + number)) + [0xef]
    }

    static func exit(_ status: UInt32) -> [UInt8] { argument(0, status) + call(SWIFTLET_CALL_EXIT) }

    static let exitWithRAX = argumentFromRAX + call(SWIFTLET_CALL_EXIT)

    /// jmp to itself
    static let spin: [UInt8] = [0xeb, 0xfe]

    static func write(_ address: UInt32, _ length: UInt32) -> [UInt8] {
        argument(0, address) + argument(8, length) + call(SWIFTLET_CALL_CONSOLE_WRITE)
    }

    /// poll without an end
    static let sleep: [UInt8] =
        [0x48, 0x83, 0xc8, 0xff] + argumentFromRAX + argument(8, 0) + call(SWIFTLET_CALL_POLL)  // or rax, -1

    /// Installs `handler`, which lies behind `main`, for a vector; then runs `main`.
    static func handling(_ vector: UInt32, main: [UInt8], handler: [UInt8]) -> [UInt8] {
        func install(_ address: Int) -> [UInt8] {
            argument(0, vector) + argument(8, UInt32(address)) + call(SWIFTLET_CALL_HANDLER)
        }
        return install(Int(ELFBuilder.codeAddress) + install(0).count + main.count) + main + handler
    }

    /// Boot info's field at `offset`: mov rax, [rdi + offset].
    static func load(bootInfo offset: UInt8) -> [UInt8] { [0x48, 0x8b, 0x47, offset] }

    /// mov rax, [call page]
    static let loadResult: [UInt8] = [0x48, 0x8b, 0x04, 0x25] + word(callPage)

    /// The byte that boot info's field at `offset` points at: mov rax, [rdi + offset]; movzx eax, byte [rax].
    static func loadByte(bootInfo offset: UInt8) -> [UInt8] { load(bootInfo: offset) + [0x0f, 0xb6, 0x00] }

    /// An image of this code, with a text at 0x41000.
    static func image(_ code: [UInt8], text: String = "") -> [UInt8] {
        var builder = ELFBuilder.guest(code: code)
        builder.segments.append(ELFBuilder.Segment(flags: 4, address: 0x4_1000, content: Array(text.utf8)))
        builder.symbols = [ELFBuilder.Symbol("ma\u{1b}in", ELFBuilder.codeAddress, size: UInt64(code.count))]
        return builder.build()
    }
}
