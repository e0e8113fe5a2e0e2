// Seeds for traps: a guest that sets up its tables and takes exceptions, and every privileged instruction once.
//
// Read next: TrapRun.swift.

@_spi(InventedTraps) import Deprivileged
import ImageBuilder

private let gdt: UInt64 = InventedTraps.data.lowerBound + 0x1000
private let idt: UInt64 = InventedTraps.data.lowerBound + 0x3000
private let tss: UInt64 = InventedTraps.data.lowerBound + 0x2000
private let scratch: UInt64 = InventedTraps.data.lowerBound

/// The steps of TrapRun.
private func write(_ value: UInt64, at address: UInt64) -> [UInt8] {
    var bytes: [UInt8] = [0]
    bytes.append32(UInt32(address))
    bytes.append64(value)
    return bytes
}

private func register(_ number: UInt8, _ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = [1, number]
    bytes.append64(value)
    return bytes
}

private func exception(_ vector: UInt8, _ code: UInt32 = 0, _ address: UInt64 = 0) -> [UInt8] {
    var bytes: [UInt8] = [2, vector]
    bytes.append32(code)
    bytes.append64(address)
    return bytes
}

private func instruction(_ code: UInt8..., vector: UInt8 = 13) -> [UInt8] {
    [3 | UInt8(code.count) << 4 | (vector == 6 ? 8 : 0)] + code
}

private func loadTable(_ base: UInt64, limit: UInt64, _ digit: UInt8) -> [UInt8] {
    write(limit | base << 16, at: scratch) + write(base >> 48, at: scratch + 8) + register(3, scratch)
        + instruction(0x0f, 0x01, digit << 3 | 7)
}

/// GDT with code, data, TSS and code of ring 3; a gate for every exception; LGDT, LIDT, LTR.
private func tables() -> [UInt8] {
    let entries: [UInt64] = [
        0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff,
        0x0000_8900_0000_0067 | (tss & 0xff_ffff) << 16 | (tss >> 24 & 0xff) << 56, 0,
        0x00cf_9b00_0000_ffff, 0x00af_fb00_0000_ffff,
    ]
    var steps = entries.enumerated().flatMap { write($1, at: gdt + UInt64($0) * 8) }
    for vector in [0, 6, 8, 13, 14] as [UInt64] {
        let handler = InventedTraps.code + 0x100
        let gate = handler & 0xffff | 8 << 16 | 1 << 32 | 0x8e << 40 | (handler >> 16) << 48
        steps += write(gate, at: idt + vector * 16)
    }
    steps += write(InventedTraps.data.lowerBound + 0x9000, at: tss + 36)
    steps += loadTable(gdt, limit: UInt64(entries.count * 8 - 1), 2) + loadTable(idt, limit: 0xfff, 3)
    return steps + register(0, 0x18) + instruction(0x0f, 0x00, 0xd8)
}

/// Every MSR that the emulator knows, written and read; then one that it does not.
private func msrs() -> [UInt8] {
    let known: [UInt64] = [
        0xc000_0080, 0xc000_0081, 0xc000_0082, 0xc000_0083, 0xc000_0084, 0xc000_0100, 0xc000_0101, 0xc000_0102,
    ]
    let value = register(0, 0x501) + register(2, 0)
    let each = known.flatMap { register(1, $0) + value + instruction(0x0f, 0x30) + instruction(0x0f, 0x32) }
    return each + register(1, 0x10) + instruction(0x0f, 0x30)
}

/// Control and debug registers, from RAX: values that may be written.
private func controls() -> [UInt8] {
    let writes: [(code: UInt8, modRM: UInt8, value: UInt64)] = [
        (0x22, 0xc0, 0x8001_0033), (0x22, 0xd0, 0x1234), (0x22, 0xd8, 0x2018), (0x22, 0xe0, 0x6a0),
        (0x23, 0xc8, 0x1000), (0x23, 0xf0, 0), (0x23, 0xf8, 0x400),
    ]
    let each = writes.flatMap {
        register(0, $0.value) + instruction(0x0f, $0.code, $0.modRM) + instruction(0x0f, $0.code - 2, $0.modRM)
    }
    return each + register(0, 5) + instruction(0x44, 0x0f, 0x22, 0xc0) + instruction(0x44, 0x0f, 0x20, 0xc0)
        + instruction(0x0f, 0x20, 0xd0) + instruction(0x0f, 0x21, 0xf8)
}

/// What ends with a refusal, one each.
private let refused: [(name: String, input: [UInt8])] = [
    ("cr3", register(0, 0x5000) + instruction(0x0f, 0x22, 0xd8)),
    ("cr4", register(0, 0x10_0620) + instruction(0x0f, 0x22, 0xe0)),
    ("cr0", register(0, 1) + instruction(0x0f, 0x22, 0xc0)),
    ("cr8", register(0, 16) + instruction(0x44, 0x0f, 0x22, 0xc0)),
    ("efer", register(1, 0xc000_0080) + register(0, 0x1500) + instruction(0x0f, 0x30)),
    ("far-base", register(1, 0xc000_0100) + register(2, 0x8000) + instruction(0x0f, 0x30)),
]

/// A guest with tables, and what comes then.
public func trapSeeds() -> [Seed] {
    let wrmsr = register(1, 0xc000_0100) + register(0, 0x1234) + register(2, 0) + instruction(0x0f, 0x30)
    let frame = InventedTraps.data.lowerBound + 0x8000
    let words: [UInt64] = [InventedTraps.code, 8, 0x202, frame, 0x10]
    let far = words.enumerated().flatMap { write($1, at: frame + UInt64($0) * 8) } + register(4, frame)
    let system: [UInt8] = [
        instruction(0x0f, 0x32), instruction(0x0f, 0x20, 0xc0), instruction(0x0f, 0x22, 0xc0),
        instruction(0x0f, 0x20, 0xd8), instruction(0x0f, 0x20, 0xe0), instruction(0x44, 0x0f, 0x20, 0xc0),
        instruction(0x0f, 0x06), instruction(0x0f, 0x21, 0xf0), instruction(0x0f, 0x23, 0xc0),
        instruction(0x0f, 0x01, 0xf8), instruction(0x0f, 0x01, 0xe0), instruction(0x0f, 0x00, 0xc8),
        instruction(0x0f, 0x00, 0xc0), instruction(0xfa), instruction(0xfb), instruction(0x0f, 0x09),
    ].flatMap { $0 }
    let stores = register(5, scratch) + instruction(0x0f, 0x01, 0x45, 0) + instruction(0x0f, 0x01, 0x4d, 8)
    let addresses =
        register(7, 8) + register(5, scratch) + instruction(0x43, 0x0f, 0x01, 0x54, 0xa5, 0x10)
        + instruction(0x64, 0x67, 0x0f, 0x01, 0x1d, 0, 0, 0, 0)
    let selectors = register(0, 0x10) + instruction(0x8e, 0xd0) + instruction(0x8e, 0xe0) + instruction(0x0f, 0xa1)
    // lgdt (%rdi), push $8, push $CODE, mov $16, %rax, mov $16, %eax, mov %eax, %ss; behind it zeros
    let row =
        instruction(0x0f, 0x01, 0x17, 0x6a, 8, 0x68, 0, 0, 0x10, 0) + instruction(0x0f, 0x01, 0x17, 0xb8, 16, 0, 0, 0)
        + instruction(0x0f, 0x01, 0x17, 0x48, 0xc7, 0xc0, 16, 0, 0, 0, 0x8e, 0xd0)
    let seeds: [Seed] = [
        ("tables", []), ("wrmsr", wrmsr), ("system", system), ("stores", stores), ("addresses", addresses),
        ("selectors", selectors), ("far-return", far + instruction(0x48, 0xcb)),
        ("iretq", far + instruction(0x48, 0xcf)),
        ("far-jump", register(0, frame) + instruction(0xff, 0x28)),
        ("far-call", register(0, frame) + instruction(0xff, 0x18)),
        ("ring-3", write(0x33, at: frame + 8) + instruction(0x48, 0xcb)), ("halt", instruction(0xf4)),
        ("divide", exception(0)), ("page-fault", exception(14, 7, 0x4_0000_0000)), ("alignment", exception(17)),
        ("protected", exception(14, 7, InventedTraps.code)), ("interrupt", instruction(0xcd, 6, vector: 6)),
        ("double", write(0, at: idt) + exception(0)),
        ("triple", write(0, at: idt) + write(0, at: idt + 128) + exception(0)),
        ("syscall", register(6, 0) + register(1, InventedTraps.code + 2) + exception(14, 0x14, 0)),
        ("lmsw", instruction(0x0f, 0x01, 0xf0)), ("lldt", instruction(0x0f, 0x00, 0xd0)),
        ("xsetbv", instruction(0x0f, 0x01, 0xd1)), ("invpcid", instruction(0x66, 0x0f, 0x38, 0x82, 0x01)),
        ("breakpoints", register(0, 1) + instruction(0x0f, 0x23, 0xf8)),
        ("row", register(3, scratch) + row), ("call", register(2, 0x502) + instruction(0xef)),
        ("port", instruction(0xed)),
    ]
    let more = [("msrs", msrs()), ("controls", controls())] + refused.map { ($0.name, $0.input) }
    let named = (seeds + more).map { ($0.name, tables() + $0.input) }
    return named + [("without-tables", exception(0)), ("unset", system)]
}
