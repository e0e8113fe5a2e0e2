// Machine code from a file, called as a function: the bytes that run as a guest, on the host.
//
// For `swiftlet bench memory`, which compares the two. Read next: Pipe.swift.

import Glibc

/// Bytes of position-independent code, in memory that can be executed and not written.
@safe public struct FlatCode: ~Copyable {
    private let start: UnsafeMutableRawPointer
    private let size: Int

    public init(_ code: [UInt8]) throws(HostError) {
        let mapping = unsafe mmap(nil, max(code.count, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
            throw HostError("mmap", "", errno: errno)
        }
        unsafe code.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { unsafe mapping.copyMemory(from: base, byteCount: bytes.count) }
        }
        unsafe mprotect(mapping, max(code.count, 1), PROT_READ | PROT_EXEC)
        unsafe start = mapping
        size = max(code.count, 1)
    }

    deinit { unsafe munmap(start, size) }

    /// Calls the first byte as `void f(void *argument)` of the System V ABI, which the code must be.
    public func call(_ argument: UInt) {
        typealias Function = @convention(c) (UInt) -> Void
        unsafe unsafeBitCast(start, to: Function.self)(argument)
    }
}
