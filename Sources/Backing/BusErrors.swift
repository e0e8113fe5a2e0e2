// A mapped file that becomes shorter: its pages are gone, and the CPU says so by SIGBUS.
//
// The handler (CBacking/cbacking.h) is installed for memory in files only. All uses of it are in this file, because the
// shim's variable exists once for each file that Swift compiles. Read next: HugePages.swift.

import CBacking
import GuestMemory

/// While this lives, a lost page of a guest's memory reads as zeros, and is noted. There are 256 at once in a process.
final class BusErrorWatch: Sendable {
    private let number: Int

    init(_ memory: borrowing GuestMemory) throws(BackingError) {
        number = cbacking_watch_bus_errors(memory.hostBase, memory.hostBase + UInt(memory.span))
        if number < 0 { throw .call("to watch one more machine's memory in a file", errno: Int32(-number)) }
    }

    deinit { if number >= 0 { cbacking_unwatch(number) } }

    /// Whether a page was lost.
    var sawLoss: Bool { cbacking_lost(number) != 0 }
}
