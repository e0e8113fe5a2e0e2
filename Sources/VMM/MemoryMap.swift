// What lies where in a machine's memory and how much of it is there, for `--stats`.
//
// Read next: Backing/MemoryReport.swift.

import Backing

extension Machine {
    /// To be asked after the run.
    public var memoryReport: MemoryReport {
        MemoryReport(
            platform.memory, backing: configuration.backing, slots: platform.growth?.totals ?? slots,
            map: guest.memoryMap, planned: guest.layout.high)
    }
}
