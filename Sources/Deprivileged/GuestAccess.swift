// The guest's memory as a privileged instruction sees it: by virtual address, with the rights that the guest has itself.
//
// Every address here comes from the guest. An access that the tables do not allow is the guest's page fault, as it would
// be on a CPU. Read next: VirtualCPU.swift, Emulator.swift.

import GuestMemory
import X86

/// What an emulated instruction does instead of ending: an exception for the guest. A value that is thrown inside this
/// module only.
package struct Exception: Error, Equatable, Sendable {
    package var vector: Int
    /// Nil for a vector that has none.
    package var code: UInt64?
    /// What CR2 shows, of a page fault.
    package var address: UInt64 = 0

    package static let invalidOpcode = Exception(vector: Vector.invalidOpcode, code: nil)
    package static func protection(_ code: UInt64 = 0) -> Exception {
        Exception(vector: Vector.generalProtection, code: code)
    }
    package static func pageFault(_ address: UInt64, _ code: UInt64) -> Exception {
        Exception(vector: Vector.pageFault, code: code, address: address)
    }
}

/// Bits of a page fault's error code (Intel SDM vol. 3A, figure 4-12).
enum PageFaultCode {
    static let present: UInt64 = 1 << 0
    static let write: UInt64 = 1 << 1
    static let user: UInt64 = 1 << 2
    static let fetch: UInt64 = 1 << 4
}

extension Vector {
    static let divideError = 0
    static let invalidTSS = 10
    static let segmentNotPresent = 11
    static let stackFault = 12
    static let generalProtection = 13
    static let alignmentCheck = 17
}

extension Monitor {
    /// Where `count` bytes lie, all in one piece; throws the page fault that an access to them is.
    func physical(_ address: UInt64, _ count: UInt64, write: Bool = false) throws(Exception) -> GuestAddress {
        let first = try mapping(address, write: write)
        let last = try mapping(address &+ count &- 1, write: write)
        guard last == first &+ count &- 1 else { throw .pageFault(address, 0) }
        return GuestAddress(first)
    }

    private func mapping(_ address: UInt64, write: Bool) throws(Exception) -> UInt64 {
        guard isCanonical(address) else { throw .protection() }
        if far.contains(address) { return address }
        let code = write ? PageFaultCode.write : 0
        // The monitor's own pages are no memory of the guest's, even those that it can reach.
        guard address < MonitorMap.base, let found = PageWalk.translate(address, root: root, in: self) else {
            throw .pageFault(address, code)
        }
        if write, !found.flags.contains(.writable) { throw .pageFault(address, code | PageFaultCode.present) }
        return found.physical
    }

    func read<T: BitwiseCopyable>(
        _ address: UInt64, as type: T.Type = T.self, _ memory: borrowing GuestMemory
    ) throws(Exception) -> T {
        let place = try physical(address, UInt64(MemoryLayout<T>.size))
        guard let value: T = memory.read(place) else { throw .pageFault(address, 0) }
        return value
    }

    func write<T: BitwiseCopyable>(_ value: T, _ address: UInt64, _ memory: borrowing GuestMemory) throws(Exception) {
        let place = try physical(address, UInt64(MemoryLayout<T>.size), write: true)
        guard memory.write(value, at: place) else { throw .pageFault(address, PageFaultCode.write) }
    }

    /// The low `size` bytes (2, 4 or 8) of a value.
    func write(_ value: UInt64, size: UInt8, _ address: UInt64, _ memory: borrowing GuestMemory) throws(Exception) {
        switch size {
        case 2: try write(UInt16(truncatingIfNeeded: value), address, memory)
        case 4: try write(UInt32(truncatingIfNeeded: value), address, memory)
        default: try write(value, address, memory)
        }
    }

    /// The instruction at an address; fewer bytes where a page behind it is not mapped.
    package func code(at address: UInt64, _ memory: borrowing GuestMemory) -> CodeBytes {
        var code = CodeBytes()
        for offset in 0..<UInt64(15) {
            guard let byte = try? read(address &+ offset, as: UInt8.self, memory) else { break }
            code.append(byte)
        }
        return code
    }
}

/// Bits 63 to 47 are all the same (Intel SDM vol. 1, 3.3.7.1).
func isCanonical(_ address: UInt64) -> Bool {
    let top = Int64(bitPattern: address) >> 47
    return top == 0 || top == -1
}
