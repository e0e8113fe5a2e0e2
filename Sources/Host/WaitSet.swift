// Waiting for many descriptors: what guests with devices need, and `wait(for:)` with its three has no room for.
//
// Read next: Clock.swift.

import CHost
import Glibc

/// Descriptors and what they are waited for.
public struct WaitSet {
    private var polled: [pollfd] = []

    public init() {}

    public mutating func removeAll() { polled.removeAll(keepingCapacity: true) }

    /// A negative descriptor is never ready.
    public mutating func add(_ wait: WaitFor) {
        polled.append(pollEntry(wait))
    }

    /// Waits until one is ready, `nanoseconds` have passed (nil: for ever), or a signal arrives; whether one is ready.
    public mutating func wait(nanoseconds: UInt64?) -> Bool {
        let seconds = min((nanoseconds ?? 0) / 1_000_000_000, 1_000_000_000)
        var limit = timespec(tv_sec: Int(seconds), tv_nsec: Int((nanoseconds ?? 0) % 1_000_000_000))
        let ready = unsafe polled.withUnsafeMutableBufferPointer { polled in
            unsafe withUnsafePointer(to: &limit) { limit in
                unsafe chost_ppoll(polled.baseAddress, UInt(polled.count), nanoseconds == nil ? nil : limit)
            }
        }
        if ready <= 0 { for index in polled.indices { polled[index].revents = 0 } }
        return ready > 0
    }

    /// Whether the descriptor that was added as number `index` is ready: readable, writable, hung up or in error.
    public func isReady(_ index: Int) -> Bool { polled[index].revents != 0 }
}
