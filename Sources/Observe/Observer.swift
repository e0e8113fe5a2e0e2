// What watches a run when somebody asked for it: `--stats`, `--trace` and `--profile`. Otherwise there is none.
//
// It takes the time three times an exit: before KVM_RUN, after it, and after the handler. What it does itself lies between
// the third and the next exit's first, and is counted apart. All of it on the vCPU's thread: nothing is locked.
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

    /// Opens the files, so that a bad path is an error before the guest starts.
    public init(_ wanted: Observation, title: String) throws(HostError) {
        table = wanted.statistics ? ExitTable() : nil
        if let path = wanted.trace { trace = TraceFile(try OutputFile(path), title: title) }
        if let path = wanted.profile { sampler = Sampler(try OutputFile(path), rate: wanted.profileRate) }
    }

    /// The run begins, on the vCPU's thread.
    public mutating func begins(_ machine: some ObservedMachine) {
        sampler?.start(at: machine.time(at: Clock.tsc()))
    }

    /// KVM_RUN begins.
    public mutating func enters() {
        event.entered = Clock.tsc()
        if event.handled != 0 { table?.add(observer: event.entered &- event.handled) }
    }

    /// KVM_RUN is back: what it brought is noted now, for handling it may call KVM_RUN again.
    public mutating func leaves(_ error: Int32, _ vcpu: borrowing VCPU, _ machine: some ObservedMachine) {
        let (entered, left) = (event.entered, Clock.tsc())
        event = error == 0 ? ExitEvent(vcpu.exit, machine) : ExitEvent(error: error)
        (event.entered, event.left, rip) = (entered, left, vcpu.instructionPointer)
    }

    /// The exit was handled.
    public mutating func handled(_ vcpu: borrowing VCPU, _ machine: some ObservedMachine) {
        event.handled = Clock.tsc()
        table?.record(event)
        if trace == nil, sampler == nil { return }
        var timed = event
        timed.entered = machine.time(at: event.entered)
        timed.left = machine.time(at: event.left)
        timed.handled = machine.time(at: event.handled)
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
