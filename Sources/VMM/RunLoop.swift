// The run loop: enter the guest, handle the exit, until there is a reason to stop. It fits a screen; read it whole.
//
// No allocation, no ARC, no lock, and one system call for each round trip (docs/ABI.md says what a call costs).
// Read next: VCPUContext.swift (what handling an exit means), then Crash.swift (what happens when it goes wrong).

import Deprivileged
import Glibc
import GuestMemory
import Host
import KVM
import Observe
import X86

package struct RunLoop: ~Copyable {
    package let vcpu: VCPU
    package var context: VCPUContext
    /// Nil in most runs: nobody watches.
    var observer: Observer?
    private var retries = 0
    /// Of an image for ring 0 that runs in ring 3: Hvt/HvtRingThree.swift.
    var deprivileged: DeprivilegedCPU?
    /// Of a kernel for the bare CPU, while an exit is handled: Devices/KernelRunLoop.swift.
    var ports: KernelPorts?

    package init(vcpu: consuming VCPU, context: consuming VCPUContext, observer: consuming Observer? = nil) {
        self.vcpu = vcpu
        self.context = context
        self.observer = observer
    }

    /// Runs the guest until it stops. On the vCPU's own thread.
    mutating func run() -> Stop {
        if let hvt = context.platform.hvt { return runHvt(hvt) }
        if let kernel = context.platform.kernel { return runKernel(kernel) }
        if let processors = context.platform.processors { return runAmong(processors) }
        if observer != nil { return observedRun() }
        while true {
            if let stop = handle(vcpu.run()) { return stop }
        }
    }

    /// From KVM_RUN's return to the next entry; nil to go on.
    @inline(__always)
    mutating func handle(_ error: Int32) -> Stop? {
        if error == 0 {
            switch context.handle(vcpu.exit, rip: vcpu.instructionPointer) {
            case .resume: break
            case .commit:
                if let failure = commitPageTables() { return .failed(failure) }
            case .readFaultAddress:
                if let failure = answerFaultAddress() { return .failed(failure) }
            case .stop: return stopped()
            }
            if !context.timer.isWatched { return nil }
        } else if let stop = didNotRun(error) {
            return stop
        }
        if let vector = context.interruptToInject() { inject(vector) }
        return nil
    }

    /// The same with a watch in hand: a loop of its own, so that a run which nobody watches does not even ask.
    @inline(never)
    private mutating func observedRun() -> Stop { watchedRun { $0.handle($1) } }

    /// The watched loop, whatever handles what KVM_RUN returns: unikernels' and kernels' too.
    @inline(__always)
    mutating func watchedRun(_ handle: (inout RunLoop, Int32) -> Stop?) -> Stop {
        observer?.begins(context.platform)
        while true {
            observer?.enters()
            let error = vcpu.run()
            observer?.leaves(error, vcpu, context.platform)
            if observer != nil, let origin = trapOrigin { observer?.tells(of: origin) }
            let stop = handle(&self, error)
            observer?.handled(vcpu, context.platform, pauses: stop?.isPauseOrCrash ?? false)
            guard let stop else { continue }
            observer?.ends()
            return stop
        }
    }

    mutating func stopped() -> Stop {
        if let cause = context.cause { return .crashed(Crash(cause, vcpu, context)) }
        if case .paused? = context.stop, let failure = finishCall() { return .failed(failure) }
        return context.stop ?? .exited(status: 0)
    }

    /// Before a pause: the vCPU comes to an instruction boundary, and goes back to the OUT of a call that was cut short.
    private mutating func finishCall() -> KVMError? {
        vcpu.completePendingIO()
        guard context.isCallRepeated else { return nil }
        context.isCallRepeated = false
        do throws(KVMError) {
            var registers = try vcpu.registers()
            let view = GuestView(context.platform, root: try vcpu.specialRegisters().cr3)
            registers.rip = view.portInstruction(before: registers.rip)
            try vcpu.setRegisters(registers)
            return nil
        } catch { return error }
    }

    private mutating func inject(_ vector: UInt8) {
        observer?.injects(vector, context.platform)
        context.injected = vector
        // EEXIST: the last one still waits, because the guest cleared the mask word behind a `cli`. It is lost, to it alone.
        try? vcpu.interrupt(vector: vector)
    }

    private func answerFaultAddress() -> KVMError? {
        do throws(KVMError) {
            context.answerFaultAddress(try vcpu.specialRegisters().cr2)
            return nil
        } catch { return error }
    }

    /// What an error of KVM_RUN means. Out of line: the loop is what it is all about.
    @inline(never)
    mutating func didNotRun(_ error: Int32) -> Stop? {
        switch error {
        case EINTR:
            // A kick. Clear its byte first and look for reasons second, so that a later kick is not lost.
            vcpu.immediateExit = false
            context.kickAgainIfEarly()
            return context.platform.control.requested ?? context.platform.memoryLost
        // Once, when an application processor leaves its wait for SIPI. For ever, when KVM cannot make its worker thread.
        case EAGAIN:
            retries += 1
            if let stop = context.platform.control.requested { return stop }
            return retries < 1000 ? nil : .failed(KVMError("KVM_RUN", errno: error))
        // The guest's doing: it executes or reads where our mapping has nothing.
        case EFAULT: return .crashed(Crash(.unexpectedExit("KVM_RUN: bad address"), vcpu, context))
        default: return .failed(KVMError("KVM_RUN", errno: error))
        }
    }

    /// Makes the guest's page-table edits seen by toggling CR4.PGE off and on (or by loading the new root).
    ///
    /// Hardware flushes its TLB on either (Intel SDM vol. 3A, 4.10.4.1). A KVM with shadow paging drops its copies only
    /// when it sees a control register change: SET_SREGS with equal values would leave stale entries.
    mutating func commitPageTables() -> KVMError? {
        do throws(KVMError) {
            vcpu.completePendingIO()
            // This may swallow a kick. One for a stop comes again (Supervisor); the timer's is set anew here.
            vcpu.immediateExit = false
            context.kickAgainIfEarly()
            try vcpu.reloadPageTables(root: context.pendingRoot)
            return nil
        } catch { return error }
    }
}

extension VCPU {
    /// Toggles CR4.PGE, and loads the root unless it is 0. `swiftlet bench memory` measures the same code.
    package func reloadPageTables(root: UInt64) throws(KVMError) {
        var sregs = try specialRegisters()
        sregs.cr4 ^= CR4.globalPages
        try setSpecialRegisters(sregs)
        sregs.cr4 ^= CR4.globalPages
        if root != 0 { sregs.cr3 = root }
        try setSpecialRegisters(sregs)
    }
}
