// Seeds for unikernels: manifests, each call made right, and a ring in use.
//
// Read next: UnikernelRun.swift.

import ImageBuilder

private let place: UInt32 = 0x10_2000
private let buffer: UInt64 = 0x11_0000

private func call(_ number: UInt8, _ words: UInt64..., at address: UInt32 = place) -> [UInt8] {
    var bytes: [UInt8] = [number]
    bytes.append32(address)
    for index in 0..<5 { bytes.append64(index < words.count ? words[index] : 0) }
    return bytes
}

private func entry(_ operation: UInt8, handle: UInt8 = 2, data: UInt64 = buffer, length: UInt32) -> [UInt8] {
    var bytes: [UInt8] = [13, operation, handle]
    bytes.append64(data)
    bytes.append32(length)
    return bytes
}

private let frame: [UInt8] = [15, 8]

private let lives: [(name: String, steps: [UInt8])] = [
    ("walltime", call(1)), ("puts", call(2, buffer, 5)), ("poll", frame + call(3, 100) + call(3, 0)),
    ("write", call(4, 1, 512, buffer, 512)), ("read", call(5, 1, 4096, buffer, 1024)),
    ("beyond", call(5, 1, 8192, buffer, 512) + call(4, 2, 0, buffer, 512)),
    ("send", call(6, 2, buffer, 60) + call(6, 1, buffer, 60) + call(6, 2, buffer, 5)),
    ("receive", frame + call(7, 2, buffer, 1514) + call(7, 2, buffer, 1514)),
    ("halt", call(8, 0, 3)), ("cookie", call(8, buffer, 255)), ("cookie-outside", call(8, 0x1f_ff00, 255)),
    ("struct-in-code", call(1, at: 0x10_0000)), ("struct-outside", call(2, at: 0x1f_fff8)),
    ("read-into-code", call(5, 1, 0, 0x10_0000, 512)), ("receive-into-code", frame + call(7, 2, 0x10_0000, 1514)),
    ("ring-send", entry(1, length: 60) + entry(1, handle: 1, length: 60) + entry(9, length: 0)),
    ("ring-receive", entry(2, length: 1514) + frame + entry(2, length: 1514) + entry(2, handle: 9, length: 60)),
    ("ring-outside", entry(1, data: 0x20_0000, length: 60)), ("ring-no-frame", entry(1, length: 13)),
    ("ring-into-code", frame + entry(2, data: 0x10_0000, length: 1514)), ("ring-tail", [14, 0, 0, 0, 0x80]),
    ("port", [9, 0x80, 0, 4, 1]), ("doorbell", [9, 0, 6, 4, 1]),
]

public func unikernelSeeds() -> [Seed] {
    let manifests: [(String, [UInt8])] = [
        ("none", ELFBuilder.solo5Manifest([])), ("two", ELFBuilder.solo5Manifest([("storage", 1), ("service", 2)])),
        ("unknown", ELFBuilder.solo5Manifest([("other", 7)])),
    ]
    let exits: [Seed] = (0..<8).map { ("exit-\($0)", [1, 10, UInt8($0)] + [UInt8](repeating: 0, count: 12)) }
    return manifests.map { ("manifest-\($0.0)", [0] + $0.1) } + exits
        + [1, 3, 5, 9, 17].flatMap { world in lives.map { ("\($0.name)-\(world)", [world] + $0.steps) } }
}
