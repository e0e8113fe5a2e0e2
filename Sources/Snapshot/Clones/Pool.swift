// A pool: a function call into a guest. It keeps finished clones, resets them, and makes new ones when all are busy.
//
// Read next: docs/pools.md, docs/library.md; examples/call.

import GuestMemory
import Host
import Synchronization
import VMM

/// What a pool is to do.
public struct PoolOptions: Sendable {
    /// Clones that are kept when they are not in use. More may be alive while more calls are made at once.
    public var kept = 16
    /// Nanoseconds that a call's guest may take; nil for no limit.
    public var timeout: UInt64?
    /// Bytes that a call's guest may write: one that writes more is ended.
    public var outputLimit = 64 << 20
    /// Pages of its own that a clone may keep between two calls.
    public var keptPages = Clone.keptPages

    public init() {}
}

/// Clones of one snapshot, for calls from any thread.
///
/// The guest was saved when it was ready to work; each call is a life of its own, which reads its input from the console, to
/// its end, and writes its output there. Nothing of one call is left in another. A call costs about 0.1 ms and what the
/// guest does; the first ones, and those that find every clone busy, make a clone first.
public final class Pool: Sendable {
    public let options: PoolOptions
    private let source: CloneSource
    private let state = Mutex(State())

    private struct State {
        var idle: [Clone] = []
        /// Numbers of clones that are gone, and the next that nobody has had.
        var free: [UInt32] = []
        var next: UInt32 = 0
        var alive = 0
    }

    /// Opens KVM and maps the snapshot's file, which must stay as it is. No clone is made yet.
    public init(_ snapshot: consuming Snapshot, _ options: PoolOptions = PoolOptions()) throws(SnapshotError) {
        source = try CloneSource(snapshot)
        self.options = options
    }

    /// Clones that there are now.
    public var alive: Int { state.withLock { $0.alive } }

    /// Makes clones until so many are idle, at most as many as are kept.
    public func prepare(_ count: Int) throws(SnapshotError) {
        while state.withLock({ $0.idle.count }) < min(count, options.kept) { putBack(try make()) }
    }

    /// Runs a guest on the calling thread: any thread, several at once. Returns when the guest has stopped.
    ///
    /// - Parameter input: what the guest reads from its console, before the end of input.
    /// - Throws: when there is no clone to be had. What becomes of the guest is in the answer, whatever it is.
    public func call(_ input: [UInt8]) throws(SnapshotError) -> Answer {
        let (answer, clone) = try run(input)
        recycle(clone)
        return answer
    }

    /// The first half of a call, for those who have an answer to send before they have time for the second: `recycle`.
    package func run(_ input: [UInt8]) throws(SnapshotError) -> (Answer, Clone) {
        let clone: Clone
        if let idle = take() { clone = idle } else { clone = try make() }
        do throws(SnapshotError) {
            return (try clone.run(input, timeout: options.timeout, outputLimit: options.outputLimit), clone)
        } catch {
            discard(clone)
            throw error
        }
    }

    /// A clone that cannot be reset is none of the caller's business: it has its answer.
    package func recycle(_ clone: Clone) {
        do throws(SnapshotError) {
            try clone.reset(keptPages: options.keptPages)
            putBack(clone)
        } catch { discard(clone) }
    }

    /// The last one used, by this thread if there is such: KVM may wait long when a vCPU changes its thread.
    private func take() -> Clone? {
        state.withLock { state in
            let thread = ThreadReference.current
            guard let index = state.idle.lastIndex(where: { $0.lastThread == thread }) ?? state.idle.indices.last
            else { return nil }
            return state.idle.remove(at: index)
        }
    }

    private func make() throws(SnapshotError) -> Clone {
        let index = state.withLock { state in
            state.alive += 1
            if let index = state.free.popLast() { return index }
            state.next += 1
            return state.next - 1
        }
        do throws(SnapshotError) { return try Clone(source, index: index) } catch {
            forget(index)
            throw error
        }
    }

    private func putBack(_ clone: Clone) {
        let isKept = state.withLock { state in
            if state.idle.count >= options.kept { return false }
            state.idle.append(clone)
            return true
        }
        if !isKept { discard(clone) }
    }

    /// Its number goes to another; the machine itself goes with the last reference.
    private func discard(_ clone: consuming Clone) {
        let index = clone.index
        _ = consume clone
        forget(index)
    }

    private func forget(_ index: UInt32) {
        state.withLock { state in
            state.alive -= 1
            state.free.append(index)
        }
    }
}
