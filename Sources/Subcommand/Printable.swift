// Words and numbers for a terminal: nothing that a file brought along may control it.
//
// Read next: SVG.swift.

/// "0x40000"
public func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

/// Bytes in the largest unit that they are a whole number of: "64 KiB", "13592 bytes".
public func bytes(_ count: UInt64) -> String {
    for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] as [(UInt64, String)]
    where count >= 1 << shift && count & (1 << shift - 1) == 0 { return "\(count >> shift) \(unit)" }
    return "\(count) byte\(count == 1 ? "" : "s")"
}
