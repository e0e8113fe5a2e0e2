// The start vCPU call: another vCPU of the machine begins at an entry, on a stack. docs/ABI.md, "start vcpu".
//
// Its thread has waited since the machine's start; here it is only told. Whether entry and stack are mapped the new vCPU finds
// out by itself, and its fault is its own. Read next: Processors/ProcessorRunLoop.swift.

import CABI
import Synchronization
import X86

extension VCPUContext {
    mutating func startVCPU() -> Action {
        let call = arguments(swiftlet_start_vcpu.self)
        guard let processors = platform.processors, (1..<UInt64(processors.count)).contains(call.vcpu) else {
            let count = platform.processors?.count ?? 1
            return misuse("start vcpu: vCPU \(call.vcpu), and the machine has \(count), of which 0 runs (--cpus)")
        }
        guard isCanonical(call.entry), isCanonical(call.stack) else {
            return misuse("start vcpu: entry \(hex(call.entry)) or stack \(hex(call.stack)) is not canonical")
        }
        let root = processors.slots[index].root.load(ordering: .relaxed)
        let state = CPUState(rip: call.entry, rsp: call.stack, rdi: call.argument, cr3: root)
        if !processors.start(Int(call.vcpu), state) {
            return misuse("start vcpu: vCPU \(call.vcpu) was started before")
        }
        return .resume
    }
}

/// Whether the upper bits are all as bit 47.
func isCanonical(_ address: UInt64) -> Bool { (-1...0).contains(Int64(bitPattern: address) >> 47) }
