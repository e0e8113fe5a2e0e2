// A memory slot: which range of our own memory a guest sees at which guest-physical address.
//
// The kernel keeps data for every page of a slot (150 MiB for 64 GiB where it was measured), so few and large slots.
// Read next: VM.swift.

import CKVM

/// The argument of `KVM_SET_USER_MEMORY_REGION`.
public struct MemorySlot: Sendable {
    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// Guest writes become MMIO exits. The corresponding flag is `KVM_MEM_READONLY`.
        public static let readOnly = Flags(rawValue: UInt32(KVM_MEM_READONLY))
        /// Written pages are recorded. The corresponding flag is `KVM_MEM_LOG_DIRTY_PAGES`.
        public static let logDirtyPages = Flags(rawValue: UInt32(KVM_MEM_LOG_DIRTY_PAGES))
    }

    public var index: UInt32
    /// Guest-physical, page-aligned.
    public var guestAddress: UInt64
    /// Bytes, a multiple of the page size; 0 deletes the slot.
    public var size: UInt64
    /// Where the memory lies in this process, page-aligned; it must stay mapped as long as the slot exists.
    public var hostAddress: UInt
    public var flags: Flags

    public init(index: UInt32, guestAddress: UInt64, size: UInt64, hostAddress: UInt, flags: Flags = []) {
        self.index = index
        self.guestAddress = guestAddress
        self.size = size
        self.hostAddress = hostAddress
        self.flags = flags
    }
}

/// The slots of a VM. Holds the descriptor, not the VM: it must not outlive it.
public struct MemorySlots: Sendable {
    let vm: Int32

    /// As `VM.set`.
    public func set(_ slot: MemorySlot) throws(KVMError) {
        var region = kvm_userspace_memory_region(
            slot: slot.index, flags: slot.flags.rawValue, guest_phys_addr: slot.guestAddress,
            memory_size: slot.size, userspace_addr: UInt64(slot.hostAddress))
        _ = try check(unsafe ckvm_set_user_memory_region(vm, &region), "KVM_SET_USER_MEMORY_REGION")
    }
}
