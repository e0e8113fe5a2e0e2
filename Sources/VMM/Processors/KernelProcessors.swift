// The other vCPUs of a kernel for the bare CPU: as the CPU's reset leaves them, waiting in KVM for INIT and SIPI.
//
// KVM's local APICs take the messages (Intel SDM vol. 3A, 9.4); KVM_RUN of a vCPU that waits blocks, and comes back once with
// EAGAIN when it has begun (KVM API, 4.38). Read next: ../Devices/KernelRunLoop.swift.

import KVM
import Observe

func makeOtherKernelCPUs(
    _ vm: borrowing VM, _ kvm: borrowing KVM, _ cpuid: KernelCPUID, _ platform: Platform,
    _ observer: borrowing Observer?
) throws(MachineError) -> [VCPUThread] {
    guard let processors = platform.processors else { return [] }
    var others: [VCPUThread] = []
    for index in 1..<processors.count {
        let vcpu = try fromKVM(try vm.makeVCPU(id: Int32(index), mappingSize: kvm.vcpuMappingSize()))
        try fromKVM(try vcpu.setCPUID(cpuid.table(cpu: index)))
        if cpuid.hidesKVM { vcpu.hideUnlistedFeatures() }
        try fromKVM(try vcpu.announceLocalAPIC())
        vcpu.synchroniseRegisters()
        let loop = RunLoop(
            vcpu: vcpu, context: VCPUContext(platform, index: index),
            observer: .companion(of: observer, number: index))
        others.append(try VCPUThread(loop))
    }
    return others
}
