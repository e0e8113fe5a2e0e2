// A flat image: bytes that are copied to an address and jumped to, in 16-, 32- or 64-bit mode; a boot sector is one at
// 0x7c00 in real mode.
//
// There is no BIOS. In real mode every interrupt vector leads to a HLT of its own where a PC's BIOS lies, so that an exit
// there tells which service was called (Intel SDM vol. 3A, 20.1.4). Read next: LongMode.swift.

import X86

public enum FlatImage {
    static let bootSectorAddress: UInt64 = 0x7c00
    static let sectorSize: UInt64 = 512

    /// Where the vectors lead: vector n to byte n. The last 16 bytes are where a CPU starts after a reset.
    public static let firmware: Range<UInt64> = 0xf_f000..<0x10_0000
    static let resetVector: UInt64 = 0xf_fff0

    /// What a HLT before `next` in the firmware's place means; nil when it does not lie there.
    public static func firmwareCall(before next: UInt64) -> FirmwareCall? {
        let address = next &- 1
        guard firmware.contains(address) else { return nil }
        return address >= resetVector ? .reset : .vector(UInt8(truncatingIfNeeded: address))
    }

    public enum FirmwareCall: Equatable, Sendable {
        case vector(UInt8)
        case reset
    }

    /// 256 vectors: offset and segment.
    static var vectors: [UInt8] {
        var table = BootTable(at: 0)
        for vector in 0..<UInt64(256) { table.add32(0xf000 << 16 | (firmware.lowerBound & 0xffff) + vector) }
        return table.bytes
    }

    /// mov $0xfe, %al; out %al, $0x64; hlt: the keyboard controller's reset.
    static let reset: [UInt8] = [0xb0, 0xfe, 0xe6, 0x64, 0xf4]

    static var halts: [UInt8] { [UInt8](repeating: 0xf4, count: Int(firmware.upperBound - firmware.lowerBound)) }
}

extension KernelPlan {
    mutating func placeFlat(_ image: KernelImage) throws(ImageError) {
        var (mode, address, isSector) = (KernelState.Mode.real, FlatImage.bootSectorAddress, true)
        if case .flat(let wanted, let place) = method { (mode, address, isSector) = (wanted, place, false) }
        if isSector {
            if image.number(510, 2) != 0xaa55 { throw .boot(.notSuch(.bootSector)) }
            if image.fileSize > FlatImage.sectorSize { throw .boot(.bootSectorSize(image.fileSize)) }
        }
        if mode == .real, address >= FlatImage.firmware.lowerBound { throw .boot(.realModeAddress(address)) }
        if mode == .real { try placeVectors() }
        try place(address, image.fileSize, "the image", .file(offset: 0, size: image.fileSize))
        state = KernelState(mode, rip: address)
        switch mode {
        case .real: startReal(address, isSector: isSector)
        case .protected: state.rsp = memory.low.upperBound
        case .long:
            state.rsp = memory.low.upperBound
            try placeLongMode()
        }
    }

    private mutating func placeVectors() throws(ImageError) {
        try place(0, 1024, "interrupt vectors", .bytes(FlatImage.vectors))
        let firmware = FlatImage.firmware
        try place(
            firmware.lowerBound, firmware.upperBound - firmware.lowerBound, "halts in place of a BIOS",
            .bytes(FlatImage.halts))
    }

    /// The stack grows down from the boot sector's place, as a BIOS leaves it.
    private mutating func startReal(_ address: UInt64, isSector: Bool) {
        if address > 0xffff {
            (state.code, state.rip) = (UInt16(address >> 4), address & 15)
        }
        state.rsp = FlatImage.bootSectorAddress
        if isSector { state.rdx = 0x80 }  // the first hard disk
    }
}
