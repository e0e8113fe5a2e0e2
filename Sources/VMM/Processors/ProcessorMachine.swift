// The other vCPUs of a ring-3 guest: built as the first is, each with a task state segment, a report stack and a call page of
// its own, and left to wait.
//
// Their task state segments lie in the page of the GDT, which has room, and share the first one's I/O bitmap: its offset is
// each segment's own (Intel SDM vol. 1, 19.5.2). No descriptor leads to them: KVM_SET_SREGS does.
// Read next: ProcessorThreads.swift.

import CABI
import GuestMemory
import KVM
import Observe
import X86

/// What a vCPU of a ring-3 guest finds in its call page.
func tellVCPU(_ index: Int, _ clock: MachineClock, _ memory: borrowing GuestMemory) {
    let page = AddressMap.callPage(vcpu: index)
    memory.write(clock.page, at: GuestAddress(page + UInt64(SWIFTLET_CALL_PAGE_CLOCK)))
    memory.write(UInt32(index), at: GuestAddress(page + UInt64(SWIFTLET_CALL_PAGE_VCPU)))
    memory.write(page, at: GuestAddress(page + UInt64(SWIFTLET_CALL_PAGE_ADDRESS)))
}

func refuseTooMany(_ configuration: borrowing Configuration) throws(MachineError) {
    if configuration.cpus > Configuration.mostCPUsOfGuest {
        throw .image(configuration.image, .boot(.tooManyCPUs(most: Configuration.mostCPUsOfGuest)))
    }
}

/// Empty for a machine with one. `state` is the first vCPU's, of which the others have the page tables until they are started.
func makeOthers(
    _ vm: borrowing VM, _ kvm: borrowing KVM, _ state: CPUState, _ cpu: GuestCPU, _ platform: Platform,
    _ observer: borrowing Observer?
) throws(MachineError) -> [VCPUThread] {
    guard let processors = platform.processors else { return [] }
    var others: [VCPUThread] = []
    for index in 1..<processors.count {
        let vcpu = try fromKVM(try vm.makeVCPU(id: Int32(index), mappingSize: kvm.vcpuMappingSize()))
        tellVCPU(index, platform.clock, platform.memory)
        try fromKVM(try vcpu.load(state, cpu))
        try fromKVM(try vcpu.setOwnTables(index, platform.memory))
        try fromKVM(try vcpu.makeRunnable())
        let loop = RunLoop(
            vcpu: vcpu, context: VCPUContext(platform, index: index), observer: .companion(of: observer, number: index))
        others.append(try VCPUThread(loop))
    }
    return others
}

extension VCPU {
    /// What the first vCPU's registers say of tables, and another one's say otherwise.
    fileprivate func setOwnTables(_ index: Int, _ memory: borrowing GuestMemory) throws(KVMError) {
        let base = AddressMap.gdt + 0x100 + UInt64(index) * 0x80
        memory.writeMachine(AddressMap.reportStackTop(vcpu: index), at: base + 36)  // IST 1
        memory.writeMachine((AddressMap.tss + TSS.bitmapOffset - base) << 48, at: base + 96)
        var special = try specialRegisters()
        special.tr = .taskState(Selector.tss, base: base, limit: TSS.limit + UInt32(AddressMap.tss - base))
        special.gs.base = AddressMap.callPage(vcpu: index)
        special.apic_base = AddressMap.localAPIC  // not the bootstrap processor's
        try setSpecialRegisters(special)
    }
}
