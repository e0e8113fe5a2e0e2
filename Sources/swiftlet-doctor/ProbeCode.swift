// The guests that doctor measures with: a handful of instructions each, 64-bit, for ring 0 and ring 3 alike.
//
// Encodings: Intel SDM vol. 2. Read next: Measurements.swift.

enum ProbeCode {
    /// The port of an exit to user space, and one for an eventfd.
    static let exitPort: UInt16 = 0x520
    static let doorbellPort: UInt16 = 0x5f0

    /// For ever: OUT.
    static let exits: [UInt8] =
        moveToEDX(exitPort) + [
            0xef,  // out %eax, (%dx)
            0xeb, 0xfd,  // jmp to the out
        ]

    /// For ever: a loop of `iterations` times two instructions, then OUT.
    static func loop(iterations: UInt32) -> [UInt8] {
        forEver(
            moveToECX(iterations) + [
                0xff, 0xc9,  // dec %ecx
                0x75, 0xfc,  // jnz to the dec
            ] + moveToEDX(exitPort) + [0xef])
    }

    /// Instructions around the loop: two moves, the OUT, the jump back.
    static let loopOverhead = 4

    /// For ever: `count` writes to the doorbell, then OUT.
    static func doorbells(count: UInt32) -> [UInt8] {
        forEver(
            moveToECX(count) + moveToEDX(doorbellPort) + [
                0xef,  // out %eax, (%dx)
                0xff, 0xc9,  // dec %ecx
                0x75, 0xfb,  // jnz to the out
            ] + moveToEDX(exitPort) + [0xef])
    }

    /// A jump back to the start; for code below 126 bytes.
    private static func forEver(_ code: [UInt8]) -> [UInt8] {
        code + [0xeb, UInt8(bitPattern: Int8(-(code.count + 2)))]
    }

    private static func moveToECX(_ value: UInt32) -> [UInt8] { [0xb9] + littleEndian(value) }

    private static func moveToEDX(_ value: UInt16) -> [UInt8] { [0xba] + littleEndian(UInt32(value)) }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }
}
