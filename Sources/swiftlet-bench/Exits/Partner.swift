// A second thread, on another CPU, for as long as a rig runs: what rings, kicks or answers from outside of the vCPU's thread.
//
// Read next: SharedMemory.swift.

import Host
import Rig
import Synchronization

/// Tells a partner that it is over. It must look often: the experiment waits for it.
final class Ending: Sendable {
    private let flag = Atomic<Bool>(false)

    var isOver: Bool { flag.load(ordering: .acquiring) }

    fileprivate func tell() { flag.store(true, ordering: .releasing) }
}

private final class Outcome<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}

/// Runs `partner` on a CPU of its own until `work` on this thread has returned; what both found.
func withPartner<Found: Sendable, Result>(
    of equipment: Equipment, _ partner: @escaping @Sendable (Ending) -> Found, _ work: () throws(RigError) -> Result
) throws(ExperimentError) -> (Found, Result) {
    guard let cpu = equipment.otherCPU else {
        throw .unavailable("needs a second CPU, for the thread on the other side")
    }
    let ending = Ending()
    let outcome = Outcome<Found>()
    let thread: Thread
    do throws(HostError) {
        thread = try Thread {
            try? pinThread(to: cpu)  // it is one of allowedCPUs()
            let found = partner(ending)
            outcome.value.withLock { $0 = found }
        }
    } catch { throw .failed(error.message) }
    let result: Result?
    var failure: RigError?
    do throws(RigError) { result = try work() } catch {
        result = nil
        failure = error
    }
    ending.tell()
    thread.join()
    guard let result, let found = outcome.value.withLock({ $0 }) else {
        throw failure.map { ExperimentError($0) } ?? .failed("the second thread found nothing")
    }
    return (found, result)
}
