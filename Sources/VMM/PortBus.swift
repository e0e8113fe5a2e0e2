// Who owns a port: the calls from 0x520 up, the stubs of unhandled vectors, and nobody else.
//
// O(1): one subtraction and comparison finds a call, and the table in Paravirt/Calls.swift is a jump table.
// Read next: Paravirt/Calls.swift.

import CABI
import X86

extension VCPUContext {
    /// The call that a port write makes, if it is one.
    @inline(__always)
    static func callNumber(_ port: UInt16, size: UInt8, count: UInt32) -> Int32? {
        let index = port &- UInt16(SWIFTLET_CALL_PORT + SWIFTLET_CALL_EXIT)
        return index < 32 && size == 4 && count == 1 ? Int32(index) &+ SWIFTLET_CALL_EXIT : nil
    }

    @inline(__always)
    mutating func portWrite(_ port: UInt16, size: UInt8, count: UInt32, value: UInt32, rip: UInt64) -> Action {
        if let number = Self.callNumber(port, size: size, count: count) { return call(number) }
        // The IDT's gates lead here when the guest has no handler: the port is the vector.
        if port < 256, size == 4, Stub.contains(rip) { return crash(.exception(vector: Int(port))) }
        return crash(.port(port, size: size, written: value))
    }
}
