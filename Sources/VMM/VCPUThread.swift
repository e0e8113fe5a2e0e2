// A vCPU's thread: it holds the run loop while it runs, and leaves how that ended.
//
// One thread for each vCPU. A machine with several stops them all through one StopControl, and makes page-table commits
// seen by all with the same kick: each vCPU flushes before it enters the guest again. Read next: RunLoop.swift.

import Host
import KVM
import Synchronization

package final class VCPUThread: Sendable {
    /// Readable when the run has ended.
    let done: EventFD
    package let loop: Mutex<RunLoop>
    package init(_ loop: consuming sending RunLoop) throws(MachineError) {
        done = try fromKVM(try EventFD())
        self.loop = Mutex(loop)
    }

    /// Starts the thread; `Thread.kick` has the vCPU look at the stop control.
    func start() throws(HostError) -> Thread {
        _ = done.take()  // of a run before a pause
        return try Thread { self.run() }
    }

    func run() {
        // Held for the whole run, uncontended: it says that the loop is this thread's.
        loop.withLock { loop in
            Thread.setKickByte(address: loop.vcpu.kickByteAddress)
            loop.context.takeTimerAlong()
            loop.context.stop = loop.run()
            loop.context.tellEnd()
            Thread.setKickByte(address: 0)
        }
        done.signal()
    }

    /// How the run ended; waits for its end.
    var outcome: Outcome {
        loop.withLock { Outcome(stop: $0.context.stop ?? .timedOut, exits: $0.observer?.table) }
    }

    /// Writes what the observer has left, after the run.
    func finishObservation(_ stop: Stop) {
        let patience = stop.wasAskedFor ? lastWordPatience : nil
        loop.withLock {
            $0.observer?.finish(why: stop.kind, status: stop.exitStatus, patience: patience, $0.context.platform)
        }
    }
}
