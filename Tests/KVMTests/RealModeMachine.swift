// The smallest virtual machine: 64 KiB, one vCPU in real mode, a few bytes of code. It works on every KVM.
//
// Read next: VCPUTests.swift.

import Glibc

@testable import KVM

/// Code runs at 0x1000; there is memory up to 0x10000, and none behind it.
final class RealModeMachine {
    let vm: VM
    let vcpu: VCPU
    private let memory: UnsafeMutableRawPointer
    static let memorySize = 0x1_0000

    init(_ code: [UInt8]) throws {
        let kvm = try KVM()
        vm = try kvm.makeVM()
        memory = mmap(nil, Self.memorySize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        memory.advanced(by: 0x1000).copyMemory(from: code, byteCount: code.count)
        try vm.set(
            MemorySlot(
                index: 0, guestAddress: 0, size: UInt64(Self.memorySize), hostAddress: UInt(bitPattern: memory)))
        vcpu = try vm.makeVCPU(mappingSize: try kvm.vcpuMappingSize())
        vcpu.synchroniseRegisters()
        var special = try vcpu.specialRegisters()
        special.cs.base = 0
        special.cs.selector = 0
        try vcpu.setSpecialRegisters(special)
        var general = Registers()
        general.rip = 0x1000
        general.rflags = 2
        try vcpu.setRegisters(general)
    }

    deinit { munmap(memory, Self.memorySize) }

    var hostAddress: UInt { UInt(bitPattern: memory) }

    func byte(at address: Int) -> UInt8 { memory.load(fromByteOffset: address, as: UInt8.self) }

    /// Runs to the next exit.
    func next() -> Exit {
        let error = vcpu.run()
        return error == 0 ? vcpu.exit : .other(UInt32(error))
    }
}
