// The vCPUs beside the first, in a snapshot: a record of the VMM's and a state of KVM's for each, one behind the other.
//
// The first vCPU's are where they were when there was only one. A vCPU that no other has started yet is saved too, and waits
// again. Read next: Restoring.swift.

import CABI
import CSnapshot
import GuestMemory
import Host
import KVM
import Observe
import Synchronization
import VMM
import X86

/// The section's content; nil: the machine had one vCPU.
struct OtherVCPUs {
    private let bytes: Bytes?
    private static let head = MemoryLayout<csnapshot_other>.size
    private static var stride: Int { head + Int(csnapshot_vcpu_size()) }

    init(_ bytes: Bytes?) { self.bytes = bytes }

    var count: Int { (bytes?.count ?? 0) / Self.stride }

    func makeSense(count wanted: Int) -> Bool {
        guard (bytes?.count ?? 0) == wanted * Self.stride else { return false }
        return (0..<count).allSatisfy { index in
            guard let record = record(index), let state = state(index) else { return false }
            let isArmed = record.timer_deadline != UInt64(SWIFTLET_NO_DEADLINE)
            return state.makesSense && record.waiting_vector < 256
                && (!isArmed || (32...255).contains(record.timer_vector))
        }
    }

    func record(_ index: Int) -> csnapshot_other? { bytes?.load(at: index * Self.stride, as: csnapshot_other.self) }

    /// Where KVM's state of one lies, all of it.
    func state(_ index: Int) -> VCPUState? {
        guard let bytes, index >= 0, index < count else { return nil }
        // Sound: inside the bytes, by their size.
        return unsafe VCPUState(start: UnsafeRawPointer(bytes.start) + index * Self.stride + Self.head)
    }
}

/// KVM's state of a vCPU, where it lies: a whole one.
@safe struct VCPUState {
    private let start: UnsafeRawPointer

    /// As many bytes as a state has, for as long as this is used.
    @unsafe init(start: UnsafeRawPointer) { unsafe self.start = start }

    // Sound: the shims read one state.
    var makesSense: Bool { unsafe csnapshot_vcpu_makes_sense(start) != 0 }
    var root: UInt64 { unsafe csnapshot_vcpu_root(start) }
    var look: csnapshot_look { unsafe csnapshot_look(start) }
    func load(into vcpu: borrowing VCPU) throws(KVMError) { try unsafe vcpu.load(start) }
}

extension RunLoop {
    /// An interrupt that KVM has been given and the guest has not.
    var waitingVector: UInt32 { context.injected != 0 && vcpu.holdsInterrupt ? UInt32(context.injected) : 0 }

    /// The record of a vCPU that is paused, and its state.
    fileprivate func saved(_ slot: ProcessorSlot, _ kvm: borrowing KVM) throws(KVMError) -> [UInt8] {
        // One that was started while it paused begins now, as far as its first instruction.
        let isStarted = try begin(slot)
        if isStarted { vcpu.completePendingIO() }
        let record = csnapshot_other(
            timer_deadline: context.timer.deadline, timer_vector: UInt32(context.timer.vector),
            waiting_vector: waitingVector, is_started: isStarted ? 1 : 0, reserved: 0)
        // Sound: the bytes of one value.
        return unsafe withUnsafeBytes(of: record) { unsafe Array($0) } + (try vcpu.image(comparedWith: kvm))
    }
}

extension Machine {
    /// Of a paused machine.
    func stateOfOthers(_ kvm: borrowing KVM) throws(KVMError) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, other) in others.enumerated() {
            guard let slot = platform.processors?.slots[index + 1] else { continue }
            bytes += try other.loop.withLock { loop throws(KVMError) in try loop.saved(slot, kvm) }
        }
        return bytes
    }
}

extension Snapshot {
    /// How many there were in all.
    package var vcpuCount: Int { Int(machine.vcpu_count) }

    /// What they share, as it was; nil for a machine with one.
    func processors() throws(SnapshotError) -> Processors? {
        // Sound: `init` has checked its size.
        let first = unsafe VCPUState(start: UnsafeRawPointer(vcpu.start))
        guard let processors = try snapshotKVM(try Processors(vcpuCount, root: first.root)) else { return nil }
        processors.handlers.words = [machine.handled.0, machine.handled.1, machine.handled.2, machine.handled.3]
        return processors
    }

    /// The vCPUs beside the first, where they stood.
    func makeOthers(
        _ vm: borrowing VM, _ kvm: borrowing KVM, _ platform: Platform, _ observer: borrowing Observer?
    ) throws(SnapshotError) -> [VCPUThread] {
        guard let processors = platform.processors else { return [] }
        let saved = OtherVCPUs(others)
        var list: [VCPUThread] = []
        for index in 1..<processors.count {
            guard let record = saved.record(index - 1), let state = saved.state(index - 1) else { continue }
            let vcpu = try snapshotKVM(try vm.makeVCPU(id: Int32(index), mappingSize: kvm.vcpuMappingSize()))
            try snapshotKVM(try vcpu.makeRunnable())
            try snapshotKVM(try state.load(into: vcpu))
            if record.waiting_vector != 0 { try snapshotKVM(try vcpu.interrupt(vector: UInt8(record.waiting_vector))) }
            try snapshotIO(try tellGuest(platform.memory, platform.clock, vcpu: index, life: 1))
            let slot = processors.slots[index]
            slot.root.store(state.root, ordering: .relaxed)
            slot.isStarted.store(record.is_started != 0, ordering: .relaxed)
            slot.hasBegun.store(record.is_started != 0, ordering: .relaxed)
            var context = VCPUContext(platform, index: index)
            context.timer.deadline = record.timer_deadline
            context.timer.vector = UInt8(truncatingIfNeeded: record.timer_vector)
            let loop = RunLoop(vcpu: vcpu, context: context, observer: .companion(of: observer, number: index))
            do throws(MachineError) { list.append(try VCPUThread(loop)) } catch { throw .machine(error) }
        }
        return list
    }
}
