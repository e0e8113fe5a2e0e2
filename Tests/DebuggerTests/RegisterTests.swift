// Registers as a debugger has them: all that it insists on, in its order and sizes, and each value read as it was written.
//
// Read next: BreakpointTests.swift.

import KVM
import Testing

@testable import Debugger

@Suite struct RegisterTests {
    private let table = RegisterTable(is64Bit: true, hasAVX: true)

    private func file(vector: [UInt8]? = nil) -> RegisterFile {
        var general = Registers()
        (general.rax, general.rbx, general.rip, general.rflags) = (1, 2, 0x4_0000, 0x202)
        var special = SpecialRegisters()
        (special.cs.selector, special.cr3, special.gs.base) = (0x33, 0x5_4000, 0x1234)
        return RegisterFile(general, special, vector: vector ?? [UInt8](repeating: 0, count: 4096))
    }

    /// "Feature org.gnu.gdb.i386.core must have all 40 registers"; the order is gdb's.
    @Test func coreFeatureIsComplete() {
        let core = table.registers.filter { $0.feature == "org.gnu.gdb.i386.core" }
        #expect(core.count == 40 && core.prefix(4).map(\.name) == ["rax", "rbx", "rcx", "rdx"])
        #expect(core.prefix(24).reduce(0) { $0 + $1.bits } == 17 * 64 + 7 * 32)
        let narrow = RegisterTable(is64Bit: false, hasAVX: false)
        #expect(narrow.registers.filter { $0.feature == "org.gnu.gdb.i386.core" }.count == 32)
        #expect(narrow.registers.prefix(4).map(\.name) == ["eax", "ecx", "edx", "ebx"])
        #expect(!narrow.registers.contains { $0.name == "xmm8" || $0.name == "fs_base" || $0.name.hasPrefix("ymm") })
        #expect(Set(table.registers.map(\.name)).count == table.registers.count)
    }

    @Test func descriptionNamesEveryRegister() {
        let xml = table.xml
        for (number, register) in table.registers.enumerated() {
            #expect(
                xml.contains(
                    "<reg name=\"\(register.name)\" bitsize=\"\(register.bits)\" type=\"\(register.type)\" regnum=\"\(number)\"/>"
                ))
        }
        #expect(xml.contains("<architecture>i386:x86-64</architecture>"))
        #expect(xml.split(separator: "<feature ").count == xml.split(separator: "</feature>").count)
    }

    /// A file with one register set; nil when that is refused.
    private func setting(_ register: Register, _ value: [UInt8]) -> RegisterFile? {
        var file = file()
        return file.set(register, value) ? file : nil
    }

    private func register(_ name: String) throws -> Register { try #require(table.registers.first { $0.name == name }) }

    @Test func valuesAreReadAsTheyAreWritten() throws {
        for register in table.registers {
            let size = register.bits / 8
            var value = (0..<size).map { UInt8($0 + 1) }
            switch register.source {
            case .segment, .control: continue
            case .flags: value[0] |= 2
            case .vectorControl: value = [0x80, 0x1f, 0, 0]
            case .base: value = [1, 2, 3, 4, 5, 0x46, 0, 0]
            case .x87(2): value = [0xff, 0x3f, 0, 0]
            case .x87: value = [1, 2, 0, 0]
            default: break
            }
            #expect(setting(register, value)?.value(register) == value, "\(register.name)")
            #expect(setting(register, value + [0]) == nil && setting(register, []) == nil)
        }
    }

    @Test func whatMayNotChangeIsRefused() throws {
        for name in ["cs", "cr3"] {
            let register = try register(name)
            #expect(setting(register, file().value(register)) != nil, "unchanged, as in a packet of all registers")
            #expect(setting(register, [UInt8](repeating: 1, count: register.bits / 8)) == nil)
        }
        let base: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0x80]
        #expect(setting(try register("fs_base"), base) == nil, "KVM takes no base that is not canonical")
        #expect(setting(try register("mxcsr"), [0, 0, 1, 0]) == nil, "reserved bits")
    }

    /// What XSAVE leaves out has its first value, whatever lies in its place.
    @Test func statesThatAreNotThere() throws {
        var area = [UInt8](repeating: 0xaa, count: 4096)
        area.replaceSubrange(512..<520, with: [0, 0, 0, 0, 0, 0, 0, 0])
        let file = file(vector: area)
        func value(_ name: String) throws -> [UInt8] {
            file.value(try #require(table.registers.first { $0.name == name }))
        }
        #expect(try value("fctrl") == [0x7f, 3, 0, 0] && value("ftag") == [0xff, 0xff, 0, 0])
        #expect(try value("mxcsr") == [0x80, 0x1f, 0, 0] && value("xmm15") == [UInt8](repeating: 0, count: 16))
        #expect(
            try value("ymm15h") == [UInt8](repeating: 0, count: 16) && value("st7") == [UInt8](repeating: 0, count: 10))
    }
}
