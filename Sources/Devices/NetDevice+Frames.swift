// Sending and receiving: one frame, one system call, straight from and to guest memory. Never blocks.
//
// Read next: Attachments.swift.

import CDevices
import Glibc
import Host

extension NetDevice {
    /// Sends a frame of 14 to `largestFrame` bytes. Checked here, because kernels differ: some pad a shorter one.
    public func send(_ frame: RawSpan) -> FrameResult {
        guard (14...largestFrame).contains(UInt64(frame.byteCount)) else { return .malformed }
        let result = unsafe frame.withUnsafeBytes { unsafe cdevices_write(file.fd, $0.baseAddress, $0.count) }
        if result >= 0 { return .done(frame.byteCount) }
        // drivers/net/tun.c: EIO means that the interface is not up.
        return errno == EIO ? .down : failure(errno)
    }

    /// Receives a frame. What does not fit into the span is lost: `largestFrame` bytes are enough while the MTU is what it was.
    public func receive(into span: inout MutableRawSpan) -> FrameResult {
        let result = unsafe span.withUnsafeMutableBytes { unsafe cdevices_read(file.fd, $0.baseAddress, $0.count) }
        if result > 0 { return .done(result) }
        if result == 0 { return .notReady }
        // EIO means that it is being taken away.
        return errno == EIO ? .gone : failure(errno)
    }

    /// The same for frames that lie in pieces: one copy more.
    public func send(_ frame: [UInt8]) -> FrameResult {
        unsafe frame.withUnsafeBytes { send(unsafe $0.bytes) }
    }

    public func receive() -> (FrameResult, [UInt8]) {
        var frame = [UInt8](repeating: 0, count: Int(largestFrame))
        let result = unsafe frame.withUnsafeMutableBytes { bytes in
            var span = unsafe bytes.mutableBytes
            return receive(into: &span)
        }
        guard case .done(let count) = result else { return (result, []) }
        return (result, Array(frame.prefix(count)))
    }

    private func failure(_ error: Int32) -> FrameResult {
        switch error {
        case EAGAIN: .notReady
        case EINTR: .interrupted
        case EINVAL, EMSGSIZE: .malformed
        case 77, ENODEV: .gone  // EBADFD: the descriptor is attached to no interface (any more)
        default: .failed(errno: error)
        }
    }
}
