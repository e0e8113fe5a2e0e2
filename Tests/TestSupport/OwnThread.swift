// A thread of a test's own: for what is a thread's and must not stay with one of the tests' pool, its CPUs and its network.
//
// Read next: NetworkNamespace.swift.

import Host
import Synchronization

/// What the body comes to on a thread that ends with it.
public func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
    let answer = Answer<Result>()
    guard let thread = try? Thread({ answer.value.withLock { $0 = body() } }) else { preconditionFailure("a thread") }
    thread.join()
    guard let result = answer.value.withLock({ $0 }) else { preconditionFailure("the thread's result") }
    return result
}

private final class Answer<Result: Sendable>: Sendable {
    let value = Mutex<Result?>(nil)
}
