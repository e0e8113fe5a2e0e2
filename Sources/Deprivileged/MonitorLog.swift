// The log: what the guest has written to the console without an exit, until the VMM writes it out.
//
// It lies in a page that the guest can write, and so can say what it likes, as on any console; its length is cut to the
// room that there is. Nobody touches it while the guest runs but the guest. Read next: GuestAccess.swift.

import CDeprivileged
import GuestMemory
import Host

extension Monitor {
    private var log: GuestAddress { GuestAddress(MonitorMap.stack - MonitorMap.base) }

    /// Bytes that wait.
    package var logLength: UInt64 {
        let length = pages.read(log, as: UInt64.self) ?? 0
        return min(length, UInt64(CDEPRIVILEGED_LOG_CAPACITY))
    }

    /// Writes what waits, but for the first `done` bytes, with one write(2).
    package func writeLog(from done: UInt64, to console: Console) -> ConsoleResult {
        let length = logLength
        guard done < length else { return .gone }
        return pages.withSpan(log + 16 + done, length - done) { console.write($0) } ?? .gone
    }

    package func emptyLog() { pages.write(UInt64(0), at: log) }

    /// While the log is closed the guest's writes are exits.
    package func setLog(open: Bool) { pages.write(UInt64(open ? 1 : 0), at: log + 8) }
}
