// A ring-3 guest made of bytes instead of a file: for probes of a host, and tests.
//
// The same machine as an ELF image gets, one page of code at the lowest address where images may lie.
// Read next: VMM/Probe.swift.

import CABI
import GuestMemory
import X86

extension RingThree {
    /// Plans a machine of `memorySize` bytes for `code`, which is entered at its first byte.
    public init(code: [UInt8], memorySize: UInt64) throws(ImageError) {
        let size = UInt64(code.count)
        let segment = ELFSegment(
            address: AddressMap.imageStart, memorySize: size, offset: 0, fileSize: size, flags: .code)
        layout = try Layout(memorySize: memorySize, image: segment.pages, moduleSize: 0)
        bias = 0
        var segments = ELFSegments()
        segments.append(segment)
        self.segments = segments
        entry = AddressMap.imageStart
    }

    /// Fills memory; returns how the vCPU starts.
    public func install(
        code: [UInt8], in memory: borrowing GuestMemory, _ parameters: BootParameters
    ) throws(ImageError) -> CPUState {
        memory.write(bytes: code, at: GuestAddress(entry))
        return try finish(in: memory, parameters)
    }
}
