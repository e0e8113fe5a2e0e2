// What watches a run when somebody asked for it: `--stats`, `--trace` and `--profile`. Otherwise there is none.
//
// It takes the time four times an exit: before and after KVM_RUN, before and after the handler. What it does itself lies
// between, and is counted apart. Each vCPU has its own, on its thread; only a trace is all vCPUs' together.
// Read next: ObservedMachine.swift, ExitKey.swift, VMM/RunLoop.swift.

import Host
import KVM

/// What the user wants to see of a run. Nothing is the default, and costs an exit nothing.
public struct Observation: Sendable {
    /// `--stats`
    public var statistics = false { didSet { isNothing = false } }
    /// `--trace`: a path, or "-" for text on standard error.
    public var trace: String? { didSet { isNothing = false } }
    /// `--explain`: the trace is sentences.
    public private(set) var explains = false
    /// `--profile`: a path for collapsed stacks, or "-" for a table on standard error.
    public var profile: String? { didSet { isNothing = false } }
    /// Samples a second.
    public var profileRate: UInt64 = 1000
    /// `--step`, `--slow`: what is told of it, and how fast.
    public var narration: Narration? { didSet { isNothing = false } }

    public init() {}

    /// Sentences, on standard error where no file is named, before or after.
    public mutating func explain() {
        explains = true
        trace = trace ?? "-"
    }

    /// Nothing of it was asked for. A stored flag: to look at optional text costs a start 8 us of the runtime's type machinery.
    public private(set) var isNothing = true
    /// Whether addresses will have to be named.
    public var needsSymbols: Bool { trace != nil || profile != nil || narration != nil }
}

public struct Observer: ~Copyable, Sendable {
    /// Exits, in TSC cycles; nil without `--stats`.
    public private(set) var table: ExitTable?
    private var trace: SharedTrace?
    private var sampler: Sampler?
    /// What names addresses; set before the run.
    public var symbols = SymbolTable()
    /// The vCPU's number; nil in a machine with one.
    private var number: Int?
    private var rate: UInt64
    private var event = ExitEvent(.rest)
    private var rip: UInt64 = 0
    private var waitedBefore: UInt64?
    private var sleepsBefore = 0
    private var hasSlept = false
    private var isNarrated: Bool

    /// Opens the files, so that a bad path is an error before the guest starts.
    public init(_ wanted: Observation, title: String, vcpus: Int = 1) throws(HostError) {
        table = wanted.statistics ? ExitTable() : nil
        (number, rate, isNarrated) = (vcpus == 1 ? nil : 0, wanted.profileRate, wanted.narration != nil)
        if let path = wanted.trace {
            let file = try OutputFile(path)
            trace = SharedTrace(TraceFile(file, wanted, title: title, vcpus: vcpus))
        }
        if let path = wanted.profile { sampler = Sampler(try OutputFile(path), rate: rate) }
    }

    /// The observer of another vCPU, beside the first one's; nil beside nobody.
    public static func companion(of first: borrowing Observer?, number: Int) -> Observer? {
        switch first {
        case .some(let first): Observer(beside: first, number)
        case nil: nil
        }
    }

    private init(beside first: borrowing Observer, _ number: Int) {
        table = first.table == nil ? nil : ExitTable()
        (self.number, rate, trace, symbols) = (number, first.rate, first.trace, first.symbols)
        isNarrated = first.isNarrated
        switch first.sampler {
        case .some: sampler = Sampler(nil, rate: rate)
        case nil: break
        }
    }

    /// What `--profile` has sampled.
    public var samples: Stacks {
        switch sampler {
        case .some(let sampler): sampler.stacks
        case nil: Stacks()
        }
    }

    /// Adds another vCPU's samples to those that `finish` writes.
    public mutating func add(_ samples: Stacks) { sampler?.stacks.add(samples) }

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
        (event.entered, event.left, event.vcpu) = (entered, left, number)
        rip = vcpu.instructionPointer
        event.began = Clock.tsc()
    }

    /// The exit is a report about an instruction of the guest's, which has trapped.
    public mutating func tells(of instruction: UInt64) {
        rip = instruction
        event.isTrap = true
    }

    /// A narration begins, on the main thread.
    public mutating func beginNarration(_ machine: some ObservedMachine) { trace?.with { $0.begin(machine) } }

    /// The exit was handled; by one that `pauses` the guest has come into somebody's hand, who tells it or does not.
    public mutating func handled(_ vcpu: borrowing VCPU, _ machine: some ObservedMachine, pauses: Bool) {
        event.handled = Clock.tsc()
        table?.record(event)
        if !(pauses && isNarrated) { tell(vcpu, machine) }
    }

    /// Tells the exit that came last.
    public mutating func tell(_ vcpu: borrowing VCPU, _ machine: some ObservedMachine) {
        if trace == nil, sampler == nil { return }
        let timed = event.timed(machine.time)
        sampler?.look(at: timed, rip, vcpu, symbols, machine)
        trace?.with { $0.add(timed, rip, vcpu, symbols, machine) }
    }

    public mutating func injects(_ vector: UInt8, _ machine: some ObservedMachine) {
        trace?.with { $0.add(.injection(vector: vector, at: machine.time(at: Clock.tsc()), vcpu: number), machine) }
    }

    /// Writes what is left: after the run, on the main thread, where a signal ends a write that nobody reads. With
    /// `patience` (nanoseconds) no reader is waited for longer.
    public mutating func finish(
        why: String, status: Int32, patience: UInt64?, _ machine: some ObservedMachine
    ) {
        trace?.with { $0.finish(.stop(why: why, status: status, at: machine.time(at: Clock.tsc())), patience) }
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
