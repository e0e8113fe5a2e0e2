// The keyboard controller at 0x60 and 0x64, without a keyboard: kernels switch A20 on and reset the machine by it.
//
// Always ready for a command, so that nobody waits for it in vain; commands that answer do. IBM PS/2 Hardware Interface
// Technical Reference, "Keyboard and Auxiliary Device Controller". Read next: RealTimeClock.swift.

struct KeyboardController {
    private var commandByte: UInt8 = 0
    /// What the next read of the data port gets.
    private var answer: UInt8?
    /// A command whose operand comes by the data port.
    private var waiting: UInt8 = 0

    private static let (readCommandByte, writeCommandByte): (UInt8, UInt8) = (0x20, 0x60)
    private static let writeOutputPort: UInt8 = 0xd1

    /// Bit 0: there is something to read. Bit 2: the self test has passed.
    var status: UInt8 { (answer == nil ? 0 : 1) | 4 }

    /// True when it resets the machine.
    mutating func command(_ value: UInt8) -> Bool {
        waiting = 0
        switch value {
        case Self.readCommandByte: answer = commandByte
        case Self.writeCommandByte, Self.writeOutputPort: waiting = value
        case 0xaa: answer = 0x55  // self test: passed
        case 0xab: answer = 0  // the line to a keyboard is well
        case 0xd0: answer = 3  // output port: A20 on, no reset
        // Pulses of output lines: line 0 is the CPU's reset.
        case 0xf0...0xff: return value & 1 == 0
        default: break
        }
        return false
    }

    /// True when it resets the machine: bit 0 of the output port is the CPU's reset, active low.
    mutating func writeData(_ value: UInt8) -> Bool {
        defer { waiting = 0 }
        if waiting == Self.writeCommandByte { commandByte = value }
        return waiting == Self.writeOutputPort && value & 1 == 0
    }

    mutating func readData() -> UInt8 {
        defer { answer = nil }
        return answer ?? 0
    }
}
