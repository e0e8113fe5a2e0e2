// Seeds for calls: each call made right, in every world, and the sequences that belong together.
//
// Read next: CallRun.swift.

import CABI
import ImageBuilder

private let buffer: UInt64 = 0x8_0000
private let forever = UInt64.max

/// A step of CallRun: a call with its words.
private func call(_ number: Int32, _ words: UInt64...) -> [UInt8] {
    let kind = UInt8(number - SWIFTLET_CALL_EXIT)
    var bytes = kind < 11 ? [kind] : [11, UInt8(number)]
    for index in 0..<4 { bytes.append64(index < words.count ? words[index] : 0) }
    return bytes
}

private func port(_ port: UInt16, size: UInt8 = 4, count: UInt8 = 1, rip: UInt64) -> [UInt8] {
    var bytes: [UInt8] = [12]
    bytes.append16(port)
    bytes += [size, count]
    bytes.append64(rip)
    return bytes
}

private func otherExit(_ kind: UInt8, _ address: UInt64) -> [UInt8] {
    var bytes: [UInt8] = [13, kind]
    bytes.append64(address)
    bytes.append32(4)
    bytes.append64(0x4_0000)
    return bytes
}

private func write(_ value: UInt64, at address: UInt32) -> [UInt8] {
    var bytes: [UInt8] = [14]
    bytes.append32(address)
    bytes.append64(value)
    return bytes
}

private let interrupt: [UInt8] = [15]
/// The same, with a ring's due.
private let ringInterrupt: [UInt8] = [31]

/// Lives, by name; each is a seed in every world.
private let lives: [(name: String, steps: [UInt8])] = [
    ("exit", call(SWIFTLET_CALL_EXIT, 7)),
    ("write", write(0x0a6f_6c6c_6568, at: 0x8_0000) + call(SWIFTLET_CALL_CONSOLE_WRITE, buffer, 6)),
    (
        "read",
        call(SWIFTLET_CALL_CONSOLE_READ, buffer, 4, 0) + call(SWIFTLET_CALL_CONSOLE_READ, buffer, 64, forever)
            + call(SWIFTLET_CALL_CONSOLE_READ, buffer, 64, 5)
    ),
    ("poll", call(SWIFTLET_CALL_POLL, 0, 1) + call(SWIFTLET_CALL_POLL, 100, 0) + call(SWIFTLET_CALL_POLL, forever, 1)),
    ("time", call(SWIFTLET_CALL_WALL_TIME) + call(SWIFTLET_CALL_FAULT_ADDRESS)),
    ("commit", call(SWIFTLET_CALL_COMMIT, 0) + call(SWIFTLET_CALL_COMMIT, buffer)),
    ("entropy", call(SWIFTLET_CALL_ENTROPY, buffer, 256)),
    ("log", write(0x1b20_6968, at: 0x8_0000) + call(SWIFTLET_CALL_LOG, buffer, 3 << 32 | 5)),
    ("handler", call(SWIFTLET_CALL_HANDLER, 14, 0x4_0000) + call(SWIFTLET_CALL_HANDLER, 14, 0)),
    (
        "timer",
        call(SWIFTLET_CALL_HANDLER, 32, 0x4_0000) + call(SWIFTLET_CALL_TIMER, 0, 32) + interrupt
            + call(SWIFTLET_CALL_POLL, 1000, 0) + write(0, at: 0x2_0120) + call(SWIFTLET_CALL_TIMER, forever, 32)
    ),
    (
        "masked",
        call(SWIFTLET_CALL_HANDLER, 255, 0x4_0000) + write(1, at: 0x2_0120) + call(SWIFTLET_CALL_TIMER, 0, 255)
            + interrupt + write(0, at: 0x2_0120) + call(SWIFTLET_CALL_POLL, forever, 1) + interrupt
    ),
    (
        "reclaim",
        call(SWIFTLET_CALL_RECLAIM, buffer, 8192) + call(SWIFTLET_CALL_RECLAIM, 0x1_0000, 0)
            + call(SWIFTLET_CALL_RECLAIM, 0x1_0000, 0xf_0000)
    ),
    (
        "grow",
        call(SWIFTLET_CALL_GROW, 1) + call(SWIFTLET_CALL_GROW, 3 << 20) + call(SWIFTLET_CALL_ENTROPY, 1 << 32, 256)
            + call(SWIFTLET_CALL_RECLAIM, 1 << 32, 6 << 20) + call(SWIFTLET_CALL_GROW, forever)
    ),
    (
        "disk",
        call(SWIFTLET_CALL_BLOCK, 4 << 32, 512, buffer, 512) + call(SWIFTLET_CALL_BLOCK, 3 << 32, 512, buffer, 512)
            + call(SWIFTLET_CALL_BLOCK, 5 << 32) + call(SWIFTLET_CALL_BLOCK, 6 << 32, 0, 0, 4096)
            + call(SWIFTLET_CALL_BLOCK, 3 << 32, forever, buffer, 1) + call(SWIFTLET_CALL_BLOCK, 9 << 32)
    ),
    ("no disk", call(SWIFTLET_CALL_BLOCK, 3 << 32 | 1, 0, buffer, 1)), ("no net", call(SWIFTLET_CALL_NET, 1 << 32)),
    ("no buffer", call(SWIFTLET_CALL_BLOCK, 3 << 32, 0, forever, 1)),
    (
        "ring",
        write(3, at: 0x8_0080) + write(buffer + 4096, at: 0x8_0088) + write(512, at: 0x8_0090)
            + call(SWIFTLET_CALL_RING, buffer, 8) + write(1, at: 0x8_0000) + call(SWIFTLET_CALL_POLL, 60000, 0x100)
            + call(SWIFTLET_CALL_POLL, 60000, 0x101) + write(1 << 32 | 1, at: 0x8_0000)
            + call(SWIFTLET_CALL_POLL, 100, 0x100) + write(99, at: 0x8_0000) + call(SWIFTLET_CALL_POLL, forever, 0x100)
    ),
    (
        "ring interrupt",
        call(SWIFTLET_CALL_HANDLER, 40, 0x4_0000) + call(SWIFTLET_CALL_RING, buffer, 8, 40) + ringInterrupt
            + ringInterrupt + call(SWIFTLET_CALL_POLL, 100, 0x101) + write(0, at: 0x2_0120) + ringInterrupt
            + call(SWIFTLET_CALL_RING, buffer + 4096, 8, 41)
    ),
    ("rings", (0..<9).flatMap { call(SWIFTLET_CALL_RING, buffer + $0 * 4096, 2) }),
    ("no ring", call(SWIFTLET_CALL_RING, buffer, 3)), ("no event", call(SWIFTLET_CALL_POLL, 0, 0x1_0200)),
    ("unknown", [11, 50]), ("stub", port(14, rip: 0x60e2)), ("port", port(0x3f8, size: 1, rip: 0x4_0000)),
    ("string", port(0x520, count: 9, rip: 0x4_0000)),
    ("outside", call(SWIFTLET_CALL_CONSOLE_WRITE, 0x10_0000, 1)), ("wraps", call(SWIFTLET_CALL_ENTROPY, .max, 2)),
]

/// Every life in every world, and each other exit once.
public func callSeeds() -> [Seed] {
    let worlds: [UInt8] = [0, 1, 2, 4, 6, 8, 9, 16]
    let calls = worlds.flatMap { world in lives.map { ("\($0.name)-\(world)", [world] + $0.steps) } }
    return calls + (0..<8).map { ("exit-\($0)", [0] + otherExit(UInt8($0), 0x2000)) }
}
