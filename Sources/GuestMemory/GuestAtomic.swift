// A 32-bit word that the VMM and a running guest share: every access is one atomic instruction.
//
// An ordinary load may be cached or torn by the compiler, which knows nothing of the guest. Read next: X86/AddressMap.

import Synchronization

/// A shared word in guest memory. Holds the address, not the memory: it must not outlive its `GuestMemory`.
@safe public struct GuestAtomic: @unchecked Sendable {
    @usableFromInline let word: UnsafeMutablePointer<Atomic<UInt32>>

    /// Nil when the word is not memory or not 4-byte aligned.
    public init?(_ memory: borrowing GuestMemory, _ address: GuestAddress) {
        guard address.rawValue % 4 == 0, let pointer = unsafe memory.pointer(address, 4) else { return nil }
        // Sound: Atomic<UInt32> has the layout of UInt32; the gate has checked the range.
        unsafe word = pointer.assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    @inlinable
    public func load() -> UInt32 { unsafe word.pointee.load(ordering: .acquiring) }

    /// Sets bits; what the word was.
    public func set(_ bits: UInt32) -> UInt32 {
        unsafe word.pointee.bitwiseOr(bits, ordering: .sequentiallyConsistent).oldValue
    }

    /// Clears bits.
    public func clear(_ bits: UInt32) {
        _ = unsafe word.pointee.bitwiseAnd(~bits, ordering: .sequentiallyConsistent)
    }

    @inlinable
    public func store(_ value: UInt32) { unsafe word.pointee.store(value, ordering: .releasing) }
}
