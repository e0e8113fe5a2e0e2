// ACPI's machine language, as much of it as a list of devices needs: names, numbers, texts, packages, resources.
//
// Each function gives the bytes of one term. ACPI 6.5, chapter 20 (terms), 6.4 (resources). Read next: ACPITables.swift.

/// Terms of definition blocks.
public enum AML {
    public typealias Bytes = [UInt8]

    /// The shortest form that holds it (20.2.3).
    public static func integer(_ value: UInt64) -> Bytes {
        switch value {
        case 0, 1: [UInt8(value)]
        case ...0xff: [0x0a] + little(value, 1)
        case ...0xffff: [0x0b] + little(value, 2)
        case ...0xffff_ffff: [0x0c] + little(value, 4)
        default: [0x0e] + little(value, 8)
        }
    }

    /// ASCII without a NUL in it.
    public static func string(_ text: String) -> Bytes { [0x0d] + Array(text.utf8) + [0] }

    /// A name of up to 4 letters, the first place that is looked in being the root with a backslash (20.2.2).
    public static func name(_ text: String) -> Bytes {
        let isRoot = text.utf8.first == UInt8(ascii: "\\")
        let letters = Array(text.utf8.dropFirst(isRoot ? 1 : 0))
        let padding = [UInt8](repeating: UInt8(ascii: "_"), count: max(0, 4 - letters.count))
        return (isRoot ? [UInt8(ascii: "\\")] : []) + letters + padding
    }

    public static func define(_ text: String, _ value: Bytes) -> Bytes { [0x08] + name(text) + value }
    public static func scope(_ text: String, _ terms: Bytes...) -> Bytes {
        [0x10] + withLength(name(text) + terms.joined())
    }
    public static func device(_ text: String, _ terms: Bytes...) -> Bytes {
        [0x5b, 0x82] + withLength(name(text) + terms.joined())
    }
    public static func package(_ elements: Bytes...) -> Bytes {
        [0x12] + withLength([UInt8(truncatingIfNeeded: elements.count)] + elements.joined())
    }
    public static func buffer(_ bytes: Bytes) -> Bytes {
        [0x11] + withLength(integer(UInt64(bytes.count)) + bytes)
    }

    /// "PNP0501" as a number: three letters of 5 bits, four digits, the highest byte first (6.1.5).
    public static func eisaID(_ text: String) -> Bytes {
        let letters = text.utf8.prefix(3).reduce(UInt64(0)) { $0 << 5 | (UInt64($1) &- 0x40) & 0x1f }
        let digits = UInt64(text.dropFirst(3), radix: 16) ?? 0
        return [0x0c] + little(UInt64(UInt32(truncatingIfNeeded: letters << 16 | digits).byteSwapped), 4)
    }

    /// With its own bytes counted: 6 bits in one byte, or 4 in the first and 8 in each of up to three others (20.2.4).
    static func withLength(_ content: Bytes) -> Bytes {
        if content.count < 63 { return [UInt8(content.count + 1)] + content }
        let extra = content.count + 2 < 1 << 12 ? 1 : content.count + 3 < 1 << 20 ? 2 : 3
        let length = UInt64(content.count + 1 + extra)
        return [UInt8(extra) << 6 | UInt8(length & 0xf)] + little(length >> 4, extra) + content
    }

    /// The lowest byte first.
    public static func little(_ value: UInt64, _ size: Int) -> Bytes {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
}

/// Resource descriptors, for `_CRS`.
extension AML {
    /// A buffer of them, with the tag that ends it and a checksum of 0, which counts as right.
    public static func resources(_ descriptors: Bytes...) -> Bytes { buffer(descriptors.joined() + [0x79, 0]) }

    /// Memory32Fixed, for reading and writing.
    public static func memory(_ start: UInt64, _ size: UInt64) -> Bytes {
        [0x86, 9, 0, 1] + little(start, 4) + little(size, 4)
    }

    /// IO, with all 16 bits of the address.
    public static func ports(_ start: UInt64, _ count: UInt8) -> Bytes {
        [0x47, 1] + little(start, 2) + little(start, 2) + [1, count]
    }

    /// Interrupt: a line of our own, edge-triggered, high.
    public static func interrupt(_ line: UInt64) -> Bytes { [0x89, 6, 0, 3, 1] + little(line, 4) }
}
