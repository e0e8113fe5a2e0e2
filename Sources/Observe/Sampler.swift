// The profile: a timer kicks the vCPU out of the guest so often a second, and each time the guest's stack is noted.
//
// A sample counts for all periods that have passed since the last one: time that the guest waits in a call is the call's,
// as a frame in brackets. Read next: SampleClock.swift, StackWalk.swift, Stacks.swift.

import Host
import KVM

struct Sampler: ~Copyable, Sendable {
    /// Nil where another vCPU's sampler writes for this one too.
    private let file: OutputFile?
    private var clock: SampleClock
    var stacks = Stacks()
    /// Made on the vCPU's thread, which it kicks.
    private var timer: KickTimer?

    init(_ file: consuming OutputFile?, rate: UInt64) {
        clock = SampleClock(rate: rate)
        self.file = file
    }

    /// The run begins, on the vCPU's thread.
    mutating func start(at now: UInt64) {
        do throws(HostError) { timer = try KickTimer() } catch {
            switch file {
            case .some(let file): file.complain("no profile: \(error.message)")
            case nil: break
            }
        }
        timer?.arm(nanoseconds: clock.start(at: now))
    }

    /// After an exit, a kick or another.
    mutating func look(
        at event: ExitEvent, _ rip: UInt64, _ vcpu: borrowing VCPU, _ symbols: SymbolTable,
        _ machine: some ObservedMachine
    ) {
        let (periods, call, next) = clock.look(at: event)
        if periods > 0 {
            let frames = StackWalk.functions(rip, vcpu.basePointer, root: vcpu.root, symbols, machine)
            stacks.add((call.map { ["[\($0)]"] } ?? []) + frames, weight: periods)
        }
        if let next { timer?.arm(nanoseconds: next) }
    }

    func finish(_ patience: UInt64?) {
        switch file {
        case .some(let file):
            let text = file.isStandardError ? "swiftlet: profile\n" + stacks.flat() : stacks.collapsed
            file.finish(Array(text.utf8), patience)
        case nil: break
        }
    }
}
