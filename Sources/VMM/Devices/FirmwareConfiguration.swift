// QEMU's firmware configuration device (fw_cfg) at ports 0x510 and 0x511: numbered items and named files that a kernel reads
// byte by byte. It tells how many CPUs and how much memory there are, and carries what `--fw-cfg` gives.
//
// Of what QEMU has: the signature, the interface by ports, the directory; no DMA, and no writing. QEMU docs/specs/fw_cfg.rst,
// include/standard-headers/linux/qemu_fw_cfg.h. Read next: FirmwareItem.swift.

struct FirmwareConfiguration {
    /// Numbers that kernels and loaders know by heart.
    enum Key {
        static let (signature, id, memorySize, hasNoDisplay): (UInt16, UInt16, UInt16, UInt16) = (0, 1, 3, 4)
        static let (cpus, mostCPUs): (UInt16, UInt16) = (5, 15)
        static let (kernelAddress, kernelSize, diskSize): (UInt16, UInt16, UInt16) = (7, 8, 11)
        static let (kernelData, diskData): (UInt16, UInt16) = (0x11, 0x12)
        static let (commandLineSize, commandLineData): (UInt16, UInt16) = (0x14, 0x15)
        static let (setupSize, setupData): (UInt16, UInt16) = (0x17, 0x18)
        static let (directory, firstFile): (UInt16, UInt16) = (0x19, 0x20)
    }

    /// What a number holds: little-endian, but for the directory.
    private var items: [UInt16: [UInt8]] = [:]
    private var files: [(name: String, size: Int)] = []
    private var selected: [UInt8] = []
    private var next = 0

    init(memorySize: UInt64 = 0, cpus: Int = 1) {
        items[Key.signature] = Array("QEMU".utf8)
        put(Key.id, 1)  // bit 0: by ports
        items[Key.memorySize] = bytes(memorySize, 8)
        items[Key.hasNoDisplay] = bytes(1, 2)
        items[Key.cpus] = bytes(UInt64(cpus), 2)
        items[Key.mostCPUs] = bytes(UInt64(cpus), 2)
        writeDirectory()
    }

    /// The reading starts at an item's first byte. One that is not there is empty.
    mutating func select(_ key: UInt16) {
        selected = items[key] ?? []
        next = 0
    }

    /// Behind an item's end there are zeros.
    mutating func read() -> UInt8 {
        guard next < selected.count else { return 0 }
        next += 1
        return selected[next - 1]
    }

    mutating func put(_ key: UInt16, _ number: UInt64) { items[key] = bytes(number, 4) }
    mutating func put(_ key: UInt16, _ content: [UInt8]) { items[key] = content }

    mutating func add(file name: String, _ content: [UInt8]) {
        items[Key.firstFile + UInt16(files.count)] = content
        files.append((name, content.count))
        writeDirectory()
    }

    /// Files, big-endian: how many; of each its size, its number, two bytes reserved, its name in 56 bytes.
    private mutating func writeDirectory() {
        var table = Array(bytes(UInt64(files.count), 4).reversed())
        for (index, file) in files.enumerated() {
            table += bytes(UInt64(file.size), 4).reversed()
            table += bytes(UInt64(Key.firstFile) + UInt64(index), 2).reversed() + [0, 0]
            let name = Array(file.name.utf8.prefix(FirmwareItem.longestName))
            table += name + [UInt8](repeating: 0, count: 56 - name.count)
        }
        items[Key.directory] = table
    }
}

/// Little-endian.
private func bytes(_ number: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
}
