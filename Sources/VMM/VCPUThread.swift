// A vCPU's thread: it owns the run loop while it runs, and leaves how that ended.
//
// One thread for each vCPU. A machine with several stops them all through one StopControl, and makes page-table commits
// seen by all with the same kick: each vCPU flushes before it enters the guest again. Read next: RunLoop.swift.

import Host
import KVM
import Synchronization

final class VCPUThread: Sendable {
    /// Readable when the run has ended.
    let done: EventFD
    private let loop: Mutex<RunLoop?>
    private let result = Mutex<Result?>(nil)

    struct Result: Sendable {
        var stop: Stop
        var statistics: Statistics
    }

    init(_ loop: consuming sending RunLoop) throws(MachineError) {
        done = try fromKVM(try EventFD())
        self.loop = Mutex(loop)
    }

    /// Starts the thread; `Thread.kick` has the vCPU look at the stop control.
    func start() throws(HostError) -> Thread {
        try Thread { self.run() }
    }

    private func run() {
        var taken = loop.withLock { $0.take() }
        guard var loop = taken.take() else { return }
        Thread.setKickByte(address: loop.vcpu.kickByteAddress)
        let stop = loop.run()
        Thread.setKickByte(address: 0)
        result.withLock { $0 = Result(stop: stop, statistics: loop.context.statistics) }
        done.signal()
    }

    /// How the run ended, once `done` is readable.
    func takeResult() -> Result? { result.withLock { $0.take() } }
}
