// What KVM itself counts for a vCPU: exits, emulated instructions and much more, by name.
//
// The kernel describes its counters in the file itself, so they are looked up by name: which ones exist depends on the
// kernel (KVM API, section 4.133). Read next: Rig/Rig.swift.

import CKVM
import Glibc

/// An owned descriptor of a vCPU's counters.
public struct StatisticsFile: ~Copyable, Sendable {
    private let fd: Int32

    init(fd: Int32) { self.fd = fd }

    deinit { close(fd) }

    /// Reads all counters, about 3 KiB. Nil when the kernel's answer is not what the KVM API says.
    public func read() throws(KVMError) -> KernelStatistics? {
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, filled in
            var done = 0
            while done < buffer.count, let start = buffer.baseAddress {
                let count = unsafe pread(fd, start + done, buffer.count - done, off_t(done))
                if count < 0 && errno == EINTR { continue }
                if count < 0 { failure = errno }
                if count <= 0 { break }
                done += count
            }
            filled = done
        }
        if failure != 0 { throw KVMError("read of KVM_GET_STATS_FD", errno: failure) }
        return KernelStatistics(bytes: bytes)
    }
}

/// Counters by name.
public struct KernelStatistics: Equatable, Sendable {
    /// The first value of each: histograms have more.
    public let values: [String: UInt64]

    /// Parses `struct kvm_stats_header` (24 bytes), its descriptors and the data; nil when a part lies outside `bytes`.
    public init?(bytes: [UInt8]) {
        func word(_ offset: Int) -> Int? { number(bytes, offset, 4).map { Int($0) } }
        guard let nameSize = word(4), let count = word(8), let descriptors = word(16), let data = word(20) else {
            return nil
        }
        var values: [String: UInt64] = [:]
        for index in 0..<count {
            let descriptor = descriptors + index * (16 + nameSize)
            let name = descriptor + 16
            guard let offset = word(descriptor + 8), name + nameSize <= bytes.count,
                let value = number(bytes, data + offset, 8)
            else { return nil }
            values[String(decoding: bytes[name..<name + nameSize].prefix { $0 != 0 }, as: UTF8.self)] = value
        }
        self.values = values
    }
}

private func number(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64? {
    guard offset <= bytes.count - size else { return nil }
    return (0..<size).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
}

extension VCPU {
    /// The vCPU's counters. The corresponding ioctl is `KVM_GET_STATS_FD`, and its capability `Capability.statistics`.
    public func openStatistics() throws(KVMError) -> StatisticsFile {
        StatisticsFile(fd: Int32(try check(ckvm_get_stats_fd(fd), "KVM_GET_STATS_FD")))
    }
}
