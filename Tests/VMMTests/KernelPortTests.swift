// The ports of a kernel's machine, without a machine: serial port, keyboard controller, clock, ends, and nobody.
//
// Read next: Sources/VMM/Devices/KernelPorts.swift.

import Glibc
import Host
import Testing

@testable import VMM

@Suite struct KernelPortTests {
    private func ending(_ port: UInt16, size: UInt8 = 1, _ values: UInt32...) -> UInt8? {
        var ports = KernelPorts()
        for value in values { ports.write(port, size: size, value) }
        guard case .exited(let status)? = ports.ending else { return nil }
        return status
    }

    @Test func theDebugExitHasItsOwnStatus() {
        #expect(ending(0xf4, 0) == 1 && ending(0xf4, 1) == 3 && ending(0xf4, size: 4, 0x10) == 33)
        #expect(ending(0xf4, 0xff) == 255)
    }

    @Test func resetsAndPowerOffsAreEnds() {
        #expect(ending(0x64, 0xfe) == 0 && ending(0x64, 0xff) == nil && ending(0x64, 0x20) == nil)
        #expect(ending(0x92, 3) == 0 && ending(0x92, 2) == nil)
        #expect(ending(0xcf9, 6) == 0 && ending(0xcf9, 2) == nil)
        #expect(ending(0xcf8, size: 4, 0x8000_0600) == nil, "an address of PCI's")
        #expect(ending(0x604, size: 2, 0x2000) == 0 && ending(0x604, size: 2, 0x3c00) == 0)
        #expect(ending(0x604, size: 2, 0x1c00) == nil)
        #expect(ending(0x600, 0x34) == 0 && ending(0x600, 0x14) == nil && ending(0x601, 0x34) == nil, "ACPI's sleep")
        let word = "Shutdown".utf8.map { UInt32($0) }
        var ports = KernelPorts()
        for letter in "ShutShut".utf8.map({ UInt32($0) }) { ports.write(0x8900, size: 1, letter) }
        #expect(ports.ending == nil)
        for letter in word.dropFirst(4) { ports.write(0x8900, size: 1, letter) }
        #expect(ports.ending != nil)
    }

    @Test func whatNobodyOwnsReadsAsOnesAndIsCounted() {
        var ports = KernelPorts()
        #expect(ports.read(0x1234, size: 4) == 0xffff_ffff && ports.read(0x1234, size: 1) == 0xff)
        #expect(ports.readMemory() == .max)
        ports.write(0x20, size: 1, 0x11)
        ports.writeMemory()
        #expect(ports.strangers == 5)
        // Owned in part: the bytes beside a device are ones.
        #expect(ports.read(0x64, size: 2) == 0xff04 && ports.strangers == 5)
        ports.write(0xffff, size: 4, 0)
        #expect(ports.strangers == 6 && ports.ending == nil)
    }

    @Test func aSerialPortIsAlwaysReadyToSend() {
        var port = SerialPort()
        #expect(port.read(5) == 0x60 && port.read(6) == 0xb0 && port.read(2) == 1)
        for letter in "ab".utf8 { port.write(0, letter) }
        #expect(port.output == Array("ab".utf8) && !port.hasLine)
        port.write(0, 0x0a)
        #expect(port.hasLine)
        port.dropOutput()
        #expect(port.output.isEmpty)
        for _ in 0..<4096 { port.write(0, 0x20) }
        #expect(port.hasLine, "a line without an end is written too")
    }

    @Test func theDivisorIsNoData() {
        var port = SerialPort()
        port.write(3, 0x83)
        port.write(0, 12)
        port.write(1, 1)
        #expect(port.read(0) == 12 && port.read(1) == 1 && port.output.isEmpty && !port.interrupts)
        port.write(3, 3)
        #expect(port.read(0) == 0 && port.read(1) == 0 && port.read(3) == 3)
        port.write(7, 0x5a)
        #expect(port.read(7) == 0x5a)
    }

    @Test func whatCameInterruptsUntilItIsRead() {
        var port = SerialPort()
        port.receive([1, 2])
        #expect(!port.interrupts && port.read(5) == 0x61)
        port.write(1, 1)
        #expect(port.interrupts && port.read(2) == 4)
        #expect(port.read(0) == 1 && port.interrupts && port.read(0) == 2 && !port.interrupts)
        #expect(port.read(0) == 0 && port.read(5) == 0x60)
        port.receive([UInt8](repeating: 7, count: 20))
        #expect(port.room == 0)
        port.write(2, 7)
        #expect(port.room == 16 && port.read(2) == 0xc1)
    }

    @Test func theSenderInterruptsOnceForEachTimeItIsEmpty() {
        var port = SerialPort()
        port.write(1, 2)
        #expect(port.interrupts)
        #expect(port.read(2) == 2 && !port.interrupts && port.read(2) == 1)
        port.write(1, 2)
        #expect(!port.interrupts, "it was enabled already")
        port.write(0, 0x41)
        #expect(port.interrupts && port.read(2) == 2 && !port.interrupts)
        port.write(0, 0x41)
        port.receive([1])
        port.write(1, 3)
        #expect(port.read(2) == 4, "what came is more urgent")
        #expect(port.read(0) == 1 && port.read(2) == 2)
    }

    @Test func aLoopedPortHearsItself() {
        var port = SerialPort()
        port.write(4, 0x1a)
        #expect(port.read(6) == 0x90, "as Linux looks for a port")
        port.write(0, 0x55)
        #expect(port.output.isEmpty && port.read(0) == 0x55)
    }

    @Test func aTestDeviceKeepsWhatIsWrittenAndHasInterruptLines() {
        var ports = KernelPorts()
        ports.write(0xe0, size: 4, 0x1234_5678)
        #expect(ports.read(0xe0, size: 4) == .max && ports.strangers == 2, "only where it is wanted")
        ports.test = TestDevice()
        ports.write(0xe0, size: 4, 0x1234_5678)
        ports.write(0xe8, size: 2, 0xabcd)
        #expect(ports.read(0xe0, size: 4) == 0x1234_5678 && ports.read(0xe1, size: 1) == 0x56)
        #expect(ports.read(0xe8, size: 4) == 0xabcd)
        ports.write(0x2017, size: 1, 1)
        ports.write(0x2000, size: 1, 0)
        let changes = ports.test?.takeChanges() ?? []
        #expect(changes.map(\.line) == [23, 0] && changes.map(\.isHigh) == [true, false])
        ports.write(0x2018, size: 1, 1)
        #expect(ports.test?.takeChanges().isEmpty == true && ports.strangers == 3)
    }

    private func item(_ ports: inout KernelPorts, _ key: UInt32, _ count: Int) -> [UInt8] {
        ports.write(0x510, size: 2, key)
        return (0..<count).map { _ in UInt8(ports.read(0x511, size: 1)) }
    }

    @Test func theFirmwareConfigurationSaysWhoItIs() {
        var ports = KernelPorts(FirmwareConfiguration(memorySize: 0x1234_5000, cpus: 2))
        #expect(item(&ports, 0, 5) == Array("QEMU".utf8) + [0], "and zeros behind its end")
        #expect(item(&ports, 1, 4) == [1, 0, 0, 0] && item(&ports, 5, 2) == [2, 0] && item(&ports, 15, 2) == [2, 0])
        #expect(item(&ports, 3, 8) == [0, 0x50, 0x34, 0x12, 0, 0, 0, 0])
        #expect(item(&ports, 0xffff, 2) == [0, 0] && item(&ports, 0x19, 5) == [0, 0, 0, 0, 0], "no files")
        ports.write(0x510, size: 1, 0)
        ports.write(0x511, size: 1, 0x41)
        #expect(ports.read(0x510, size: 1) == 0xff && ports.strangers == 3, "a selector has 16 bits and is not read")
    }

    @Test func theFirmwareConfigurationHasADirectory() throws {
        let items = ["opt/one=string:abc", "opt/two=string:", "cmdline=string:quiet"].map { FirmwareItem($0) }
        var ports = KernelPorts(
            try FirmwareConfiguration(try items.map { try #require($0) }, commandLine: "loud", memorySize: 1 << 20))
        let directory = item(&ports, 0x19, 4 + 2 * 64)
        #expect(directory.prefix(12) == [0, 0, 0, 2, 0, 0, 0, 3, 0, 0x20, 0, 0])
        #expect(directory[12..<20] == Array("opt/one".utf8) + [0] && directory[68..<74] == [0, 0, 0, 0, 0, 0x21])
        #expect(item(&ports, 0x20, 4) == Array("abc".utf8) + [0] && item(&ports, 0x21, 1) == [0])
        #expect(item(&ports, 0x14, 4) == [6, 0, 0, 0] && item(&ports, 0x15, 6) == Array("quiet".utf8) + [0])
    }

    @Test func aLoaderFindsABzImageInTwoParts() throws {
        var image = [UInt8](repeating: 7, count: 2000)
        image[0x1f1] = 2
        image.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
        let path = "/tmp/swiftlet-fw-cfg-\(getpid())"
        try File(path, .create).write(image, at: 0)
        defer { unlink(path) }
        let item = try #require(FirmwareItem("kernel=\(path)"))
        var ports = KernelPorts(try FirmwareConfiguration([item], commandLine: "", memorySize: 1 << 20))
        #expect(self.item(&ports, 0x17, 4) == [0, 6, 0, 0] && self.item(&ports, 0x18, 1536) == Array(image[..<1536]))
        #expect(self.item(&ports, 0x08, 4) == [208, 1, 0, 0] && self.item(&ports, 0x11, 464) == Array(image[1536...]))
        #expect(self.item(&ports, 0x07, 4) == [0, 0, 0x10, 0])
    }

    @Test func anItemOfTheFirmwareConfigurationHasANameAndAValue() {
        let name = String(repeating: "x", count: 55)
        #expect(FirmwareItem("\(name)=f")?.name == name && FirmwareItem("\(name)x=f") == nil)
        for wrong in ["", "=", "name", "name=", "=file", "two words=file", "\u{7f}=file"] {
            #expect(FirmwareItem(wrong) == nil)
        }
        #expect(FirmwareItem("a=string:")?.source == .text("") && FirmwareItem("a=b=c")?.source == .file(path: "b=c"))
        #expect(throws: MachineError.self) { try FirmwareItem("a=/tmp")?.content() }
    }

    @Test func aKeyboardControllerAnswers() {
        var keyboard = KeyboardController()
        #expect(keyboard.status == 4 && keyboard.readData() == 0)
        #expect(keyboard.command(0xaa) == false && keyboard.status == 5 && keyboard.readData() == 0x55)
        #expect(keyboard.status == 4)
        #expect(keyboard.command(0x60) == false)
        for operand: UInt8 in [0x45, 0x46] {
            let resets = keyboard.writeData(operand)
            #expect(!resets)
        }
        #expect(keyboard.command(0x20) == false && keyboard.readData() == 0x45)
        #expect(keyboard.command(0xd0) == false && keyboard.readData() == 3)
    }

    /// The output port's bit 0 is the CPU's reset, active low.
    @Test(arguments: [
        ([0xd1] as [UInt8], UInt8(3), false), ([0xd1], 2, true), ([], 2, false), ([0xd1, 0x20], 2, false),
    ])
    func aKeyboardControllerResets(commands: [UInt8], operand: UInt8, resets: Bool) {
        var keyboard = KeyboardController()
        for command in commands {
            let isReset = keyboard.command(command)
            #expect(!isReset)
        }
        let isReset = keyboard.writeData(operand)
        #expect(isReset == resets)
    }

    @Test func theClockShowsTheCalendar() {
        let clock = RealTimeClock()
        // 29 February 2024, 23:59:58, a Thursday; 1 March 2000; 31 December 2099; 1 January 1970.
        let leap = Date(seconds: 1_709_251_198)
        let registers: [UInt8] = [0, 2, 4, 6, 7, 8, 9, 0x32]
        #expect(registers.map { clock.read($0, leap) } == [0x58, 0x59, 0x23, 5, 0x29, 2, 0x24, 0x20])
        #expect([7, 8, 9].map { clock.read($0, Date(seconds: 951_868_800)) } == [1, 3, 0])
        #expect([7, 8, 9].map { clock.read($0, Date(seconds: 4_102_444_799)) } == [0x31, 0x12, 0x99])
        #expect([6, 7, 8, 9, 0x32].map { clock.read($0, Date(seconds: 0)) } == [5, 1, 1, 0x70, 0x19])
        #expect(clock.read(0x0a, leap) & 0x80 == 0 && clock.read(0x0b, leap) == 2 && clock.read(0x0d, leap) == 0x80)
    }

    @Test func theClocksRAMKeepsWhatIsWritten() {
        var ports = KernelPorts()
        ports.write(0x70, size: 1, 0x8f)
        ports.write(0x71, size: 1, 0x42)
        ports.write(0x70, size: 1, 0x0f)
        #expect(ports.read(0x71, size: 1) == 0x42 && ports.strangers == 0)
    }
}
