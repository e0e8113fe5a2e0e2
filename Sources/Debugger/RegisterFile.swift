// A stopped vCPU's registers, read once and written back before it runs, as bytes in the order of a debugger.
//
// x87, SSE and AVX lie in XSAVE's standard format; of a part whose bit in XSTATE_BV is clear the bytes mean nothing, and the
// registers have their first values (Intel SDM vol. 1, 13.4 and 13.6). Read next: Target.swift.

import Deprivileged
import KVM
import VMM
import X86

struct RegisterFile {
    private(set) var general: Registers
    let special: SpecialRegisters
    private var bases: [UInt64]
    private var vector: [UInt8]
    /// What has to be written back.
    private var changed: (general: Bool, bases: Bool, vector: Bool) = (false, false, false)

    init(_ general: Registers, _ special: SpecialRegisters, vector: [UInt8]) {
        (self.general, self.special, self.vector) = (general, special, Self.completed(vector))
        bases = [special.fs.base, special.gs.base]
    }

    init(_ loop: inout RunLoop) throws(KVMError) {
        self.init(
            try loop.vcpu.registers(), try loop.guestSpecialRegisters(), vector: try loop.vcpu.vectorState())
    }

    /// Writes back what has changed.
    mutating func store(_ loop: inout RunLoop) throws(KVMError) {
        if changed.general { try loop.vcpu.setRegisters(general) }
        if changed.vector { try loop.vcpu.setVectorState(vector) }
        if changed.bases {
            var real = try loop.vcpu.specialRegisters()
            (real.fs.base, real.gs.base) = (bases[0], bases[1])
            try loop.vcpu.setSpecialRegisters(real)
        }
        changed = (false, false, false)
    }

    var instructionPointer: UInt64 {
        get { general.rip }
        set {
            general.rip = newValue
            changed.general = true
        }
    }

    /// The single-step flag.
    var trapFlag: Bool {
        get { general.rflags & Self.trap != 0 }
        set {
            general.rflags = newValue ? general.rflags | Self.trap : general.rflags & ~Self.trap
            changed.general = true
        }
    }

    private static let trap: UInt64 = 1 << 8
}

extension RegisterFile {
    /// As many bytes as the register has, the lowest first.
    func value(_ register: Register) -> [UInt8] {
        let size = register.bits / 8
        switch register.source {
        case .general(let number): return Self.bytes(general[number], size)
        case .instructionPointer: return Self.bytes(general.rip, size)
        case .flags: return Self.bytes(general.rflags, size)
        case .segment(let number): return Self.bytes(UInt64(selectors[number]), size)
        case .base(let number): return Self.bytes(bases[number], size)
        case .control(let number):
            return Self.bytes([special.cr0, special.cr2, special.cr3, special.cr4, special.efer][number], size)
        case .vectorControl: return Self.bytes(word(24, 4), size)
        case .x87(let number): return Self.bytes(x87(number), size)
        case .stack, .vector, .vectorHigh:
            let place = Self.place(register.source)
            return Array(vector[place..<place + size])
        }
    }

    /// False for a register that may not be written, or a value of another size.
    mutating func set(_ register: Register, _ value: [UInt8]) -> Bool {
        guard value.count == register.bits / 8 else { return false }
        let number = value.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        switch register.source {
        case .general(let index): general[index] = number
        case .instructionPointer: general.rip = number
        case .flags: general.rflags = number | RFLAGS.reserved1
        case .base(let index):
            if !ExplainedWalk.isCanonical(number) { return false }  // KVM would refuse the vCPU's next entry
            bases[index] = number
            changed.bases = true
            return true
        case .segment, .control: return number == self.value(register).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        case .vectorControl:
            if number & ~0xffbf != 0 { return false }  // reserved bits: #GP
            return setVector(24, value)
        case .x87(let index): return setX87(index, number)
        case .stack, .vector, .vectorHigh: return setVector(Self.place(register.source), value)
        }
        changed.general = true
        return true
    }

    private var selectors: [UInt16] {
        [special.cs, special.ss, special.ds, special.es, special.fs, special.gs].map(\.selector)
    }

    private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) : 0 }
    }

    /// x87, SSE and AVX, all at once.
    func hasVectors(of other: RegisterFile) -> Bool { vector == other.vector }

    /// In XSAVE's area (Intel SDM vol. 1, table 10-2; 13.4.3).
    private static func place(_ source: Register.Source) -> Int {
        switch source {
        case .stack(let number): 32 + 16 * number
        case .vector(let number): 160 + 16 * number
        case .vectorHigh(let number): 576 + 16 * number
        default: 0
        }
    }

    /// FCW, FSW, the tags in full, FIP and FDP cut as gdb has them, FOP.
    private func x87(_ number: Int) -> UInt64 {
        switch number {
        case 0: word(0, 2)
        case 1: word(2, 2)
        case 2: (0..<8).reduce(0) { vector[4] >> UInt8($1) & 1 == 0 ? $0 | 3 << UInt64(2 * $1) : $0 }
        case 3: word(12, 2)
        case 4: word(8, 4)
        case 5: word(20, 2)
        case 6: word(16, 4)
        default: word(6, 2)
        }
    }

    private mutating func setX87(_ number: Int, _ value: UInt64) -> Bool {
        let places = [(0, 2), (2, 2), (4, 1), (12, 2), (8, 4), (20, 2), (16, 4), (6, 2)]
        let tags = (0..<8).reduce(0 as UInt64) { value >> UInt64(2 * $1) & 3 == 3 ? $0 : $0 | 1 << UInt64($1) }
        return setVector(places[number].0, Self.bytes(number == 2 ? tags : value, places[number].1))
    }

    private func word(_ place: Int, _ size: Int) -> UInt64 {
        vector[place..<place + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func setVector(_ place: Int, _ value: [UInt8]) -> Bool {
        vector.replaceSubrange(place..<place + value.count, with: value)
        vector[512] |= place >= 576 ? 4 : place >= 160 || place == 24 ? 2 : 1  // XSTATE_BV
        changed.vector = true
        return true
    }

    /// With first values where the state says that it has none.
    private static func completed(_ area: [UInt8]) -> [UInt8] {
        var area = area
        if area[512] & 1 == 0 { area.replaceSubrange(0..<24, with: [0x7f, 3] + [UInt8](repeating: 0, count: 22)) }
        if area[512] & 1 == 0 { area.replaceSubrange(32..<160, with: [UInt8](repeating: 0, count: 128)) }
        if area[512] & 6 == 0 { area.replaceSubrange(24..<28, with: [0x80, 0x1f, 0, 0]) }
        if area[512] & 2 == 0 { area.replaceSubrange(160..<416, with: [UInt8](repeating: 0, count: 256)) }
        if area[512] & 4 == 0 { area.replaceSubrange(576..<832, with: [UInt8](repeating: 0, count: 256)) }
        return area
    }
}

extension ExplainedWalk {
    /// In four-level paging.
    static func isCanonical(_ address: UInt64) -> Bool {
        let upper = Int64(bitPattern: address) >> 47
        return upper == 0 || upper == -1
    }
}
