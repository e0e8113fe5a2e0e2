// A guest-physical address, as a type of its own so that it is never taken for one of ours.
//
// Arithmetic wraps on purpose (`&+`): whether a range is inside memory is decided in one place, GuestMemory's gate.
// Read next: GuestMemory.swift.

/// A guest-physical address in bytes.
public struct GuestAddress: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public init(_ value: UInt64) { rawValue = value }

    @inlinable
    public static func < (a: GuestAddress, b: GuestAddress) -> Bool { a.rawValue < b.rawValue }

    @inlinable
    public static func + (address: GuestAddress, offset: UInt64) -> GuestAddress {
        GuestAddress(address.rawValue &+ offset)
    }

    /// The address as the manuals print one.
    public var description: String { "0x" + String(rawValue, radix: 16) }
}
