// An hvt unikernel in ring 3: the monitor's page tables, the vCPU's start, and what becomes of a trap.
//
// What ring 3 cannot stand in for takes the vCPU to ring 0, there and then: all that ring 0 has is in the virtual CPU, and
// the unikernel's own page tables lie in its memory. Read next: Deprivileged/Trap.swift, HvtRunLoop.swift.

import Boot
import Deprivileged
import Glibc
import Host
import KVM
import X86

extension HvtGuest {
    /// What the unikernel's own tables map, and each segment with its own rights, which the host's protection gives a
    /// unikernel in ring 0. Heap and stack may be executed there, so here too.
    fileprivate func map(_ monitor: inout MonitorBuilder) {
        let open: PageFlags = [.present, .writable, .user]
        monitor.map(Place.bootInfo..<Place.image, [.present, .user])
        var next = Place.image
        for segment in segments where segment.fileSize > 0 {
            monitor.map(next..<segment.pages.lowerBound, open)
            monitor.map(segment.pages, segment.flags)
            next = segment.pages.upperBound
        }
        let far = farHeap
        monitor.map(next..<far.lowerBound, open)
        monitor.mapFar(far, open)
        monitor.map(far.upperBound..<memorySize, open)
    }
}

/// Nanoseconds between two looks at whether a guest in ring 0 has halted.
private let haltPeriod: UInt64 = 100_000_000

/// The monitor of a unikernel; nil when it is to start in ring 0.
///
/// When nobody watches the run, traps that need no exit have none; to whoever watches all are shown.
func hvtMonitor(_ guest: HvtGuest, _ configuration: Configuration) throws(MachineError) -> Monitor? {
    let ring = configuration.ring
    guard ring.isDeprivileged else { return nil }
    do throws(MonitorError) {
        var builder = try MonitorBuilder()
        guest.map(&builder)
        let memory = HvtGuest.Place.bootInfo..<guest.ring.lowerBound
        return try builder.finish(shortcuts: configuration.observation.isNothing ? memory : nil)
    } catch {
        switch error {
        case .memory(let error): throw .memory(error)
        case .tooManyPieces where ring == .automatic: return nil
        case .tooManyPieces:
            throw .image(configuration.image, .malformed("segments too scattered for --ring 3: try --ring 0"))
        }
    }
}

/// Gives a new vCPU its CPUID and registers: with a monitor for ring 3.
func loadHvt(
    _ vcpu: borrowing VCPU, _ state: CPUState, _ monitor: consuming Monitor?, _ guest: HvtGuest, _ ring: Ring,
    _ kvm: borrowing KVM
) throws(MachineError) -> DeprivilegedCPU? {
    do throws(KVMError) {
        guard let monitor = consume monitor else {
            try vcpu.loadRingZero(state, kvm.supportedCPUID())
            return nil
        }
        let features = try vcpu.loadRingThree(state, monitor)
        return DeprivilegedCPU(
            VirtualCPU(longRegisters(state)), monitor, protected: guest.layout.image, features: features,
            mayLeave: ring == .automatic)
    } catch { throw .kvm(error) }
}

extension VCPU {
    /// The bits of CR4 that its CPUID has.
    fileprivate func loadRingThree(_ state: CPUState, _ monitor: borrowing Monitor) throws(KVMError) -> UInt64 {
        let cpu = GuestCPU()
        // UMIP has SGDT and its like trap; KVM wants bit 2 of leaf 7's ECX for it.
        let umip = Processor.cpuid(7).ecx & 1 << 2
        var cpuid = cpu.cpuid
        cpuid.allow(ecx: umip, leaf: 7)
        let features = cpu.cr4 | (umip != 0 ? CR4.userModePrevention : 0)
        let special = monitor.specialRegisters(cr4: features)
        var regs = Registers()
        (regs.rip, regs.rsp, regs.rdi) = (state.rip, state.rsp, state.rdi)
        regs.rflags = Flags.real(RFLAGS.reserved1, interrupts: false)
        try load(cpuid, special, xcr0: cpu.xcr0, regs)
        return features
    }

    /// Makes the vCPU the ring-0 CPU that the guest believes in.
    func enterRingZero(_ virtual: VirtualCPU, _ registers: Registers) throws(KVMError) {
        var sregs = longRegisters(CPUState(rip: 0, rsp: 0, rdi: 0, cr3: virtual.cr3))
        let real = try specialRegisters()
        (sregs.ds, sregs.es, sregs.fs, sregs.gs) = (real.ds, real.es, real.fs, real.gs)
        sregs.apic_base = real.apic_base
        virtual.write(to: &sregs)
        try setSpecialRegisters(sregs)
        try setMSR(MSR.kernelGSBase, virtual.msrs.kernelGSBase)
        var registers = registers
        registers.rflags = Flags.virtual(registers.rflags, interrupts: virtual.interrupts)
        try setRegisters(registers)
    }
}

extension RunLoop {
    /// Whether the last exit is a trap of a deprivileged guest.
    var isTrap: Bool {
        mutating get { MonitorMap.isStub(vcpu.instructionPointer) && deprivileged?.hasLeft == false }
    }

    /// The guest's own page tables while it runs in ring 3: the CPU has the monitor's then.
    var virtualRoot: UInt64? {
        mutating get {
            guard deprivileged?.hasLeft == false else { return nil }
            return deprivileged?.virtual.cr3
        }
    }

    /// Before a crash is reported that no trap has led to: the CPU becomes the one that the guest believes in, page tables
    /// and all, with the instruction that it stands at.
    mutating func showVirtualCPU() {
        guard deprivileged?.hasLeft == false, let virtual = deprivileged?.virtual else { return }
        vcpu.completePendingIO()
        try? vcpu.enterRingZero(virtual, vcpu.synchronisedRegisters)
    }

    /// Handles a trap; nil to go on.
    mutating func handleTrap(_ hvt: Hvt) -> Stop? {
        guard case .portWrite(let port, 4, 1, _) = vcpu.exit else { return stop(context.unexpected(vcpu.exit)) }
        var registers = vcpu.synchronisedRegisters
        let outcome = deprivileged?.trap(vector: Int(port), &registers, context.platform.memory, vcpu)
        switch outcome {
        case .resume?:
            vcpu.synchronisedRegisters = registers
            return nil
        case .call(let port, let value)?:
            vcpu.synchronisedRegisters = registers
            return callHvt(.portWrite(port: port, size: 4, count: 1, value: value), hvt)
        case .far?:
            if let failure = showFarHeap(hvt) { return .failed(failure) }
            vcpu.synchronisedRegisters = registers
            return nil
        case .debug?: return debugTrap(Int(port), registers)
        case .unsupported(let what)? where deprivileged?.mayLeave == true: return goOnInRingZero(what, registers, hvt)
        default: break
        }
        // Everything else is the end, and the report is of the CPU that the guest believes in; of the real one, should KVM
        // refuse it: what a guest has written into its registers is no error of the host's.
        if let virtual = deprivileged?.virtual { try? vcpu.enterRingZero(virtual, registers) }
        switch outcome {
        case .halt?: return stop(context.unexpected(.halt))
        case .forbidden?: return stop(context.crash(.translationFault))
        case .unsupported(let what)?: return stop(context.crash(.needsRingZero(what)))
        case .forged?: return stop(context.crash(.forgedException(vector: Int(port))))
        default: return stop(context.crash(.tripleFault))
        }
    }

    /// The rest of memory, from now on.
    private mutating func showFarHeap(_ hvt: Hvt) -> KVMError? {
        guard let far = deprivileged?.monitor.far, !far.isEmpty else { return nil }
        guard let slots = hvt.slots else { return KVMError("KVM_SET_USER_MEMORY_REGION", errno: EBADF) }
        do throws(KVMError) { try slots.add(3, far, of: context.platform.memory) } catch { return error }
        deprivileged?.monitor.showFar()
        return nil
    }

    /// For a debugger, which lets the guest go on: the stub's OUT is finished, and the registers are the guest's again.
    private func debugTrap(_ vector: Int, _ registers: Registers) -> Stop {
        vcpu.completePendingIO()
        var shown = GuestRegisters(vcpu)
        shown.general = registers
        return .crashed(
            Crash(
                cause: .exception(vector: vector), registers: shown, errorCode: nil, registersAreLost: false, code: []))
    }

    private mutating func goOnInRingZero(_ what: String, _ registers: Registers, _ hvt: Hvt) -> Stop? {
        guard let virtual = deprivileged?.virtual else { return nil }
        if !context.platform.quiet {
            writeText(
                "\(hvt.program): the guest \(what): it goes on in ring 0, which this host emulates, slowly and without SSE\n",
                patience: lastWordPatience)
        }
        do throws(KVMError) {
            vcpu.completePendingIO()
            vcpu.immediateExit = false
            context.kickAgainIfEarly()
            if let failure = showFarHeap(hvt) { throw failure }
            try vcpu.enterRingZero(virtual, registers)
        } catch { return .failed(error) }
        deprivileged?.hasLeft = true
        do throws(HostError) {
            try protect(hvt.guest, context.platform.memory)
            try context.timer.arm(nanoseconds: haltPeriod)
        } catch { return .hostFailed("guest memory, or a timer,", errno: error.errno) }
        return nil
    }

    /// At a kick. A vCPU with a local APIC in the kernel sleeps in HLT there, without an exit; one that was made for ring 0
    /// has none. Nil to go on.
    mutating func haltedInRingZero() -> Stop? {
        guard deprivileged?.hasLeft == true, context.platform.control.requested == nil else { return nil }
        if vcpu.isHalted { return stop(context.unexpected(.halt)) }
        try? context.timer.arm(nanoseconds: haltPeriod)
        return nil
    }
}
