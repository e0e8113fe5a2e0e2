// The run loop of one of several vCPUs of a ring-3 guest: RunLoop.swift's, and between two entries a look at whether another
// vCPU has changed page tables.
//
// Always in the watched form, as hvt's and kernels'. The rule of a commit: who commits says so first and looks second at who
// is in the guest; who enters says so first and looks second at what was committed. So one of the two sees the other
// (Intel SDM vol. 3A, 4.10.5, has the same between CPUs). Read next: Paravirt/Commit.swift, Paravirt/StartVCPU.swift.

import GuestMemory
import Host
import KVM
import Synchronization
import X86

extension RunLoop {
    mutating func runAmong(_ processors: Processors) -> Stop {
        let slot = processors.slots[context.index]
        slot.thread.withLock { $0 = .current }
        if context.index > 0, let stop = awaitStart(slot) { return stop }
        if let failure = enter(processors, slot) { return .failed(failure) }
        let stop = watchedRun { loop, error in
            slot.isInside.store(false, ordering: .sequentiallyConsistent)
            let before = loop.context.receive(processors)
            if let stop = loop.handle(error) { return stop }
            loop.context.share(before, processors)
            return loop.enter(processors, slot).map { .failed($0) }
        }
        slot.isInside.store(false, ordering: .sequentiallyConsistent)
        return stop
    }

    /// Until another vCPU starts this one, or there is a stop.
    private mutating func awaitStart(_ slot: ProcessorSlot) -> Stop? {
        let control = context.platform.control
        while true {
            do throws(KVMError) { if try begin(slot) { return nil } } catch { return .failed(error) }
            if let stop = control.requested { return stop }
            _ = wait(for: WaitFor(slot.startEvent.fd), WaitFor(control.event.fd), nanoseconds: nil)
        }
    }

    /// Takes up the state that the starting vCPU gave, if one has; all other registers are as the first vCPU's at its start.
    /// Whether it has begun, now or before.
    package func begin(_ slot: ProcessorSlot) throws(KVMError) -> Bool {
        let start = slot.start.withLock { $0.take() }
        guard let start else { return slot.hasBegun.load(ordering: .acquiring) }
        slot.hasBegun.store(true, ordering: .releasing)
        var special = try vcpu.specialRegisters()
        special.cr3 = start.cr3
        try vcpu.setSpecialRegisters(special)
        var registers = vcpu.synchronisedRegisters
        (registers.rip, registers.rsp, registers.rdi) = (start.rip, start.rsp, start.rdi)
        registers.rsi = UInt64(context.index)
        registers.rflags = RFLAGS.ring3
        vcpu.synchronisedRegisters = registers
        return true
    }

    /// Before each entry: what others have committed is seen to.
    private mutating func enter(_ processors: Processors, _ slot: ProcessorSlot) -> KVMError? {
        slot.isInside.store(true, ordering: .sequentiallyConsistent)
        while true {
            let commits = processors.commits.load(ordering: .sequentiallyConsistent)
            if commits == slot.seen.load(ordering: .relaxed) { return nil }
            context.pendingRoot = 0
            if let failure = commitPageTables() { return failure }
            slot.seen.store(commits, ordering: .sequentiallyConsistent)
        }
    }
}

/// What a vCPU had before an exit was handled that others may have to hear of.
struct Unshared {
    var commits: UInt64
    var handled: VectorSet
}

extension VCPUContext {
    /// No address of a root, and not the 0 of a commit call that keeps it.
    private static var noRoot: UInt64 { 1 }

    /// Before an exit is handled: what others have done.
    mutating func receive(_ processors: Processors) -> Unshared {
        pendingRoot = Self.noRoot
        handled = processors.handlers
        return Unshared(commits: processors.commits.load(ordering: .sequentiallyConsistent), handled: handled)
    }

    /// Behind a call: what this vCPU has done is everybody's.
    func share(_ before: Unshared, _ processors: Processors) {
        if (0..<4).contains(where: { handled.words[$0] != before.handled.words[$0] }) {
            processors.changeHandlers(from: before.handled, to: handled)
        }
        if pendingRoot != Self.noRoot {
            processors.commit(by: index, root: pendingRoot, since: before.commits, platform.control)
        }
    }
}

extension Processors {
    /// Page tables have changed: returns when no other vCPU is in the guest with what it knew of them before.
    ///
    /// On the thread of a vCPU that is out of the guest, and has flushed. If others have committed since `before`, which was
    /// then, it has to do so again.
    fileprivate func commit(by index: Int, root: UInt64, since before: UInt64, _ control: StopControl) {
        let own = slots[index]
        if root != 0 { own.root.store(root, ordering: .relaxed) }
        let number = commits.add(1, ordering: .sequentiallyConsistent).newValue
        if number == before + 1 { own.seen.store(number, ordering: .relaxed) }
        for (other, slot) in slots.enumerated() where other != index {
            var rounds = 0
            while slot.isInside.load(ordering: .sequentiallyConsistent),
                slot.seen.load(ordering: .sequentiallyConsistent) < number
            {
                if control.requested != nil { return }
                if rounds % 16 == 0 { slot.kick() }  // again, for a flush of its own may swallow one
                rounds += 1
                _ = wait(for: WaitFor(control.event.fd), nanoseconds: 20_000)
            }
        }
    }

    /// Has a vCPU begin; false when somebody has done so before.
    func start(_ index: Int, _ state: CPUState) -> Bool {
        let slot = slots[index]
        guard slot.isStarted.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return false }
        slot.root.store(state.cr3, ordering: .relaxed)
        slot.start.withLock { $0 = state }
        slot.startEvent.signal()
        return true
    }
}
