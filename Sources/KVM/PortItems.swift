// Port and memory accesses item by item: for kernels whose string instructions move many, and that read where nothing is.
//
// A Swiftlet guest's exits have one item, which Exit.swift decodes. Read next: VMM/Devices/KernelOptions.swift.

import CKVM

extension VCPU {
    /// Item `index` of the string that an `OUTS` writes: as many as the exit's `count`, of `size` bytes each.
    public func portItem(_ index: Int, size: UInt8) -> UInt32 {
        // Sound: the kernel's offset and count lie inside the mapping, and the caller's index is below the count.
        let data = unsafe UnsafeRawPointer(shared) + Int(truncatingIfNeeded: shared.pointee.io.data_offset)
        return (0..<Int(size)).reduce(0) { value, byte in
            let item = unsafe data.load(fromByteOffset: index * Int(size) + byte, as: UInt8.self)
            return value | UInt32(item) << UInt32(8 * byte)
        }
    }

    /// What item `index` of an `IN` or `INS` reads.
    public func answerPortItem(_ index: Int, size: UInt8, _ value: UInt32) {
        // Sound: as above.
        let data = unsafe UnsafeMutableRawPointer(shared) + Int(truncatingIfNeeded: shared.pointee.io.data_offset)
        for byte in 0..<Int(size) {
            unsafe data.storeBytes(
                of: UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)), toByteOffset: index * Int(size) + byte,
                as: UInt8.self)
        }
    }

    /// What a read where no memory is answers.
    public func answerMemoryRead(_ value: UInt64) {
        unsafe withUnsafeMutableBytes(of: &shared.pointee.mmio.data) {
            unsafe $0.storeBytes(of: value, as: UInt64.self)
        }
    }

    /// Whether the guest takes interrupts, as of the last run's end.
    public var takesInterrupts: Bool { unsafe shared.pointee.if_flag != 0 }
}
