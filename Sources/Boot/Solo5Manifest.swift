// The manifest of a Solo5 unikernel: which devices it has, declared in a note and filled in by us before it starts.
//
// It comes from a hostile file, so all of it is checked before any of it is used; the rules are those of Solo5's
// mft_abi.h and of its tender. The guest is given the same bytes back, with the devices' properties in them.
// Read next: HvtGuest.swift.

/// Numbers of Solo5's ABI (its elf_abi.h and mft_abi.h).
public enum Solo5 {
    static let hvtTarget: UInt32 = 1
    public static let hvtVersion: UInt32 = 2
    /// "ABI1" and "MFT1".
    static let abiNote: UInt32 = 0x3149_4241
    static let manifestNote: UInt32 = 0x3154_464d
}

/// A checked manifest.
public struct Solo5Manifest: Equatable, Sendable {
    /// A device that the unikernel needs. Its index in the manifest is its handle.
    public struct Device: Equatable, Sendable {
        public enum Kind: Equatable, Sendable { case block, network, unknown(UInt32) }

        public let handle: Int
        public let name: String
        public let kind: Kind

        /// As Solo5 names its types.
        public var typeName: String {
            switch kind {
            case .block: "BLOCK_BASIC"
            case .network: "NET_BASIC"
            case .unknown(let type): "(unknown: \(type))"
            }
        }
    }

    static let headerSize = 8
    static let entrySize = 104
    static let maximumEntries: UInt32 = 64
    private static let version: UInt32 = 1
    private static let reservedFirst: UInt32 = 0x4000_0000
    /// Offsets in an entry.
    private static let (nameSize, typeOffset, unionOffset, attachedOffset) = (68, 68, 72, 96)

    /// As the guest gets it.
    public private(set) var bytes: [UInt8]
    /// In the manifest's order.
    public let devices: [Device]

    public init(_ bytes: [UInt8]) throws(Solo5Error) {
        if bytes.count < Self.headerSize { throw .invalidManifest("\(bytes.count) bytes") }
        if bytes.word(0) != Self.version { throw .invalidManifest("version \(bytes.word(0))") }
        let count = bytes.word(4)
        if count < 1 || count > Self.maximumEntries { throw .invalidManifest("\(count) entries, not 1 to 64") }
        if bytes.count != Self.headerSize + Int(count) * Self.entrySize {
            throw .invalidManifest("\(bytes.count) bytes for \(count) entries")
        }
        var devices: [Device] = []
        for index in 0..<Int(count) {
            let start = Self.headerSize + index * Self.entrySize
            if bytes[start + Self.nameSize - 1] != 0 { throw .invalidManifest("the name of entry \(index) has no end") }
            if bytes[start + Self.attachedOffset] != 0 { throw .invalidManifest("entry \(index) is attached already") }
            let name = bytes[start..<start + Self.nameSize].prefix { $0 != 0 }
            let type = bytes.word(start + Self.typeOffset)
            if index == 0 {
                guard type == Self.reservedFirst, name.isEmpty else {
                    throw .invalidManifest("no reserved first entry")
                }
            } else if type < Self.reservedFirst {
                devices.append(
                    Device(handle: index, name: String(decoding: name, as: UTF8.self), kind: Device.Kind(type)))
            }
        }
        self.bytes = bytes
        self.devices = devices
    }

    /// The device of that name and kind.
    public func device(_ name: String, _ kind: Device.Kind) -> Device? {
        devices.first { $0.name == name && $0.kind == kind }
    }

    public func isAttached(_ device: Device) -> Bool { bytes[start(device) + Self.attachedOffset] != 0 }

    /// Tells the guest that it has it: bytes in all, and in a block.
    public mutating func attachBlock(_ device: Device, capacity: UInt64, blockSize: UInt16) {
        put(capacity, device, 0)
        put(blockSize, device, 8)
        bytes[start(device) + Self.attachedOffset] = 1
    }

    public mutating func attachNetwork(_ device: Device, mac: [UInt8], mtu: UInt16) {
        for (index, byte) in mac.prefix(6).enumerated() { put(byte, device, index) }
        put(mtu, device, 6)
        bytes[start(device) + Self.attachedOffset] = 1
    }

    private func start(_ device: Device) -> Int { Self.headerSize + device.handle * Self.entrySize }

    private mutating func put(_ value: some FixedWidthInteger, _ device: Device, _ offset: Int) {
        let start = start(device) + Self.unionOffset + offset
        for byte in 0..<value.bitWidth / 8 { bytes[start + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
    }
}

extension Solo5Manifest.Device.Kind {
    fileprivate init(_ type: UInt32) {
        switch type {
        case 1: self = .block
        case 2: self = .network
        default: self = .unknown(type)
        }
    }
}

extension ELFImage {
    /// Of any of its targets. Cheaper than `kind`, which reads the file's head.
    public var hasSolo5Note: Bool { notes.contains { $0.owner == "Solo5" } }

    /// The manifest of an hvt unikernel, whose ABI note is checked on the way.
    public var hvtManifest: Solo5Manifest {
        get throws(Solo5Error) {
            let notes = notes.filter { $0.owner == "Solo5" }
            guard let abi = notes.first(where: { $0.type == Solo5.abiNote })?.descriptor else { throw .noABI }
            if !(8...32).contains(abi.count) { throw .noteSize(UInt64(abi.count)) }
            let (target, version) = (abi.word(0), abi.word(4))
            if target != Solo5.hvtTarget { throw .wrongTarget(target) }
            if version != Solo5.hvtVersion { throw .unsupportedVersion(version) }
            guard let manifest = notes.first(where: { $0.type == Solo5.manifestNote }) else { throw .noManifest }
            // The manifest is aligned to 8 bytes from the note's start: 4 bytes lie between the 20 of the header and it.
            if !(5...6668).contains(manifest.descriptor.count) { throw .noteSize(UInt64(manifest.descriptor.count)) }
            return try Solo5Manifest(Array(manifest.descriptor.dropFirst(4)))
        }
    }
}
