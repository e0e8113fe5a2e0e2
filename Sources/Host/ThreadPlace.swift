// Where a thread runs, and staying off that CPU: two threads that poll for each other must not share one.
//
// The scheduler spreads threads that are busy for long. Two that look at each other's words and sleep in between look idle to it,
// and may stay on one CPU of many for ever. Read next: Entropy.swift.

import CHost

/// The CPU of a thread, which others may look at while the thread lives: a load, no system call. The kernel keeps it, also
/// while the thread is inside KVM_RUN (rseq(2), "cpu_id").
@safe public struct ThreadPlace: @unchecked Sendable {
    private let word: UnsafePointer<UInt32>

    /// The calling thread's; nil where the C library has registered none.
    public static var current: ThreadPlace? {
        // Sound: the word is in the thread's own static memory; the kernel alone writes it.
        guard let word = unsafe chost_cpu_word() else { return nil }
        return unsafe ThreadPlace(word: UnsafePointer(word))
    }

    public var cpu: UInt32 { unsafe chost_cpu_at(word) }
}

/// Keeps the calling thread off the CPU of another, wherever that goes.
public struct Separation: Sendable {
    private let mine: ThreadPlace
    private let other: ThreadPlace
    private let allowed: [Int]

    /// Nil when there is only one CPU, or nothing tells which.
    public init?(from other: ThreadPlace?, allowed: [Int]) {
        guard let other, let mine = ThreadPlace.current, allowed.count > 1 else { return nil }
        (self.mine, self.other, self.allowed) = (mine, other, allowed)
    }

    /// Moves when both are on one CPU. Where that is not allowed it stays: slower is all that it is.
    @inline(__always)
    public func keep() {
        if mine.cpu == other.cpu { move() }
    }

    @inline(never)
    private func move() {
        let shared = Int(other.cpu)
        try? keepThread(on: allowed.filter { $0 != shared })
    }
}
