// An Ethernet address: six bytes.
//
// Read next: BlockDevice.swift.

import Host

/// Six bytes in the order of the wire.
public struct MACAddress: Hashable, Sendable {
    /// The first byte of the wire is the lowest byte; the upper two are zero.
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue & 0xffff_ffff_ffff }

    /// Six pairs of hexadecimal digits between colons.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6 else { return nil }
        var value: UInt64 = 0
        for part in parts.reversed() {
            guard part.utf8.count == 2, part.first?.isHexDigit == true, let byte = UInt8(part, radix: 16) else {
                return nil
            }
            value = value << 8 | UInt64(byte)
        }
        rawValue = value
    }

    /// From the host's generator: a station's address, locally administered (IEEE 802, the second-lowest bit of byte 0).
    public static func random() throws(HostError) -> MACAddress {
        MACAddress(rawValue: try randomSeed().0 & ~0x01 | 0x02)
    }

    /// Neither a group's address nor all zeros.
    public var isUsable: Bool { rawValue != 0 && rawValue & 1 == 0 }

    /// Byte `index`, 0 to 5.
    public subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: rawValue >> UInt64(8 * index)) }

    /// "02:00:00:00:00:01"
    public var description: String {
        (0..<6).map { index in
            let digits = String(self[index], radix: 16)
            return digits.utf8.count == 1 ? "0\(digits)" : digits
        }.joined(separator: ":")
    }
}
