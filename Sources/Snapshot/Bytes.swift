// Bytes of a file in memory of their own: what an array of bytes is for, without an array.
//
// The first array of a program costs it 60 us, for the runtime then makes its storage class from a mangled name; a restore
// takes little more than ten times that. Read next: Extents.swift.

import CSnapshot
import Glibc
import Host

/// So many bytes that nobody changes once they are read. A class, so that a machine can keep them when its snapshot is gone.
@safe final class Bytes: @unchecked Sendable {
    let count: Int
    /// 16-byte aligned (malloc(3)).
    let start: UnsafeMutableRawPointer

    /// Zeros, and one behind them: text is a C string.
    init(count: Int) throws(HostError) {
        guard let start = unsafe calloc(count + 1, 1) else { throw HostError("calloc", "", errno: ENOMEM) }
        self.count = count
        unsafe self.start = start
    }

    /// From a file; nil when it ends before.
    convenience init?(_ file: borrowing File, at offset: UInt64, count: Int) throws(HostError) {
        try self.init(count: count)
        if try !file.read(into: self, at: offset) { return nil }
    }

    deinit { unsafe free(start) }

    /// A value of which every bit pattern is one; nil when it does not lie in the bytes.
    func load<T: BitwiseCopyable>(at offset: Int, as type: T.Type) -> T? {
        guard offset >= 0, offset <= count - MemoryLayout<T>.size else { return nil }
        // Sound: inside, as was just checked.
        return unsafe start.loadUnaligned(fromByteOffset: offset, as: T.self)
    }

    /// CRC32C.
    var checksum: UInt32 { unsafe csnapshot_crc32c(start, UInt64(count)) }

    /// Copied.
    var list: [UInt8] { unsafe Array(UnsafeRawBufferPointer(start: start, count: count)) }

    var text: String? { text(from: 0) }

    /// Nil when they are not UTF-8, or fewer, or have a zero. As a C string: to validate a buffer, the runtime makes a dozen
    /// types from mangled names, and that took 60 us of a restore.
    func text(from offset: Int) -> String? {
        guard offset <= count else { return nil }
        // Sound: a zero ends them.
        let text = unsafe String(validatingCString: (start + offset).assumingMemoryBound(to: CChar.self))
        return text?.utf8.count == count - offset ? text : nil
    }
}
