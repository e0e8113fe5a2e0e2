// A kernel's ports without a machine, for fuzzers and tests outside of this module: what a hostile kernel writes and reads.
//
// Not part of the public API: `@_spi(InventedExits) import VMM`. Read next: KernelPorts.swift.

@_spi(InventedExits) public struct InventedPorts {
    private var ports: KernelPorts

    /// With items of the firmware configuration, as `--fw-cfg` gives them.
    public init(_ items: [String] = []) throws {
        ports = KernelPorts(
            try FirmwareConfiguration(items.compactMap { FirmwareItem($0) }, commandLine: "text", memorySize: 64 << 20))
    }

    public mutating func write(_ port: UInt16, size: UInt8, _ value: UInt32) { ports.write(port, size: size, value) }
    public mutating func read(_ port: UInt16, size: UInt8) -> UInt32 { ports.read(port, size: size) }
    /// Typed at the console.
    public mutating func receive(_ bytes: [UInt8]) { ports.serial.receive(bytes) }
    /// As the run loop does at a line's end.
    public mutating func takeOutput() -> Int {
        defer { ports.serial.dropOutput() }
        return ports.serial.output.count
    }

    public var ends: Bool { ports.ending != nil }
    public var strangers: UInt64 { ports.strangers }
    /// Whether the output would be written now; what the serial port has room for; its interrupt line.
    public var hasLine: Bool { ports.serial.hasLine }
    public var room: Int { ports.serial.room }
    public var isLineHigh: Bool { ports.serial.interrupts }
}
