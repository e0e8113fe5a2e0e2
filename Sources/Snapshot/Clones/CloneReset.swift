// A clone's way back to the snapshot: pages, page tables, registers, vectors, timer, handlers, clock, call page.
//
// Registers come back with the next KVM_RUN (KVM_CAP_SYNC_REGS); vector registers by a request of their own, always. XCR0,
// debug registers and MSRs cannot be changed at CPL 3. The order matters: the exit under way is finished first.
// Read next: ClonePages.swift, docs/pools.md.

import CSnapshot
import GuestMemory
import Host
import KVM
import VMM
import X86

extension Clone {
    /// Takes the machine back to the snapshot's point; of a clone that has not lived since nothing is done.
    ///
    /// - Parameter keptPages: pages of its own that the clone may keep, copied back, for its next life to find.
    /// - Throws: when the machine cannot be used again (KVM failed, or the CPU reset itself): make another clone.
    public func reset(keptPages: Int = Clone.keptPages) throws(SnapshotError) {
        try body.withLock { body throws(SnapshotError) in
            if body.isFresh { return }
            do throws(SnapshotError) { try reset(&body, keptPages) } catch {
                body.isLost = true
                throw error
            }
        }
    }

    /// What `reset` keeps if nothing else is said: see docs/pools.md for the measurement.
    public static let keptPages = 256

    private func reset(_ body: inout CloneBody, _ keptPages: Int) throws(SnapshotError) {
        if body.isLost { throw .unsupported("this clone cannot be used again: its virtual machine failed") }
        let saved = source.snapshot.vcpu
        // Sound, here and below: the shims read one struct of the size that was checked, and use the vCPU's own kvm_run.
        let left = unsafe cclone_finish(body.loop.vcpu.fd, body.loop.vcpu.kickByteAddress - 1, saved.start)
        if left < 0 { throw .machine(.kvm(KVMError("KVM_RUN", errno: -left))) }
        // An interrupt that KVM has and the guest has not: nothing takes it back, and the next life would get it.
        if body.loop.context.injected != 0, left != 0 {
            throw .unsupported("this clone cannot be used again: an interrupt is under way")
        }
        let tablesChanged = body.loop.hasCommitted || body.pages.tablesChanged(in: platform.memory)
        if platform.reclaims.exchange(0, ordering: .relaxed) != 0 {
            try body.pages.remap(platform.memory)
        } else {
            try body.pages.clean(platform.memory, keeping: keptPages)
        }
        if tablesChanged { try forgetTranslations() }
        try check(unsafe cclone_load_vectors(body.loop.vcpu.fd, saved.start))
        platform.control.clear()
        body.isFresh = true
    }

    /// Has KVM drop all it knows of the guest's page tables: a memory slot goes and comes back.
    ///
    /// A KVM that shadows page tables never looks at what we write into them, whatever control register changes; when a slot
    /// goes it drops all of its copies, and on hardware it flushes. Slot 0 is the smallest.
    private func forgetTranslations() throws(SnapshotError) {
        var slot = MemorySlot(
            index: 0, guestAddress: AddressMap.machine.lowerBound, size: UInt64(AddressMap.machine.count),
            hostAddress: platform.memory.hostBase + UInt(AddressMap.machine.lowerBound), flags: .readOnly)
        let whole = slot
        slot.size = 0
        try snapshotKVM(try vm.set(slot))
        try snapshotKVM(try vm.set(whole))
    }

    /// Starts a life: the registers that the next KVM_RUN loads, the clock from where it was, and what the guest is told.
    func begin(_ body: inout CloneBody) throws(SnapshotError) {
        let saved = source.snapshot.machine
        body.isFresh = false
        body.lives &+= 1
        unsafe cclone_stage_registers(body.loop.vcpu.kickByteAddress - 1, source.snapshot.vcpu.start)
        if saved.waiting_vector != 0 {
            try snapshotKVM(try body.loop.vcpu.interrupt(vector: UInt8(saved.waiting_vector)))
        }
        platform.clock = platform.clock.restarted(at: saved.clock)
        try snapshotIO(
            try tellGuest(platform.memory, platform.clock, clone: index, of: source.count, life: body.lives))
        let handled = saved.handled
        body.loop.begin(
            deadline: saved.timer_deadline, vector: UInt8(truncatingIfNeeded: saved.timer_vector),
            handlers: [handled.0, handled.1, handled.2, handled.3])
    }

    private func check(_ failure: csnapshot_failure) throws(SnapshotError) {
        if failure.error != 0 {
            throw .machine(.kvm(KVMError(stepName(failure.step), errno: failure.error)))
        }
    }
}
