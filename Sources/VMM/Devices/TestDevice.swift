// A part of QEMU's pc-testdev, for kernels that test a KVM: ports that keep what is written to them, and ports that raise and
// lower interrupt lines. Only with `--test-device`: no PC has it.
//
// QEMU hw/misc/pc-testdev.c; kvm-unit-tests x86/realmode.c, x86/ioapic.c. Read next: SerialPort.swift.

struct TestDevice {
    static let lineCount: UInt16 = 24
    private static let linePorts = 0x2000..<0x2000 + lineCount
    private static let latchPorts = 0xe0..<0xec as Range<UInt16>

    private var latch = [UInt8](repeating: 0, count: latchPorts.count)
    /// What the interrupt controllers have not been told.
    private(set) var changes: [(line: UInt32, isHigh: Bool)] = []

    mutating func takeChanges() -> [(line: UInt32, isHigh: Bool)] {
        defer { changes.removeAll(keepingCapacity: true) }
        return changes
    }

    /// Whether it owns the port.
    mutating func write(_ port: UInt16, _ value: UInt8) -> Bool {
        if Self.latchPorts.contains(port) {
            latch[Int(port - Self.latchPorts.lowerBound)] = value
        } else if Self.linePorts.contains(port) {
            changes.append((UInt32(port - Self.linePorts.lowerBound), value & 1 != 0))
        } else {
            return false
        }
        return true
    }

    func read(_ port: UInt16) -> UInt8? {
        Self.latchPorts.contains(port) ? latch[Int(port - Self.latchPorts.lowerBound)] : nil
    }
}
