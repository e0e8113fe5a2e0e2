// The threads of a machine with several vCPUs: started before the first one's, ended together, and heard as one.
//
// In a machine with one vCPU the list of others is empty, and nothing here does anything. Read next: ProcessorRunLoop.swift.

import Host
import Observe

extension Machine {
    /// Every vCPU but the first gets its thread, and waits there until it is started.
    func startOthers() throws(HostError) -> [KeptThread] {
        var threads: [KeptThread] = []
        platform.processors?.begin()
        for other in others {
            do throws(HostError) { threads.append(try other.startKept()) } catch {
                abandon(threads)
                throw error
            }
        }
        return threads
    }

    /// The first vCPU's.
    func startFirst(_ others: [KeptThread]) throws(HostError) -> Thread {
        do throws(HostError) { return try vcpu.start() } catch {
            abandon(others)
            throw error
        }
    }

    /// Readable when a vCPU's thread has run.
    var doneDescriptor: Int32 { platform.processors?.done.fd ?? vcpu.done.fd }
    var haveEnded: Bool { platform.processors?.haveEnded ?? true }

    /// Ends those that were started when one could not be.
    private func abandon(_ threads: [KeptThread]) {
        platform.control.requestEndOfAll()
        let rest = others.count + 1 - threads.count
        while let processors = platform.processors, processors.running.load(ordering: .acquiring) > rest {
            for thread in threads { thread.kick() }
            _ = wait(for: WaitFor(processors.done.fd), nanoseconds: 10_000_000)
            _ = processors.done.take()
        }
        for thread in threads { thread.join() }
    }

    package var vcpus: [VCPUThread] { [vcpu] + others }

    /// The vCPU by whose end, or pause, the machine ended.
    var spokesman: VCPUThread {
        let index = spokesmanIndex
        return index == 0 ? vcpu : others[index - 1]
    }
    package var spokesmanIndex: Int { platform.processors?.spokesman ?? 0 }

    /// How the run ended, with the exits of all vCPUs.
    var allOutcome: Outcome {
        let outcome = spokesman.outcome
        if others.isEmpty { return outcome }
        var exits = vcpu.outcome.exits
        for other in others { if let more = other.outcome.exits { exits?.add(more) } }
        return Outcome(stop: outcome.stop, exits: exits)
    }

    /// Where all vCPUs but one stand, after the run.
    func registers(but number: Int) -> [(number: Int, registers: GuestRegisters)] {
        if others.isEmpty { return [] }
        let all = vcpus
        return all.indices.filter { $0 != number }.map { index in
            (index, all[index].loop.withLock { GuestRegisters($0.vcpu) })
        }
    }

    /// For a report: which of several vCPUs it was.
    func which(_ crash: Crash) -> String { others.isEmpty ? "" : ", vCPU \(crash.vcpu)" }

    /// Writes what the observers have left, after the run.
    func finishObservation(_ stop: Stop) {
        for other in others {
            guard let samples = other.loop.withLock({ $0.observer?.samples }) else { continue }
            vcpu.loop.withLock { $0.observer?.add(samples) }
        }
        vcpu.finishObservation(stop)
    }
}

/// All vCPUs look at the stop control.
func kick(_ first: borrowing Thread, _ others: [KeptThread]) {
    first.kick()
    for other in others { other.kick() }
}

extension VCPUThread {
    /// Starts the thread of a vCPU that is not the first.
    func startKept() throws(HostError) -> KeptThread { try KeptThread { self.run() } }
}
