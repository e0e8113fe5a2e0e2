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
        let tss = ProcessorTables(index)
        tss.write(platform.memory)
        try fromKVM(try vcpu.load(state, cpu, tss: tss.segment, index: index))
        try fromKVM(try vcpu.makeRunnable())
        let loop = RunLoop(
            vcpu: vcpu, context: VCPUContext(platform, index: index), observer: .companion(of: observer, number: index))
        others.append(try VCPUThread(loop))
    }
    return others
}

/// Where the task state segment of a vCPU that is not the first lies.
struct ProcessorTables {
    let index: Int
    var base: UInt64 { AddressMap.gdt + 0x100 + UInt64(index) * 0x80 }
    var segment: Segment {
        .taskState(Selector.tss, base: base, limit: TSS.limit + UInt32(AddressMap.tss - base))
    }

    init(_ index: Int) { self.index = index }

    func write(_ memory: borrowing GuestMemory) {
        memory.writeMachine(AddressMap.reportStackTop(vcpu: index), at: base + 36)  // IST 1
        let bitmap = AddressMap.tss + TSS.bitmapOffset - base
        memory.writeMachine(bitmap << 48, at: base + 96)
    }
}
