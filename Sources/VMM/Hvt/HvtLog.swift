// What a deprivileged unikernel prints: its first line is an exit, those that follow at once wait in the monitor's log.
//
// They are written out at the next exit, at the latest when a timer kicks the vCPU after 5 ms, so that a unikernel that
// computes still prints. When the timer finds an empty log, that is closed, and a line is an exit again: who prints
// nothing is not disturbed. Read next: Deprivileged/MonitorLog.swift.

import Deprivileged
import GuestMemory
import Host
import KVM

/// Nanoseconds.
private let logPeriod: UInt64 = 5_000_000

extension RunLoop {
    /// Has lines wait from now on. On the vCPU's thread, whose timer it is.
    mutating func openLog() {
        guard deprivileged?.hasLog == true else { return }
        do throws(HostError) {
            try context.timer.arm(nanoseconds: logPeriod)
            deprivileged?.monitor.setLog(open: true)
        } catch { deprivileged?.monitor.setLog(open: false) }  // no timer: every line is an exit
    }

    /// At an exit: writes what waits. Nil to go on.
    mutating func writeLog() -> Stop? {
        guard deprivileged?.hasLog == true, let length = deprivileged?.monitor.logLength, length > 0 else { return nil }
        let console = context.platform.console
        let end = context.writeAll(length, to: console) { done in
            deprivileged?.monitor.writeLog(from: done, to: console) ?? .gone
        }
        deprivileged?.monitor.emptyLog()
        return end.stop
    }

    /// At a kick, which may be the timer's. Nil to go on.
    mutating func kickedWithLog() -> Stop? {
        guard deprivileged?.hasLog == true else { return nil }
        if MonitorMap.isOurs(vcpu.instructionPointer), context.platform.control.requested == nil {
            // A line is on its way into the log, behind those that it holds: a moment later.
            try? context.timer.arm(nanoseconds: logPeriod / 100)
            return nil
        }
        if deprivileged?.monitor.logLength == 0 {
            deprivileged?.monitor.setLog(open: false)
            return nil
        }
        let stop = writeLog()
        openLog()
        return stop
    }
}
