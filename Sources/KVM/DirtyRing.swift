// Which pages a vCPU has written, as a ring that the kernel fills and we empty (KVM API, 8.29); and pages mapped in advance.
//
// For `swiftlet bench memory`: a machine has no ring. Read next: VCPU.swift.

import CKVM
import Glibc

extension VM {
    /// Gives each vCPU that is made from now on a ring of `bytes`, a power of two, in place of slots' bitmaps.
    /// The corresponding capability is `KVM_CAP_DIRTY_LOG_RING_ACQ_REL`.
    public func enableDirtyRing(bytes: Int) throws(KVMError) {
        let capability = UInt32(KVM_CAP_DIRTY_LOG_RING_ACQ_REL)
        _ = try check(ckvm_enable_cap(fd, capability, UInt64(bytes)), "KVM_CAP_DIRTY_LOG_RING_ACQ_REL")
    }

    /// Has the kernel protect the pages that were taken from the rings again; how many.
    /// The corresponding ioctl is `KVM_RESET_DIRTY_RINGS`.
    public func resetDirtyRings() throws(KVMError) -> Int {
        try check(ckvm_reset_dirty_rings(fd), "KVM_RESET_DIRTY_RINGS")
    }
}

/// A vCPU's ring in our address space. Must not outlive the vCPU.
@safe public struct DirtyRing: ~Copyable, @unchecked Sendable {
    private let entries: UnsafeMutablePointer<kvm_dirty_gfn>
    private let count: Int
    private var next = 0

    /// `bytes` as `VM.enableDirtyRing` had it.
    public init(_ vcpu: borrowing VCPU, bytes: Int) throws(KVMError) {
        let offset = off_t(KVM_DIRTY_LOG_PAGE_OFFSET) * 4096
        let mapping = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu.fd, offset)
        guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
            throw KVMError("mmap of the dirty ring", errno: errno)
        }
        count = bytes / MemoryLayout<kvm_dirty_gfn>.stride
        // Sound: the kernel lays an array of kvm_dirty_gfn there, as long as it was asked for.
        unsafe entries = mapping.assumingMemoryBound(to: kvm_dirty_gfn.self)
    }

    deinit { unsafe munmap(entries, count * MemoryLayout<kvm_dirty_gfn>.stride) }

    /// Takes what there is: numbers of pages in their slots, in the order in which they were written.
    public mutating func harvest() -> [Int] {
        var pages: [Int] = []
        while pages.count < count {
            let page = unsafe ckvm_harvest(entries + next)
            if page < 0 { break }
            pages.append(page)
            next = (next + 1) % count
        }
        return pages
    }
}

extension VCPU {
    /// Maps pages for the guest before it touches them. EOPNOTSUPP where KVM shadows the guest's page tables.
    /// The corresponding ioctl is `KVM_PRE_FAULT_MEMORY`, and its capability `Capability.preFaultMemory`.
    public func preFault(_ address: UInt64, _ size: UInt64) throws(KVMError) {
        var done: UInt64 = 0
        while done < size {
            let left = ckvm_pre_fault(fd, address + done, size - done)
            if left == -Int(EINTR) { continue }
            done = size - UInt64(try check(left, "KVM_PRE_FAULT_MEMORY"))
        }
    }
}
