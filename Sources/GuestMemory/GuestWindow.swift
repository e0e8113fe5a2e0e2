// A stretch of guest memory at a fixed place, checked once and then read and written without the gate: the call page.
//
// Every call copies its arguments out of it, so the gate's comparisons there would be a tenth of a call.
// Read next: GuestAtomic.swift.

/// `size` bytes of guest memory. Holds the address, not the memory: it must not outlive its `GuestMemory`.
@frozen
@safe public struct GuestWindow<let size: Int>: @unchecked Sendable {
    @usableFromInline let start: UnsafeMutableRawPointer

    /// Nil when any of it is not memory.
    public init?(_ memory: borrowing GuestMemory, _ address: GuestAddress) {
        guard let start = unsafe memory.pointer(address, UInt64(size)) else { return nil }
        unsafe self.start = start
    }

    /// Copies a value out of the window's start. A type larger than the window is a mistake of ours: it traps.
    @inlinable
    public func read<T: BitwiseCopyable>(_ type: T.Type = T.self) -> T {
        precondition(MemoryLayout<T>.size <= size)  // both are constants: no check is left
        return unsafe start.loadUnaligned(as: T.self)
    }

    /// Copies a value to the window's start.
    @inlinable
    public func write<T: BitwiseCopyable>(_ value: T) {
        precondition(MemoryLayout<T>.size <= size)
        unsafe start.storeBytes(of: value, as: T.self)
    }
}
