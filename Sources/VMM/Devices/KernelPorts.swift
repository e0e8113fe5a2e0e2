// Who owns a port of a kernel's machine: the few devices that kernels expect, and for all others nobody, who answers with
// ones.
//
// One switch, O(1). It knows no vCPU and no console, so that tests and fuzzers feed it accesses. A wide access to devices
// of a byte's width is one to each, as on an ISA bus. Read next: SerialPort.swift.

import X86

/// The devices behind ports.
struct KernelPorts {
    var serial = SerialPort()
    private var keyboard = KeyboardController()
    private var clock = RealTimeClock()
    private var firmware: FirmwareConfiguration
    private var shutdown = ShutdownWord()
    /// Of `--identity`: what the run loop asks first.
    var vendor: VendorServices
    /// Of `--test-device`.
    var test: TestDevice?
    /// How the kernel has ended itself, if it has.
    private(set) var ending: Stop?
    /// Accesses that nobody has answered.
    private(set) var strangers: UInt64 = 0
    /// When output has waited long enough for its line's end, on the monotonic clock in ns; nil: none waits.
    var outputDue: UInt64?
    var coalescing = Coalescing()
    /// The serial port's interrupt line, as KVM was told.
    var isLineHigh = false

    init(
        _ firmware: FirmwareConfiguration = FirmwareConfiguration(), test: TestDevice? = nil,
        vendor: VendorServices = VendorServices()
    ) {
        (self.firmware, self.test, self.vendor) = (firmware, test, vendor)
    }

    /// A kernel's own end, and a reset: without another start they are the same.
    private static let end = Stop.exited(status: 0)

    /// By what is no port.
    mutating func end(_ stop: Stop = Self.end) { ending = stop }

    mutating func write(_ port: UInt16, size: UInt8, _ value: UInt32) {
        switch port {
        // isa-debug-exit of QEMU, and its exit status.
        case 0xf4: ending = .exited(status: UInt8(truncatingIfNeeded: value << 1 | 1))
        case 0x510 where size == 2: firmware.select(UInt16(truncatingIfNeeded: value))
        // Sleep, by QEMU's PM1a control register: SLP_EN (ACPI 6.5, 4.8.3.2.1). Kernels know it by heart.
        case 0x604 where size >= 2: if value & 1 << 13 != 0 { ending = Self.end }
        case ACPIPort.sleepControl where size == 1: if value & ACPIPort.sleepEnable != 0 { ending = Self.end }
        // Reset control register. As a part of four bytes it is PCI's configuration address, and there is no PCI.
        case 0xcf9 where size == 1: if value & 4 != 0 { ending = Self.end }
        case 0xcf8 where size == 4: strangers &+= 1
        default:
            var isOwned = false
            for byte in 0..<UInt16(size) {
                let value = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte))
                if writeByte(port &+ byte, value) { isOwned = true }
            }
            if !isOwned { strangers &+= 1 }
        }
    }

    mutating func read(_ port: UInt16, size: UInt8) -> UInt32 {
        var (value, isOwned): (UInt32, Bool) = (0, false)
        for byte in 0..<UInt16(size) {
            let answer = readByte(port &+ byte)
            if answer != nil { isOwned = true }
            value |= UInt32(answer ?? 0xff) << UInt32(8 * byte)
        }
        if !isOwned { strangers &+= 1 }
        return value
    }

    /// Nobody's memory reads as ones, too.
    mutating func readMemory() -> UInt64 {
        strangers &+= 1
        return .max
    }

    mutating func writeMemory() { strangers &+= 1 }

    /// Whether somebody owns it.
    private mutating func writeByte(_ port: UInt16, _ value: UInt8) -> Bool {
        switch port {
        case 0x3f8...0x3ff: serial.write(port & 7, value)
        case 0x60: if keyboard.writeData(value) { ending = Self.end }
        case 0x64: if keyboard.command(value) { ending = Self.end }
        case 0x70: clock.select(value)
        case 0x71: clock.write(value)
        case 0x80: break  // the power-on self test's, whose time kernels take for a pause
        case ACPIPort.sleepControl, ACPIPort.sleepStatus: break  // nothing has woken us
        case 0x92: if value & 1 != 0 { ending = Self.end }  // system control port A: fast reset
        case 0x8900: if shutdown.take(value) { ending = Self.end }
        default: return test?.write(port, value) == true
        }
        return true
    }

    private mutating func readByte(_ port: UInt16) -> UInt8? {
        switch port {
        case 0x3f8...0x3ff: serial.read(port & 7)
        case 0x60: keyboard.readData()
        case 0x64: keyboard.status
        case 0x71: clock.read()
        case 0x511: firmware.read()
        case 0x80: 0
        case 0x92: 2  // A20 is on
        case ACPIPort.sleepControl, ACPIPort.sleepStatus: 0
        default: test?.read(port)
        }
    }
}

/// The word that ends Bochs, letter by letter.
private struct ShutdownWord {
    private var count = 0

    mutating func take(_ letter: UInt8) -> Bool {
        let word = Array("Shutdown".utf8)
        count = letter == word[count] ? count + 1 : letter == word[0] ? 1 : 0
        if count < word.count { return false }
        count = 0
        return true
    }
}
