// What a thread leaves for the test that started it, and memory that a call writes to.
//
// Read next: any test.

import Synchronization

/// A number and a mark, seen by all threads.
public final class Shared: Sendable {
    private let number = Atomic<Int32>(0)
    private let mark = Atomic<Bool>(false)

    public init() {}

    public var value: Int32 {
        get { number.load(ordering: .acquiring) }
        set { number.store(newValue, ordering: .releasing) }
    }

    public var isDone: Bool {
        get { mark.load(ordering: .acquiring) }
        set { mark.store(newValue, ordering: .releasing) }
    }
}

/// Lends `count` zeroed bytes to `body`: what it returned, and the bytes as it left them.
public func withZeroedBytes<R>(_ count: Int, _ body: (inout MutableRawSpan) -> R) -> (R, [UInt8]) {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    var raw = span.mutableBytes
    let result = body(&raw)
    return (result, bytes)
}
