// What a kernel is told of its machine by ACPI: CPUs, interrupt controllers, devices, and how to power off and reset.
//
// "Hardware-reduced": no timer, no events, no system control interrupt; sleep and reset are a port each. All tables lie
// behind the RSDP, which BIOS kernels look for below 1 MiB. ACPI 6.5, chapter 5.2. Read next: ../Boot/KernelPlan.swift.

/// A machine, in ACPI's words.
public struct ACPIMachine: Equatable, Sendable {
    /// A device with virtio's registers in memory; it has no line in a machine without interrupt controllers.
    public struct Device: Equatable, Sendable {
        public var address: UInt64
        public var size: UInt64
        public var line: UInt32?
        public init(address: UInt64, size: UInt64, line: UInt32?) {
            (self.address, self.size, self.line) = (address, size, line)
        }
    }

    /// Their local APICs' numbers are 0 and up.
    public var cpus: Int
    /// Whether there are local APICs and an I/O APIC.
    public var hasInterrupts: Bool
    public var virtio: [Device]

    public init(cpus: Int = 1, hasInterrupts: Bool, virtio: [Device] = []) {
        (self.cpus, self.hasInterrupts, self.virtio) = (cpus, hasInterrupts, virtio)
    }
}

/// The ports behind the tables' registers.
public enum ACPIPort {
    /// SLEEP_CONTROL_REG: SLP_EN is bit 5 (4.8.3.7).
    public static let sleepControl: UInt16 = 0x600
    public static let sleepEnable: UInt32 = 1 << 5
    public static let sleepStatus: UInt16 = 0x601
    /// RESET_REG: the chip sets' reset control, and its value for a reset.
    public static let reset: UInt16 = 0xcf9
    public static let resetValue: UInt8 = 6
    /// SLP_TYP of \_S5, the sleep that is none.
    static let off: UInt64 = 5
}

extension ACPIMachine {
    /// Where the tables lie.
    public static let place: Range<UInt64> = 0xe_0000..<0xf_0000

    private static let ioAPIC: UInt64 = 0xfec0_0000

    /// All tables, for that address: the RSDP first.
    public func tables(at base: UInt64) -> [UInt8] {
        let pointerSize: UInt64 = 64  // 36 bytes, and some for the eye
        var bytes: [UInt8] = []
        func place(_ table: [UInt8]) -> UInt64 {
            let address = base + pointerSize + UInt64(bytes.count)
            bytes += table + [UInt8](repeating: 0, count: -table.count & 15)
            return address
        }
        let devices = place(Self.table("DSDT", revision: 2, devices))
        var list = [place(Self.table("FACP", revision: 6, fixed(devices)))]
        if hasInterrupts { list.append(place(Self.table("APIC", revision: 5, interrupts))) }
        let root = place(Self.table("XSDT", revision: 1, list.flatMap { AML.little($0, 8) }))
        let pointer = Self.pointer(root)
        return pointer + [UInt8](repeating: 0, count: Int(pointerSize) - pointer.count) + bytes
    }

    /// The header (5.2.6) and what is behind it, summing up to 0.
    private static func table(_ signature: String, revision: UInt8, _ content: [UInt8]) -> [UInt8] {
        var bytes = Array(signature.utf8) + AML.little(UInt64(36 + content.count), 4) + [revision, 0]
        bytes += Array("SWFTLT".utf8) + Array("SWIFTLET".utf8) + AML.little(1, 4)
        bytes += Array("SWFL".utf8) + AML.little(1, 4) + content
        bytes[9] = checksum(bytes[...])
        return bytes
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt8 { 0 &- bytes.reduce(0, &+) }

    /// The RSDP of revision 2 (5.2.5.3): the first 20 bytes sum up to 0 by themselves.
    private static func pointer(_ root: UInt64) -> [UInt8] {
        var bytes = Array("RSD PTR ".utf8) + [0] + Array("SWFTLT".utf8) + [2] + AML.little(0, 4)
        bytes += AML.little(36, 4) + AML.little(root, 8) + [0, 0, 0, 0]
        bytes[8] = checksum(bytes[..<20])
        bytes[32] = checksum(bytes[...])
        return bytes
    }

    /// The FADT (5.2.9), by offset.
    private func fixed(_ devices: UInt64) -> [UInt8] {
        var table = [UInt8](repeating: 0, count: 276)
        func put(_ offset: Int, _ bytes: [UInt8]) { table.replaceSubrange(offset..<offset + bytes.count, with: bytes) }
        func port(_ number: UInt16) -> [UInt8] { [1, 8, 0, 1] + AML.little(UInt64(number), 8) }
        put(40, AML.little(devices, 4))
        put(108, [0x32])  // the CMOS byte of the century
        // No VGA, no PCIe power management; and neither other legacy devices nor a keyboard controller are promised.
        put(109, AML.little(1 << 2 | 1 << 4, 2))
        // WBINVD; no fixed power and sleep buttons, nor a clock's wake; RESET_REG; hardware-reduced.
        put(112, AML.little(1 << 0 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 10 | 1 << 20, 4))
        put(116, port(ACPIPort.reset))
        put(128, [ACPIPort.resetValue])
        put(131, [5])
        put(140, AML.little(devices, 8))
        put(244, port(ACPIPort.sleepControl))
        put(256, port(ACPIPort.sleepStatus))
        put(268, Array("Swiftlet".utf8))
        return Array(table[36...])
    }

    /// The MADT (5.2.12): local APICs and the I/O APIC, with PICs beside them.
    private var interrupts: [UInt8] {
        var bytes = AML.little(AddressMap.localAPIC, 4) + AML.little(1, 4)
        for cpu in 0..<UInt8(clamping: cpus) { bytes += [0, 8, cpu, cpu] + AML.little(1, 4) }
        return bytes + [1, 12, UInt8(clamping: cpus), 0] + AML.little(Self.ioAPIC, 4) + AML.little(0, 4)
    }

    /// The DSDT: the serial port, virtio's devices (by the name that Linux and others look for), and \_S5.
    private var devices: [UInt8] {
        var terms = serialPort
        for (number, device) in virtio.enumerated() {
            let digits = String(number, radix: 16, uppercase: true)
            let name = "VR" + (digits.utf8.count < 2 ? "0" : "") + digits
            terms += AML.device(
                name, AML.define("_HID", AML.string("LNRO0005")), AML.define("_UID", AML.integer(UInt64(number))),
                AML.define(
                    "_CRS", AML.resources(AML.memory(device.address, device.size), interrupt(device.line))))
        }
        let off = AML.integer(ACPIPort.off)
        return AML.scope("\\_SB", terms) + AML.define("\\_S5", AML.package(off, off, AML.integer(0), AML.integer(0)))
    }

    private var serialPort: [UInt8] {
        AML.device(
            "COM1", AML.define("_HID", AML.eisaID("PNP0501")), AML.define("_UID", AML.integer(1)),
            AML.define("_CRS", AML.resources(AML.ports(0x3f8, 8), interrupt(4))))
    }

    private func interrupt(_ line: UInt32?) -> [UInt8] {
        guard hasInterrupts, let line else { return [] }
        return AML.interrupt(UInt64(line))
    }
}
