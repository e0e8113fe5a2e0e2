// The guest as a debugger handles it: it runs, steps, stops, and between has registers and memory.
//
// In ring 3 a step is RFLAGS.TF and a breakpoint an INT3, and both end in the machine's own stubs for vectors 1 and 3: so they
// work on every KVM. Elsewhere KVM makes exits of them (KVM_SET_GUEST_DEBUG), and a KVM that emulates ring 0 and does not know
// INT3 stops there all the same. One vCPU's stop is everybody's. Read next: Breakpoints.swift.

import Deprivileged
import Host
import KVM
import VMM
import X86

final class Target: Debuggee {
    let run: DebuggedRun
    var breakpoints = Breakpoints()
    private(set) var reason = StopReason.start
    private(set) var stopped = 0
    var selected = 0
    /// vCPUs that have come to a breakpoint, or stand on one, while another's stop was told.
    private var untold: Set<Int> = []
    /// Of each vCPU, when they were asked for.
    private var files: [RegisterFile?]
    private let physicalBits = UInt64(Processor.cpuid(0x8000_0008).eax & 0xff)
    /// Whether debug registers see accesses to memory: a KVM without VMX and SVM has none for its guests.
    let hasWatchpoints = !Ring.hostEmulatesRingZero
    let table: RegisterTable

    init(_ machine: Machine) throws(MachineError) {
        run = try DebuggedRun(machine)
        let hasAVX = GuestCPU().hasAVX
        table = RegisterTable(is64Bit: !machine.is32Bit, hasAVX: hasAVX)
        files = Array(repeating: nil, count: machine.vcpus.count)
        machine.vcpu.loop.withLock { $0.setDebugged(true) }
    }

    var vcpuCount: Int { files.count }

    /// Whether exceptions 1 and 3 come by stubs.
    var hasStubs: Bool { run.machine.vcpu.loop.withLock { $0.hasStubs } }

    /// Whether a breakpoint in a debug register works where the guest runs.
    private var hasExecuteRegisters: Bool { hasWatchpoints || !hasStubs }

    // Registers and memory, while the guest stands still.

    var registers: RegisterFile? {
        get {
            if files[selected] == nil {
                files[selected] = vcpu(selected).loop.withLock { (loop: inout RunLoop) -> RegisterFile? in
                    try? RegisterFile(&loop)
                }
            }
            return files[selected]
        }
        set { files[selected] = newValue }
    }

    private func vcpu(_ number: Int) -> VCPUThread { run.machine.vcpus[number] }

    var paging: PagingState {
        registers.map { PagingState($0.special, physicalBits: physicalBits) }
            ?? PagingState(cr0: 0, cr3: 0, cr4: 0, efer: 0)
    }

    func read(_ address: UInt64, _ count: Int) -> [UInt8] {
        breakpoints.hidden(run.machine.platform.bytes(at: address, count, paging), at: address)
    }

    func write(_ bytes: [UInt8], at address: UInt64) -> Bool {
        run.write(breakpoints.covered(bytes, at: address), at: address, paging)
    }

    // Breakpoints.

    func insert(_ kind: Int, _ address: UInt64, _ size: UInt64) -> Bool? {
        guard let watch = watch(kind, address, size) else { return nil }
        return watch.isSoftware ? breakpoints.insert(address, run, paging) : breakpoints.watch(watch.watch)
    }

    func remove(_ kind: Int, _ address: UInt64, _ size: UInt64) -> Bool? {
        guard let watch = watch(kind, address, size) else { return nil }
        if watch.isSoftware { breakpoints.remove(address, run) } else { breakpoints.unwatch(watch.watch) }
        return true
    }

    /// Nil for a kind that there is not. Where a debug register would do nothing an INT3 does its work.
    private func watch(_ kind: Int, _ address: UInt64, _ size: UInt64) -> (isSoftware: Bool, watch: Breakpoints.Watch)?
    {
        let none = Breakpoints.Watch(kind: .execute, address: address, size: 1)
        if kind == 0 || kind == 1 && !hasExecuteRegisters { return (true, none) }
        if kind == 1 { return (false, none) }
        guard hasWatchpoints, let kind = WatchKind(rawValue: kind) else { return nil }
        return (false, Breakpoints.Watch(kind: kind, address: address, size: size))
    }

    // Running.

    /// Lets the guest go on until something happens; `descriptor` interrupts it.
    func resume(_ how: Resumption, _ signals: borrowing StopSignals, watching descriptor: Int32) -> StopReason {
        reason = go(how, signals, descriptor)
        stopped = selected
        return reason
    }

    private func go(_ how: Resumption, _ signals: borrowing StopSignals, _ descriptor: Int32) -> StopReason {
        if case .crash(let crash) = reason { return .end(.crashed(crash)) }
        switch how {
        case .step(let number):
            selected = number
            if untold.remove(number) != nil, isOnBreakpoint { return .breakpoint(isSoftware: true) }
            if let first = overBreakpoint(signals, descriptor) { return first }
            if let next = portInstructionEnd { return stepTo(next, signals, descriptor) }
            if let next = emulatedHaltEnd { return stepHalt(next, signals, descriptor) }
            return step(signals, descriptor)
        case .go(let numbers):
            for number in numbers where untold.remove(number) == nil {
                selected = number
                guard let first = overBreakpoint(signals, descriptor) else { continue }
                guard case .step = first else { return first }
            }
            return once(numbers, steps: false, signals, descriptor)
        }
    }

    /// Over the instruction that a breakpoint stands on, while the other vCPUs stand still; nil where none is.
    private func overBreakpoint(_ signals: borrowing StopSignals, _ descriptor: Int32) -> StopReason? {
        guard isOnBreakpoint, let rip = registers?.instructionPointer else { return nil }
        breakpoints.remove(rip, run)
        let first = step(signals, descriptor)
        _ = breakpoints.insert(rip, run, paging)
        return first
    }

    private var isOnBreakpoint: Bool {
        registers.map { breakpoints.software[$0.instructionPointer] != nil } ?? false
    }

    /// A step may be told that was not made: Bochs's CPU does so where the fetch, or an access to memory, was an exit first. Nothing
    /// has changed then, and it is made again; over a jump to itself that is the same.
    private func step(_ signals: borrowing StopSignals, _ descriptor: Int32) -> StopReason {
        let before = registers.map { ($0.instructionPointer, $0.general.rcx) }
        let pushesFlags = hasStubs && pushesFlags
        for _ in 0..<3 {
            let reason = once([selected], steps: true, signals, descriptor)
            guard case .step = reason, let before, let after = registers else { return reason }
            if before == (after.instructionPointer, after.general.rcx) { continue }
            if pushesFlags { clearPushedTrapFlag() }
            break
        }
        return .step
    }

    /// A call is over when the instruction behind its OUT is due. The step flag comes too late for that: on a KVM that emulates
    /// OUT the exception is that instruction's.
    private func stepTo(_ next: UInt64, _ signals: borrowing StopSignals, _ descriptor: Int32) -> StopReason {
        let isOurs = breakpoints.software[next] == nil
        guard breakpoints.insert(next, run, paging) else { return once([selected], steps: true, signals, descriptor) }
        let reason = once([selected], steps: false, signals, descriptor)
        if isOurs { breakpoints.remove(next, run) }
        if isOurs, case .breakpoint = reason, registers?.instructionPointer == next { return .step }
        return reason
    }

    /// A KVM that emulates ring 0 tells a step over HLT before it halts, and so the machine would never end by it.
    private func stepHalt(_ next: UInt64, _ signals: borrowing StopSignals, _ descriptor: Int32) -> StopReason {
        let end = Breakpoints.Watch(kind: .execute, address: next, size: 1)
        let isOurs = !breakpoints.watches.contains(end)
        guard breakpoints.watch(end) else { return step(signals, descriptor) }
        let reason = once([selected], steps: false, signals, descriptor)
        if isOurs { breakpoints.unwatch(end) }
        if isOurs, case .breakpoint(isSoftware: false) = reason { return .step }
        return reason
    }

    /// Behind the HLT that is due (linear); nil when it is another instruction, or the CPU's own.
    private var emulatedHaltEnd: UInt64? {
        guard Ring.hostEmulatesRingZero, !hasStubs, let file = registers else { return nil }
        let isLong = file.special.efer & EFER.longModeActive != 0
        let address = (isLong ? 0 : file.special.cs.base) &+ file.instructionPointer
        return read(address, 1) == [0xf4] ? address &+ 1 : nil
    }

    /// Behind the IN or OUT that is due in ring 3; nil when it is another instruction.
    private var portInstructionEnd: UInt64? {
        guard hasStubs, let rip = registers?.instructionPointer else { return nil }
        let code = read(rip, 3)
        let start = code.first == 0x66 ? 1 : 0  // operand size
        guard code.count > start, code[start] & 0xf4 == 0xe4 else { return nil }  // e4-e7 imm8, ec-ef DX
        return rip &+ UInt64(start + (code[start] & 8 == 0 ? 2 : 1))
    }

    /// Runs these vCPUs until one stops, which is the selected one then.
    private func once(
        _ numbers: [Int], steps: Bool, _ signals: borrowing StopSignals, _ descriptor: Int32
    ) -> StopReason {
        do throws(KVMError) {
            for number in numbers { try prepare(number, steps: steps) }
            var end = run.resume(numbers, signals, watching: descriptor)
            for number in numbers where end.stop.isPauseOrCrash {
                // Between an exception and its report: that comes at once.
                while case .paused = run.stop(of: number), isInOurCode(number) {
                    let report = run.resume([number], signals, watching: descriptor)
                    if number == end.vcpu || !report.stop.isPauseOrCrash { end = report }
                }
            }
            selected = end.vcpu
            if !end.stop.isPauseOrCrash { return .end(end.stop) }
            for number in numbers where number != end.vcpu { try settleBeside(number) }
            let exit = vcpu(selected).loop.withLock { $0.vcpu.debugExit }
            try run.settle(selected, end.stop)
            if hasStubs, registers?.trapFlag == true { registers?.trapFlag = false }
            return reason(end.stop, exit, steps: steps)
        } catch { return .end(.failed(error)) }
    }

    /// A vCPU that may have come to something too, which is not told now: it will come to it again.
    private func settleBeside(_ number: Int) throws(KVMError) {
        let (stop, shown) = (run.stop(of: number), selected)
        try run.settle(number, stop)
        selected = number
        defer { selected = shown }
        if case .crashed(let crash) = stop, case .exception(Vector.breakpoint) = crash.cause {
            registers?.instructionPointer &-= 1  // behind its INT3
        }
        if isOnBreakpoint { untold.insert(number) }
    }

    /// Whether an address is in the machine's own code.
    func isOurs(_ address: UInt64) -> Bool { vcpu(selected).loop.withLock { $0.isInOurCode(address) } }

    private func isInOurCode(_ number: Int) -> Bool {
        vcpu(number).loop.withLock { $0.isInOurCode($0.vcpu.instructionPointer) }
    }

    /// Writes a vCPU's registers back and tells KVM what to stop it at.
    private func prepare(_ number: Int, steps: Bool) throws(KVMError) {
        let hasStubs = hasStubs
        if hasStubs, steps { registers?.trapFlag = true }
        var debug = GuestDebug()
        breakpoints.fill(&debug)
        debug.isEnabled = !hasStubs || !breakpoints.watches.isEmpty
        debug.steps = steps && !hasStubs
        try store(number, debug)
    }

    private func store(_ number: Int, _ wish: GuestDebug) throws(KVMError) {
        try vcpu(number).loop.withLock { loop throws(KVMError) in
            try files[number]?.store(&loop)
            try loop.vcpu.debug(wish)
        }
        files[number] = nil
    }

    func removeBreakpoints() { breakpoints.removeAll(run) }

    /// The debugger is gone: nothing of it stays.
    func release() throws(KVMError) {
        removeBreakpoints()
        for number in files.indices { try store(number, GuestDebug()) }
        run.machine.vcpu.loop.withLock { $0.setDebugged(false) }
    }

    func headline(_ crash: Crash) -> String { run.machine.headline(crash) }
}

extension Target {
    /// What a stop was for.
    private func reason(_ stop: Stop, _ exit: DebugExit, steps: Bool) -> StopReason {
        guard case .crashed(let crash) = stop else {
            if case .paused = stop { return .interrupt }
            return .end(stop)
        }
        switch crash.cause {
        case .exception(Vector.breakpoint): return atBreakpoint(registers.map { $0.instructionPointer &- 1 }) ?? .trap
        case .exception(Vector.debug): return steps ? .step : .trap
        case .unexpectedExit("\(Exit.debug)"): return reason(exit, steps: steps)
        case .emulation: return atBreakpoint(registers?.instructionPointer) ?? .crash(crash)
        default: return .crash(hasStubs ? crash.withoutTrapFlag : crash)
        }
    }

    /// Nil when no breakpoint of ours is there. A guest's own INT3 is one that it has passed.
    private func atBreakpoint(_ address: UInt64?) -> StopReason? {
        guard let address, breakpoints.software[address] != nil else { return nil }
        if registers?.instructionPointer != address { registers?.instructionPointer = address }
        return .breakpoint(isSoftware: true)
    }

    private func reason(_ exit: DebugExit, steps: Bool) -> StopReason {
        if exit.vector == Vector.breakpoint {
            if let found = atBreakpoint(registers?.instructionPointer) { return found }
            registers?.instructionPointer &+= 1  // its own, which KVM has kept from it
            return .trap
        }
        if let watch = breakpoints.hit(exit.status) {
            if watch.kind == .execute { return .breakpoint(isSoftware: false) }
            return .watchpoint(watch.address, isAccess: watch.kind != .write)
        }
        return steps ? .step : .trap
    }
}
