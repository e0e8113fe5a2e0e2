// Which pages of a slot the guest has written since somebody asked: a bitmap, a bit for each page (KVM API, 4.8 and 4.125).
//
// A machine logs nothing unless increments of it are saved (Snapshot/SnapshotSeries); `swiftlet bench memory` measures it.
// Read next: DirtyRing.swift.

import CKVM

/// How the bitmap is handed out. The corresponding capability is `KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2`.
public enum DirtyLogProtection: UInt64, Sendable {
    /// By `clearDirtyLog`, not by asking.
    case manual = 1
    /// Likewise; and all pages count as written when logging begins, so that nothing has to be protected then.
    case manualInitiallySet = 3
}

extension VM {
    /// Chooses who protects pages again; before logging begins.
    public func setDirtyLogProtection(_ protection: DirtyLogProtection) throws(KVMError) {
        let capability = UInt32(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2)
        _ = try check(ckvm_enable_cap(fd, capability, protection.rawValue), "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2")
    }

    /// Fills the bitmap; what was written since the last time counts as clean from now on, unless protection is manual.
    /// The corresponding ioctl is `KVM_GET_DIRTY_LOG`; ENOENT when the slot is not logged.
    public func readDirtyLog(slot: UInt32, into bitmap: inout DirtyBitmap) throws(KVMError) {
        let result = unsafe bitmap.words.withUnsafeMutableBufferPointer {
            unsafe ckvm_get_dirty_log(fd, slot, $0.baseAddress)
        }
        _ = try check(result, "KVM_GET_DIRTY_LOG")
    }

    /// Pages whose bits are set count as clean from now on; protection is manual.
    /// The corresponding ioctl is `KVM_CLEAR_DIRTY_LOG`.
    public func clearDirtyLog(slot: UInt32, _ bitmap: DirtyBitmap) throws(KVMError) {
        let result = unsafe bitmap.words.withUnsafeBufferPointer {
            unsafe ckvm_clear_dirty_log(fd, slot, UInt32(bitmap.pages), $0.baseAddress)
        }
        _ = try check(result, "KVM_CLEAR_DIRTY_LOG")
    }
}

/// A bit for each page of a slot.
public struct DirtyBitmap: Sendable {
    public let pages: Int
    fileprivate var words: [UInt64]

    /// `pages` is the slot's size in pages: the kernel fills as many bits, in whole words.
    public init(pages: Int) {
        self.pages = pages
        words = Array(repeating: 0, count: (pages + 63) / 64)
    }

    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Numbers of the pages written, ascending.
    public var indices: [Int] {
        var indices: [Int] = []
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                indices.append(index * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
        return indices
    }
}
