// ACPI's tables: checksums, pointers and lengths by the specification's offsets, terms byte for byte, and what Intel's own
// disassembler reads in them.
//
// Read next: Sources/X86/ACPITables.swift.

import Foundation
import Testing

@testable import X86

private let base: UInt64 = 0xe_0000

/// Tables in memory, as a kernel walks through them.
private struct Walk {
    let bytes: [UInt8]
    var machine = ACPIMachine(
        cpus: 2, hasInterrupts: true,
        virtio: (0..<17).map { .init(address: 0xd000_0000 + UInt64($0) * 4096, size: 4096, line: UInt32($0) + 5) })

    init() { bytes = machine.tables(at: base) }
    init(_ machine: ACPIMachine) { (self.machine, bytes) = (machine, machine.tables(at: base)) }

    func number(_ address: UInt64, _ size: Int) -> UInt64 {
        bytes[Int(address - base)..<Int(address - base) + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    func table(_ address: UInt64) -> (name: String, bytes: [UInt8]) {
        let start = Int(address - base)
        let table = Array(bytes[start..<start + Int(number(address + 4, 4))])
        return (String(decoding: table.prefix(4), as: UTF8.self), table)
    }

    /// By name, as the XSDT lists them.
    var tables: [String: [UInt8]] {
        let root = number(base + 24, 8)
        let list = table(root)
        var found = [list.name: list.bytes]
        for index in 0..<(list.bytes.count - 36) / 8 {
            let next = table(number(root + 36 + UInt64(index) * 8, 8))
            found[next.name] = next.bytes
            if next.name == "FACP" { found["DSDT"] = dsdt(next.bytes) }
        }
        return found
    }

    private func dsdt(_ fixed: [UInt8]) -> [UInt8] {
        table(fixed[140..<148].reversed().reduce(0) { $0 << 8 | UInt64($1) }).bytes
    }
}

@Suite struct ACPITests {
    @Test func everyTableSumsUpToNothing() {
        let walk = Walk()
        #expect(String(decoding: walk.bytes.prefix(8), as: UTF8.self) == "RSD PTR ")
        #expect(walk.bytes[..<20].reduce(0, &+) == 0 && walk.bytes[..<36].reduce(0, &+) == 0 && walk.bytes[15] == 2)
        #expect(Set(walk.tables.keys) == ["XSDT", "FACP", "APIC", "DSDT"])
        for (name, table) in walk.tables { #expect(table.reduce(0, &+) == 0, "\(name)") }
        #expect(UInt64(walk.bytes.count) < ACPIMachine.place.upperBound - base, "with all devices that can be")
    }

    @Test func sleepAndResetAreHardwareReduced() throws {
        let fixed = try #require(Walk().tables["FACP"])
        #expect(fixed.count == 276 && fixed[8] == 6)
        let flags = fixed[112..<116].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        #expect(flags & 1 << 20 != 0 && flags & 1 << 10 != 0)
        #expect(Array(fixed[116..<129]) == [1, 8, 0, 1, 0xf9, 0x0c, 0, 0, 0, 0, 0, 0, 6])
        #expect(Array(fixed[244..<250]) == [1, 8, 0, 1, 0, 6] && Array(fixed[256..<262]) == [1, 8, 0, 1, 1, 6])
    }

    @Test func eachCPUHasALocalAPIC() throws {
        let interrupts = try #require(Walk().tables["APIC"])
        #expect(Array(interrupts[44...].prefix(16)) == [0, 8, 0, 0, 1, 0, 0, 0, 0, 8, 1, 1, 1, 0, 0, 0])
        #expect(Array(interrupts[60...]) == [1, 12, 2, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0])
        #expect(Walk(ACPIMachine(hasInterrupts: false)).tables["APIC"] == nil)
    }

    @Test func termsAreThoseOfTheSpecification() {
        #expect(AML.integer(0) == [0] && AML.integer(1) == [1] && AML.integer(2) == [0x0a, 2])
        #expect(AML.integer(0x1234) == [0x0b, 0x34, 0x12] && AML.integer(0x1_0000) == [0x0c, 0, 0, 1, 0])
        #expect(AML.integer(1 << 32) == [0x0e, 0, 0, 0, 0, 1, 0, 0, 0])
        #expect(AML.name("\\_S5") == Array("\\_S5_".utf8) && AML.name("VR00") == Array("VR00".utf8))
        #expect(AML.eisaID("PNP0501") == [0x0c, 0x41, 0xd0, 0x05, 0x01])
    }

    /// Around each length at which the form changes.
    @Test(arguments: [0, 61, 62, 63, 4093, 4094, 1 << 20])
    func lengthsCountThemselves(count: Int) {
        let bytes = AML.withLength([UInt8](repeating: 7, count: count))
        let extra = Int(bytes[0] >> 6)
        var length = Int(bytes[0] & (extra == 0 ? 0x3f : 0xf))
        for index in 0..<extra { length |= Int(bytes[1 + index]) << (4 + 8 * index) }
        #expect(length == bytes.count && bytes.count == count + 1 + extra)
    }

    private static let disassembler = ["/usr/bin/iasl"].first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Debian's acpica-tools.
    @Test(.enabled(if: disassembler != nil))
    func intelsDisassemblerReadsTheDevices() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "acpi-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var text = ""
        for (name, table) in Walk().tables where name != "XSDT" {
            try Data(table).write(to: folder.appending(path: "\(name).aml"))
            let process = Process()
            process.executableURL = URL(filePath: try #require(Self.disassembler))
            process.arguments = ["-d", "\(name).aml"]
            process.currentDirectoryURL = folder
            (process.standardOutput, process.standardError) = (Pipe(), Pipe())
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            text += try String(contentsOf: folder.appending(path: "\(name).dsl"), encoding: .utf8)
        }
        for line in [
            "Device (VR00)", "Device (VR10)", "Name (_HID, \"LNRO0005\")", "Memory32Fixed (ReadWrite,", "0xD0010000,",
            "Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive, ,, )", "0x00000015,", "EisaId (\"PNP0501\")",
            "IO (Decode16,", "Name (\\_S5, Package (0x04)", "Hardware Reduced (V5) : 1",
            "Reset Register Supported (V2) : 1",
        ] { #expect(text.contains(line), "\(line)") }
        #expect(!text.contains("Invalid") && !text.contains("Unknown"))
    }
}
