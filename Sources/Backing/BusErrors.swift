// A mapped file that becomes shorter: its pages are gone, and the CPU says so by SIGBUS.
//
// The handler (CBacking/cbacking.h) is installed for memory in files only. All uses of it are in this file, because the
// shim's variable exists once for each file that Swift compiles. Read next: HugePages.swift.

import CBacking
import GuestMemory

/// From here a lost page of guest memory reads as zeros, and is noted.
func watchBusErrors(_ memory: borrowing GuestMemory) {
    _ = cbacking_watch_bus_errors(memory.hostBase, memory.hostBase + UInt(memory.span))
}

/// Whether a page of guest memory was lost.
func sawBusError() -> Bool { cbacking_lost() != 0 }
