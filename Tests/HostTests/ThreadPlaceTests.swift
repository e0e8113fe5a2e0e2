// Two threads that must not share a CPU do not, wherever the first one goes.

import Host
import TestSupport
import Testing

/// What this process may use: threads of the tests' pool may have been left on one CPU by a test before.
private let cpus = onThread {
    try? keepThread(on: Array(0..<1024))
    return allowedCPUs()
}

@Suite(.enabled(if: cpus.count > 1, "this process may use one CPU only"))
struct ThreadPlaceTests {
    @Test("A thread's place is the CPU that it is kept on")
    func placeFollows() {
        for cpu in cpus.prefix(2) {
            let place = onThread {
                try? pinThread(to: cpu)
                return ThreadPlace.current?.cpu
            }
            #expect(place == UInt32(cpu))
        }
    }

    @Test("A thread that keeps apart leaves the other's CPU, and no CPU is left when there is one only")
    func keepsApart() {
        let all = cpus
        let found = onThread {
            all.prefix(2).map { cpu in
                try? pinThread(to: cpu)
                let other = ThreadPlace.current
                return onThread { placeApart(from: other, at: cpu, of: all) }
            }
        }
        #expect(found.count == 2)
        for (cpu, place) in zip(all, found) { #expect(all.contains(Int(place)) && place != UInt32(cpu)) }
        #expect(Separation(from: ThreadPlace.current, allowed: [all[0]]) == nil)
    }
}

/// Where a thread is that was on the other's CPU and keeps apart from it.
private func placeApart(from other: ThreadPlace?, at cpu: Int, of all: [Int]) -> UInt32 {
    try? pinThread(to: cpu)
    Separation(from: other, allowed: all)?.keep()
    return ThreadPlace.current?.cpu ?? .max
}
