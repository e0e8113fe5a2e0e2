// A disk's and a network interface's results in the contract's numbers, for calls and rings alike.
//
// Read next: DiskWork.swift.

import CABI
import Devices
import Glibc

extension BlockResult {
    /// 0, or a negative number of CABI/swiftlet_devices.h.
    public var code: Int32 {
        switch self {
        case .done: 0
        case .outOfRange: SWIFTLET_OUT_OF_RANGE
        case .readOnly: SWIFTLET_READ_ONLY
        case .failed(errno: ENOSPC), .failed(errno: EDQUOT), .failed(errno: EFBIG): SWIFTLET_NO_SPACE
        case .failed, .interrupted: SWIFTLET_IO_ERROR
        }
    }
}

extension FrameResult {
    /// The same of a frame that will not be moved; nil where it is, or may be yet.
    public var failure: Int32? {
        switch self {
        case .done, .notReady, .interrupted: nil
        case .malformed: SWIFTLET_BAD_ENTRY
        case .down: SWIFTLET_LINK_DOWN
        case .gone: SWIFTLET_DEVICE_GONE
        case .failed: SWIFTLET_IO_ERROR
        }
    }
}
