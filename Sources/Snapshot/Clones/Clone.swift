// A clone: a machine made from a snapshot, which lives as often as one likes. It runs on the calling thread.
//
// Its memory is the snapshot's file, mapped copy-on-write, so clones share what none of them has written. A life ends when
// the guest stops; `reset` takes the machine back to the snapshot, for another guest that knows nothing of the last.
// Read next: CloneReset.swift (the way back), CloneConsole.swift, Pool.swift (who keeps clones).

import CSnapshot
import GuestMemory
import Host
import KVM
import Synchronization
import VMM
import X86

/// How a life went.
public struct Answer: Sendable {
    /// What the guest wrote to its console; empty when it had a console of the caller's.
    public let output: [UInt8]
    /// How it ended.
    public let outcome: Outcome
    /// The exit status of `swiftlet run`: the guest's, 0 to 255; 124 time limit, 125 an error of Swiftlet's side (the output
    /// limit is one), 126 the guest crashed, 128 + n stopped by signal n.
    public let status: Int32
    /// One line for the operator about a guest that did not exit by itself; nil for one that did. Parts of it may be the
    /// guest's words.
    public let message: String?
}

/// A machine made from a snapshot.
///
/// Making one costs 0.5 to 1 ms, a life and a reset about 0.1 ms (docs/pools.md). One life at a time: a second `run` waits
/// for the first.
public final class Clone: Sendable {
    /// The number that the guest is told.
    public let index: UInt32
    let source: CloneSource
    let platform: Platform
    let vm: VM
    let body: Mutex<CloneBody>
    /// The watch of the run under way; -1: none.
    private let watch = Mutex(-1)

    /// Builds the machine, at the snapshot's point.
    ///
    /// - Parameters:
    ///   - index: for the guest, which finds it in its call page.
    ///   - console: nil for one in memory: what `run` is given and what it returns.
    public init(_ source: CloneSource, index: UInt32, console: Console? = nil) throws(SnapshotError) {
        let snapshot = source.snapshot.machine
        let layout = source.snapshot.layout
        let memory = try source.snapshot.reserve()
        memory.useSmallPages()
        try source.snapshot.map(into: memory)
        let vm = try snapshotKVM(try source.kvm.makeVM())
        try snapshotKVM(try Machine.addSlots(vm, memory))
        try snapshotKVM(try vm.enableSplitIRQChip())
        let vcpu = try snapshotKVM(try vm.makeVCPU(mappingSize: source.vcpuMappingSize))
        let control = try snapshotKVM(try StopControl())
        try snapshotKVM(try vcpu.load(source.snapshot.vcpu))
        let clock = try snapshotKVM(try MachineClock(vcpu, startingAt: snapshot.clock))
        platform = Platform(
            memory: memory, layout: layout, console: console ?? .handedOver(folder: source.folder.fd), clock: clock,
            control: control, quiet: true, isMapped: true)
        let loop = RunLoop(vcpu: vcpu, context: VCPUContext(platform))
        body = Mutex(CloneBody(loop: loop, pages: ClonePages(source)))
        self.vm = vm
        self.source = source
        self.index = index
    }

    /// Runs the guest, on the calling thread, until it stops.
    ///
    /// - Parameters:
    ///   - input: what the guest reads from its console, before the end of input.
    ///   - timeout: nanoseconds; nil for no limit.
    ///   - outputLimit: bytes; a guest that writes more is ended.
    /// - Throws: when the clone has lived already and was not reset.
    public func run(
        _ input: [UInt8] = [], timeout: UInt64? = nil, outputLimit: Int = .max
    ) throws(SnapshotError) -> Answer {
        try body.withLock { body throws(SnapshotError) in
            if !body.isFresh { throw .unsupported("a clone must be reset before it runs again") }
            try begin(&body)
            body.console = CloneConsole(input: input, limit: max(0, outputLimit))
            let number = source.watchdog.begin(platform.control, deadline: timeout.map(Self.deadline(in:)))
            watch.withLock { $0 = number }
            body.loop.enter()
            let stop = live(&body)
            body.loop.leave()
            watch.withLock { $0 = -1 }
            source.watchdog.end(number)
            body.note(stop)
            return body.answer(stop, platform)
        }
    }

    /// Ends the run under way, as signal 15 would: from any thread. Nothing happens when there is none.
    public func stop() {
        watch.withLock { if $0 >= 0 { source.watchdog.stop($0, signal: 15) } }
    }

    /// Whose vCPU it was last; of a clone that is not in use.
    var lastThread: ThreadReference? { body.withLock { $0.thread } }

    /// The end of time for a limit that reaches beyond it.
    private static func deadline(in nanoseconds: UInt64) -> UInt64 {
        let (deadline, isBeyond) = Clock.monotonic().addingReportingOverflow(nanoseconds)
        return isBeyond ? .max : deadline
    }

    /// From stop to stop; console calls in memory are no end.
    private func live(_ body: inout CloneBody) -> Stop {
        while true {
            let stop = body.loop.runHere()
            guard let call = body.loop.consoleCall(stop) else { return stop }
            if let end = body.answer(call, platform) { return end }
        }
    }
}

/// What of a clone belongs to the thread that runs it.
struct CloneBody: ~Copyable {
    var loop: RunLoop
    var pages: ClonePages
    var console = CloneConsole(input: [], limit: 0)
    /// At the snapshot's point.
    var isFresh = true
    /// Lives begun.
    var lives: UInt32 = 0
    /// KVM or the CPU is in a state that no register shows: the machine cannot be used again.
    var isLost = false
    /// Whose vCPU it was last: KVM may wait for a grace period when that changes.
    var thread: ThreadReference?

    init(loop: consuming RunLoop, pages: consuming ClonePages) {
        self.loop = loop
        self.pages = pages
    }

    /// An internal error of KVM, and a triple fault, at which it resets the vCPU in its own way.
    mutating func note(_ stop: Stop) {
        thread = .current
        switch stop {
        case .failed: isLost = true
        case .crashed(let crash):
            switch crash.cause {
            case .tripleFault, .emulation, .invalidState, .unexpectedExit: isLost = true
            default: break
            }
        default: break
        }
    }
}
