// The serial port at 0x3f8: a 16550 whose line is the console, always ready to send, with a queue of 16 bytes to receive.
//
// A value without clock or descriptors. What was sent waits in `output` until the run loop writes it: a line at a time,
// whole bursts, never a system call a byte. Registers: National Semiconductor PC16550D, section 8.
// Read next: KeyboardController.swift.

struct SerialPort {
    static let base: UInt16 = 0x3f8
    /// Its interrupt line on a PC.
    static let line: UInt32 = 4
    static let inputCapacity = 16
    private static let outputCapacity = 4096

    /// Sent, and not on the console yet.
    private(set) var output: [UInt8] = []
    /// Bytes, in all.
    private(set) var sent: UInt64 = 0
    private var input: [UInt8] = []
    private var enabled: UInt8 = 0
    private var lineControl: UInt8 = 0
    private var modemControl: UInt8 = 0
    private var scratch: UInt8 = 0
    private var divisor: UInt16 = 1
    private var hasQueues = false
    /// The sender is empty, and the kernel has not been told.
    private var isSentUntold = false

    /// Bits of the interrupt enable register.
    private static let (onInput, onSent): (UInt8, UInt8) = (1, 2)
    private var isLooped: Bool { modemControl & 0x10 != 0 }
    private var setsDivisor: Bool { lineControl & 0x80 != 0 }

    /// Whether the kernel wants to be told when everything is sent.
    var tellsWhenSent: Bool { enabled & Self.onSent != 0 }

    /// Whether its interrupt line is high.
    var interrupts: Bool { cause != Self.noCause }

    /// Whether the output should not wait any longer.
    var hasLine: Bool { output.last == 0x0a || output.count >= Self.outputCapacity }

    mutating func dropOutput() { output.removeAll(keepingCapacity: true) }

    /// How many bytes it can receive.
    var room: Int { Self.inputCapacity - input.count }

    mutating func receive(_ bytes: [UInt8]) { input += bytes.prefix(room) }

    mutating func write(_ register: UInt16, _ value: UInt8) {
        switch register {
        case 0 where setsDivisor: divisor = divisor & 0xff00 | UInt16(value)
        case 1 where setsDivisor: divisor = divisor & 0xff | UInt16(value) << 8
        case 0: send(value)
        case 1:
            if value & ~enabled & Self.onSent != 0 { isSentUntold = true }
            enabled = value & 0xf
        case 2:
            hasQueues = value & 1 != 0
            if value & 2 != 0 { input.removeAll() }
        case 3: lineControl = value
        case 4: modemControl = value & 0x1f
        case 7: scratch = value
        default: break  // status registers
        }
    }

    /// Text that came by another way than the port's.
    mutating func add(_ text: [UInt8]) { output += text }

    private mutating func send(_ value: UInt8) {
        isSentUntold = true
        sent &+= 1
        if isLooped { receive([value]) } else { output.append(value) }
    }

    mutating func read(_ register: UInt16) -> UInt8 {
        switch register {
        case 0 where setsDivisor: UInt8(truncatingIfNeeded: divisor)
        case 1 where setsDivisor: UInt8(truncatingIfNeeded: divisor >> 8)
        case 0: input.isEmpty ? 0 : input.removeFirst()
        case 1: enabled
        case 2: identify()
        case 3: lineControl
        case 4: modemControl
        case 5: 0x60 | (input.isEmpty ? 0 : 1)  // sender empty; data ready
        case 6: modemStatus
        default: scratch
        }
    }

    private static let (inputCause, sentCause, noCause): (UInt8, UInt8, UInt8) = (4, 2, 1)

    /// The most urgent cause of an interrupt.
    private var cause: UInt8 {
        if enabled & Self.onInput != 0, !input.isEmpty { return Self.inputCause }
        return enabled & Self.onSent != 0 && isSentUntold ? Self.sentCause : Self.noCause
    }

    /// Reading it is being told that the sender is empty.
    private mutating func identify() -> UInt8 {
        let cause = cause
        if cause == Self.sentCause { isSentUntold = false }
        return cause | (hasQueues ? 0xc0 : 0)
    }

    /// Clear to send, data set ready, carrier; looped, what the port itself says.
    private var modemStatus: UInt8 {
        guard isLooped else { return 0xb0 }
        let (terminalReady, request, others) = (modemControl & 1, modemControl >> 1 & 1, modemControl >> 2 & 3)
        return request << 4 | terminalReady << 5 | others << 6
    }
}
