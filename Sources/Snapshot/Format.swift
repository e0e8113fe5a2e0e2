// The snapshot file's parts, as bytes: structs of CSnapshot read, written and summed as they lie in memory.
//
// `unsafe` in this module: a struct's own bytes, guest memory by an address that its gate gave, paths for C.
// Read next: csnapshot.h (the layout), Snapshot.swift.

import CSnapshot
import Glibc
import Host

/// Numbers of the format.
enum Format {
    static let magic = UInt64(CSNAPSHOT_MAGIC)
    static let version = UInt32(CSNAPSHOT_FORMAT)
    static let plain = UInt32(CSNAPSHOT_PLAIN)
    static let page: UInt64 = 4096
    static let largestExtent = UInt64(CSNAPSHOT_EXTENT_MAX)
    /// Of bytes, which is a table of memory for more than a TiB.
    static let largestSection: UInt64 = 64 << 20
    static let longestPath: UInt64 = 4096
    static let deepest = UInt32(CSNAPSHOT_DEPTH_MAX)
}

/// What a section of the file is.
enum SectionKind: UInt32, CaseIterable {
    case machine = 1
    case vcpu = 2
    case image = 3
    case extents = 4
    case growth = 5
    case parent = 6
    case others = 7
    case identity = 0x8000_0001

    var name: String {
        switch self {
        case .machine: "machine state"
        case .vcpu: "vCPU state"
        case .image: "image path"
        case .extents: "table of memory"
        case .growth: "growth of memory"
        case .parent: "reference to its parent"
        case .others: "state of other vCPUs"
        case .identity: "identity"
        }
    }
}

/// CRC32C of a value's bytes.
func checksum<T: BitwiseCopyable>(of value: T) -> UInt32 {
    // Sound: the shim reads the bytes of one value.
    unsafe withUnsafeBytes(of: value) { unsafe csnapshot_crc32c($0.baseAddress, UInt64($0.count)) }
}

func checksum<T: BitwiseCopyable>(of list: [T]) -> UInt32 {
    unsafe list.withUnsafeBytes { unsafe csnapshot_crc32c($0.baseAddress, UInt64($0.count)) }
}

/// CRC32C of memory at an address of ours.
func checksum(at address: UInt, _ size: UInt64) -> UInt32 {
    // Sound: callers take address and size from the guest memory's gate.
    unsafe csnapshot_crc32c(UnsafeRawPointer(bitPattern: address), size)
}

extension File {
    /// Fills a value from the file; false when the file ends before.
    func read<T: BitwiseCopyable>(_ value: inout T, at offset: UInt64) throws(HostError) -> Bool {
        // Sound: every bit pattern is a value of the C structs that this is called with.
        let result = unsafe withUnsafeMutableBytes(of: &value) { bytes in
            transfer(bytes.count) { done in
                unsafe pread(
                    fd, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done, off_t(offset) + off_t(done))
            }
        }
        if result < 0 { throw HostError("read", "", errno: Int32(-result)) }
        return result == MemoryLayout<T>.size
    }

    /// Fills bytes; false when the file ends before.
    func read(into bytes: Bytes, at offset: UInt64) throws(HostError) -> Bool {
        // Sound: the bytes are that many.
        let result = transfer(bytes.count) { done in
            unsafe pread(fd, bytes.start + done, bytes.count - done, off_t(clamping: offset) + off_t(done))
        }
        if result < 0 { throw HostError("read", "", errno: Int32(-result)) }
        return result == bytes.count
    }

    /// A list of values; nil when the file ends before.
    func readList<T: BitwiseCopyable>(of zero: T, _ count: Int, at offset: UInt64) throws(HostError) -> [T]? {
        var list = [T](repeating: zero, count: count)
        let size = count * MemoryLayout<T>.stride
        let result = unsafe list.withUnsafeMutableBytes { bytes in
            transfer(size) { done in
                unsafe pread(fd, bytes.baseAddress.map { unsafe $0 + done }, size - done, off_t(offset) + off_t(done))
            }
        }
        if result < 0 { throw HostError("read", "", errno: Int32(-result)) }
        return result == size ? list : nil
    }

    func write<T: BitwiseCopyable>(value: T, at offset: UInt64) throws(HostError) {
        try check(unsafe withUnsafeBytes(of: value) { unsafe put($0, at: offset) })
    }

    func write<T: BitwiseCopyable>(list: [T], at offset: UInt64) throws(HostError) {
        try check(unsafe list.withUnsafeBytes { unsafe put($0, at: offset) })
    }

    /// Writes memory of ours straight from where it lies.
    func write(address: UInt, _ size: UInt64, at offset: UInt64) throws(HostError) {
        // Sound: callers take address and size from the guest memory's gate.
        let start = unsafe UnsafeRawPointer(bitPattern: address)
        try check(unsafe put(UnsafeRawBufferPointer(start: start, count: Int(size)), at: offset))
    }

    /// -errno, or whether all of it was taken.
    private func put(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) -> Int {
        let done = transfer(bytes.count) { done in
            unsafe pwrite(
                fd, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done, off_t(offset) + off_t(done))
        }
        return done < 0 || done == bytes.count ? done : Int(-ENOSPC)
    }

    private func check(_ result: Int) throws(HostError) {
        if result < 0 { throw HostError("write", "", errno: Int32(-result)) }
    }
}

/// Repeats a transfer until it is whole or comes to an end; bytes, or -errno.
private func transfer(_ size: Int, _ once: (Int) -> Int) -> Int {
    var done = 0
    while done < size {
        let moved = once(done)
        if moved == 0 { break }
        if moved < 0 && errno == EINTR { continue }
        if moved < 0 { return Int(-errno) }
        done += moved
    }
    return done
}
