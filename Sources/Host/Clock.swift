// Clocks: the TSC, which the guest reads too, the monotonic clock for our own phases, and the time of day.
//
// Read next: Processor.swift.

import CHost
import Glibc

public enum Clock {
    /// The time-stamp counter, unserialised.
    @inlinable
    public static func tsc() -> UInt64 { chost_rdtsc() }

    /// CLOCK_MONOTONIC in nanoseconds.
    public static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC).nanoseconds }

    /// CLOCK_REALTIME: seconds since 1970 and nanoseconds.
    public static func realtime() -> (seconds: Int64, nanoseconds: UInt64) {
        let time = read(CLOCK_REALTIME).time
        return (Int64(time.tv_sec), UInt64(time.tv_nsec))
    }

    private static func read(_ clock: clockid_t) -> (time: timespec, nanoseconds: UInt64) {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return (time, UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }
}
