// Two threads that must not share a CPU do not, wherever the first one goes.

import Host
import Synchronization
import Testing

/// What this process may use: threads of the tests' pool may have been left on one CPU by a test before.
private let cpus: [Int] = {
    let found = Mutex<[Int]>([])
    try? inThread {
        try? keepThread(on: Array(0..<1024))
        found.withLock { $0 = allowedCPUs() }
    }
    return found.withLock { $0 }
}()

@Suite(.enabled(if: cpus.count > 1, "this process may use one CPU only"))
struct ThreadPlaceTests {
    @Test("A thread's place is the CPU that it is kept on")
    func placeFollows() throws {
        for cpu in cpus.prefix(2) {
            #expect(try placeOfThread(on: cpu) == UInt32(cpu))
        }
    }

    @Test("A thread that keeps apart leaves the other's CPU, and no CPU is left when there is one only")
    func keepsApart() throws {
        let all = cpus
        let moved = Mutex<[UInt32]>([])
        try inThread {
            try? pinThread(to: all[0])
            guard let other = ThreadPlace.current else { return }
            for cpu in all.prefix(2) {
                try? pinThread(to: cpu)
                try? inThread {
                    try? pinThread(to: cpu)
                    Separation(from: other, allowed: all)?.keep()
                    moved.withLock { $0.append(ThreadPlace.current?.cpu ?? .max) }
                }
            }
        }
        let found = moved.withLock { $0 }
        #expect(found.count == 2)
        for (cpu, place) in zip(all, found) { #expect(all.contains(Int(place)) && place != UInt32(cpu)) }
        #expect(Separation(from: ThreadPlace.current, allowed: [all[0]]) == nil)
    }

    private func placeOfThread(on cpu: Int) throws -> UInt32? {
        let place = Mutex<UInt32?>(nil)
        try inThread {
            try? pinThread(to: cpu)
            place.withLock { $0 = ThreadPlace.current?.cpu }
        }
        return place.withLock { $0 }
    }
}

/// Threads of their own: where the tests' run is not theirs to say.
private func inThread(_ body: @escaping @Sendable () -> Void) throws {
    let thread = try Thread(body)
    thread.join()
}
