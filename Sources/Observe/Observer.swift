// What watches a run when somebody asked for it: `--stats`, `--trace` and `--profile`. Otherwise there is none.
//
// It takes the time four times an exit: before and after KVM_RUN, before and after the handler. What it does itself lies
// between, and is counted apart. All of it on the vCPU's thread: nothing is locked.
// Read next: ObservedMachine.swift, ExitKey.swift, VMM/RunLoop.swift.

import Host
import KVM

/// What the user wants to see of a run. Nothing is the default, and costs an exit nothing.
public struct Observation: Sendable {
    /// `--stats`
    public var statistics = false { didSet { isNothing = false } }
    /// `--trace`: a path, or "-" for text on standard error.
    public var trace: String? { didSet { isNothing = false } }
    /// `--profile`: a path for collapsed stacks, or "-" for a table on standard error.
    public var profile: String? { didSet { isNothing = false } }
    /// Samples a second.
    public var profileRate: UInt64 = 1000

    public init() {}

    /// Nothing of it was asked for. A stored flag: to look at optional text costs a start 8 us of the runtime's type machinery.
    public private(set) var isNothing = true
    /// Whether addresses will have to be named.
    public var needsSymbols: Bool { trace != nil || profile != nil }
}

public struct Observer: ~Copyable {
    /// Exits, in TSC cycles; nil without `--stats`.
    public private(set) var table: ExitTable?
    private var trace: TraceFile?
    private var sampler: Sampler?
    /// What names addresses; set before the run.
    public var symbols = SymbolTable()
    private var event = ExitEvent(.rest)
    private var rip: UInt64 = 0
    private var waitedBefore: UInt64?
    private var sleepsBefore = 0
    private var hasSlept = false

    /// Opens the files, so that a bad path is an error before the guest starts.
    public init(_ wanted: Observation, title: String) throws(HostError) {
        table = wanted.statistics ? ExitTable() : nil
        if let path = wanted.trace { trace = TraceFile(try OutputFile(path), title: title) }
        if let path = wanted.profile { sampler = Sampler(try OutputFile(path), rate: wanted.profileRate) }
    }

    /// The run begins, on the vCPU's thread; after a pause again, on another.
    public mutating func begins(_ machine: some ObservedMachine) {
        waitedBefore = waitedForCPU()
        sleepsBefore = Thread.voluntarySwitches()
        event.handled = 0  // what lies between is the pause
        sampler?.start(at: machine.time(at: Clock.tsc()))
    }

    /// The run has ended, on the vCPU's thread.
    public mutating func ends() {
        // A handler that slept was ready before it ran again, and the kernel's account does not tell that from KVM_RUN's.
        if Thread.voluntarySwitches() != sleepsBefore { hasSlept = true }
        guard !hasSlept, let before = waitedBefore, let now = waitedForCPU() else {
            table?.waited = nil
            return
        }
        let sum = table?.waited ?? 0
        table?.waited = sum &+ now &- before
    }

    /// KVM_RUN begins.
    public mutating func enters() {
        event.entered = Clock.tsc()
        if event.handled != 0 { table?.add(observer: event.entered &- event.handled &+ event.began &- event.left) }
    }

    /// KVM_RUN is back: what it brought is noted now, for handling it may call KVM_RUN again.
    public mutating func leaves(_ error: Int32, _ vcpu: borrowing VCPU, _ machine: some ObservedMachine) {
        let (entered, left) = (event.entered, Clock.tsc())
        event = error == 0 ? ExitEvent(vcpu.exit, machine) : ExitEvent(error: error)
        (event.entered, event.left, rip) = (entered, left, vcpu.instructionPointer)
        event.began = Clock.tsc()
    }

    /// The exit was handled.
    public mutating func handled(_ vcpu: borrowing VCPU, _ machine: some ObservedMachine) {
        event.handled = Clock.tsc()
        table?.record(event)
        if trace == nil, sampler == nil { return }
        let timed = event.timed(machine.time)
        sampler?.look(at: timed, rip, vcpu, symbols, machine)
        trace?.add(timed, rip, vcpu, symbols, machine)
    }

    public mutating func injects(_ vector: UInt8, _ machine: some ObservedMachine) {
        trace?.add(.injection(vector: vector, at: machine.time(at: Clock.tsc())), machine)
    }

    /// Writes what is left: after the run, on the main thread, where a signal ends a write that nobody reads. With
    /// `patience` (nanoseconds) no reader is waited for longer.
    public mutating func finish(
        why: String, status: Int32, patience: UInt64?, _ machine: some ObservedMachine
    ) {
        trace?.finish(.stop(why: why, status: status, at: machine.time(at: Clock.tsc())), patience)
        sampler?.finish(patience)
    }
}

/// Nanoseconds that this thread was ready to run while its CPU ran something else: the second field of schedstat (proc(5),
/// Documentation/scheduler/sched-stats.rst). Nil where the kernel does not tell.
private func waitedForCPU() -> UInt64? {
    guard let file = try? File("/proc/thread-self/schedstat", .read), let bytes = try? file.read(at: 0, 128) else {
        return nil
    }
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return fields.count == 3 ? UInt64(fields[1]) : nil
}
