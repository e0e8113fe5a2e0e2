// The handler call: the guest takes a vector. docs/ABI.md, "handler".
//
// The IDT lies in a read-only slot, so the VMM writes the gate. The CPU reads gates at delivery: no flush is needed.
// Read next: Timer.swift.

import CABI
import GuestMemory
import X86

extension VCPUContext {
    mutating func handler() -> Action {
        let call = arguments(swiftlet_handler.self)
        guard let vector = Int(exactly: call.vector), vector < 256 else {
            return misuse("handler: vector \(call.vector) is not in 0...255")
        }
        guard vector != Vector.debug, vector != Vector.breakpoint else {
            return misuse("handler: vector \(vector) is the debugger's")
        }
        guard Int64(bitPattern: call.address) >> 47 == 0 || Int64(bitPattern: call.address) >> 47 == -1 else {
            return misuse("handler: address 0x\(String(call.address, radix: 16)) is not canonical")
        }
        let isOwn = call.address != 0
        let gate = IDT.gate(
            vector: vector, handler: isOwn ? call.address : Stub.address(vector: vector),
            stack: isOwn && vector != Vector.doubleFault ? 0 : 1)
        platform.memory.writeMachine(gate, at: AddressMap.idt + UInt64(vector) * 16)
        handled[vector] = isOwn
        return .resume
    }
}
